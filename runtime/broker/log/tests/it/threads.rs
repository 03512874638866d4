//! The log as a worker runs it: threads, a real disk, the index in fjall.

use std::sync::Arc;

use longshore_log::{Append, Error, Log, LogConfig, NewTopic};

use crate::rig::{ManualClock, batch, owner, partition, topic};

fn start(dir: &std::path::Path) -> Result<(Log, longshore_log::LogThreads), Error> {
    Log::start(dir, LogConfig::default(), Arc::new(ManualClock::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_are_committed_in_groups_and_found_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (log, threads) = start(dir.path()).unwrap();
    assert!(matches!(start(dir.path()), Err(Error::InUse(_))));
    log.create_topic(NewTopic {
        name: topic("t"),
        partitions: None,
        configs: [].into(),
    })
    .await
    .unwrap();
    let owners: Vec<_> = (0..8).map(|i| owner(&format!("o{i}"))).collect();
    let generation = log.raise(&owners).await.unwrap();
    let writers = owners.into_iter().map(|owner| {
        let log = log.clone();
        tokio::spawn(async move {
            for i in 0..50 {
                let value = format!("{owner} {i}");
                let batches = vec![(partition("t", 0), batch(0, &[&value]))];
                let (owner, moves) = (owner.clone(), Vec::new());
                log.append(Append {
                    owner,
                    generation,
                    batches,
                    moves,
                    group: None,
                })
                .await
                .unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(log.bounds(&partition("t", 0)).unwrap(), (0, 400));
    drop((log, threads));

    for rebuilt in [false, true] {
        if rebuilt {
            std::fs::remove_dir_all(dir.path().join("index")).unwrap();
        }
        let (log, threads) = start(dir.path()).unwrap();
        assert_eq!(log.bounds(&partition("t", 0)).unwrap(), (0, 400));
        let found = log.fetch(&partition("t", 0), 399, 1).await.unwrap();
        assert_eq!(
            longshore_log::Batch::parse_all(found.batches)
                .unwrap()
                .len(),
            1
        );
        drop((log, threads));
    }
}
