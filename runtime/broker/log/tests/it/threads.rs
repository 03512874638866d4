//! The log as a worker runs it: threads, a real disk, the index in fjall.

use std::sync::Arc;
use std::time::Duration;

use longshore_log::{Append, Error, Log, LogConfig, NewTopic, Parts};

use tokio_util::sync::CancellationToken;

use crate::rig::{ManualClock, Rig, batch, owner, partition, paused, small, topic};

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

#[test]
fn the_upkeep_finishes_its_round_however_often_a_checkpoint_is_due() {
    let mut rig = Rig::new(
        1,
        LogConfig {
            checkpoint_bytes: 500,
            ..small()
        },
    );
    rig.create("kept", 1, &[]);
    rig.create("gone", 1, &[]);
    for i in 0..400 {
        let name = if i % 3 == 0 { "kept" } else { "gone" };
        rig.produce(&partition(name, 0), &batch(0, &["some value"]))
            .unwrap();
    }
    let log = rig.log();
    rig.drive(log.delete_topic(&topic("gone"))).unwrap();
    let before = log.usage().unwrap();
    let Parts {
        committer, upkeep, ..
    } = rig.parts.take().unwrap();
    paused().block_on(async {
        let committer = tokio::spawn(committer.run());
        let stop = CancellationToken::new();
        let upkeep = tokio::spawn(upkeep.run(stop.clone()));
        let one_round = tokio::time::timeout(Duration::from_secs(15), committer);
        assert!(one_round.await.is_err(), "the committer goes on");
        let after = log.usage().unwrap();
        assert!(
            after.disk_bytes < before.disk_bytes / 2,
            "{before:?} {after:?}"
        );
        stop.cancel();
        upkeep.await.unwrap();
    });
}
