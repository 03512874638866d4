//! Full disks, failed syncs, damage.

use std::io::IoSlice;
use std::path::Path;

use futures_util::FutureExt as _;
use longshore_disk::{Disk as _, Loss};
use longshore_log::{Append, Error, Log};
use longshore_model::FaultClass;

use crate::rig::{Rig, batch, owner, partition, small};

fn rig() -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("t", 1, &[]);
    rig
}

fn journal(file: u32) -> std::path::PathBuf {
    Path::new("/data/log/journal").join(format!("{file:010}.journal"))
}

#[test]
fn a_full_disk_fails_the_append_by_name_and_writing_goes_on_when_there_is_room() {
    let mut rig = rig();
    let place = partition("t", 0);
    rig.produce(&place, &batch(0, &["before"])).unwrap();
    rig.disk.set_quota(rig.disk.bytes_used() + 50);
    let full = rig
        .produce(&place, &batch(0, &["does not fit"]))
        .unwrap_err();
    assert!(matches!(full, Error::DiskFull));
    assert_eq!(full.class(), FaultClass::Retriable);
    assert_eq!(rig.values(&place), ["before"]);
    rig.disk.set_quota(u64::MAX);
    assert_eq!(
        rig.produce(&place, &batch(0, &["after"]))
            .unwrap()
            .base_offset,
        1
    );
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(rig.values(&place), ["before", "after"]);
}

#[test]
fn a_full_disk_ends_the_generation_whose_append_failed() {
    let mut rig = rig();
    let generation = rig.raise(&["o"]).unwrap();
    let append = |value: &str| {
        let batches = vec![(partition("t", 0), batch(0, &[value]))];
        Append {
            owner: owner("o"),
            generation,
            batches,
            moves: Vec::new(),
            group: None,
        }
    };
    rig.disk.set_quota(rig.disk.bytes_used() + 50);
    assert!(matches!(
        rig.append(append("does not fit")),
        Err(Error::DiskFull)
    ));
    rig.disk.set_quota(u64::MAX);
    assert!(matches!(
        rig.append(append("out of order")),
        Err(Error::GenerationEnded { .. })
    ));
    assert_eq!(rig.values(&partition("t", 0)), [""; 0]);
}

#[test]
fn a_full_disk_at_the_start_of_a_file_is_overcome_too() {
    let mut rig = rig();
    let place = partition("t", 0);
    let value = "x".repeat(700);
    for written in 0..40 {
        rig.disk.set_quota(rig.disk.bytes_used() + 400);
        assert!(matches!(
            rig.produce(&place, &batch(0, &[&value])),
            Err(Error::DiskFull)
        ));
        rig.disk.set_quota(u64::MAX);
        assert_eq!(
            rig.produce(&place, &batch(0, &[&value]))
                .unwrap()
                .base_offset,
            written
        );
    }
    assert_eq!(rig.values(&place).len(), 40);
}

#[test]
fn what_a_full_disk_left_is_gone_before_the_next_file_begins() {
    let place = partition("t", 0);
    let value = "x".repeat(700);
    let n_files = |rig: &Rig| rig.disk.list(Path::new("/data/log/journal")).unwrap().len();
    let mut tried = 0;
    for seed in 0..40 {
        let mut rig = Rig::new(seed, small());
        rig.create("t", 1, &[]);
        while rig.disk.bytes_used() < 3300 {
            rig.produce(&place, &batch(0, &[&value])).unwrap();
        }
        // It fits into the file, but not on the disk; the next one begins a file.
        rig.disk.set_quota(rig.disk.bytes_used() + 100);
        assert!(matches!(
            rig.produce(&place, &batch(0, &["y".repeat(300).as_str()])),
            Err(Error::DiskFull)
        ));
        rig.disk.set_quota(u64::MAX);
        rig.produce(&place, &batch(0, &[&value])).unwrap();
        tried += usize::from(n_files(&rig) == 2);
        rig.crash(Loss::Seeded);
        rig.store = longshore_log::MemoryStore::default();
        rig.open()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert_eq!(tried, 40);
}

#[test]
fn a_failed_sync_ends_writing_until_the_log_is_opened_again() {
    let mut rig = rig();
    let place = partition("t", 0);
    rig.produce(&place, &batch(0, &["before"])).unwrap();
    rig.disk.fail_syncs(1);
    assert!(matches!(
        rig.produce(&place, &batch(0, &["doubtful"])),
        Err(Error::Refusing(_))
    ));
    assert!(matches!(
        rig.produce(&place, &batch(0, &["refused"])),
        Err(Error::Refusing(_))
    ));
    assert!(rig.log().failure().is_some());
    assert_eq!(
        rig.values(&place),
        ["before"],
        "reading goes on, up to what is durable"
    );
    rig.open().unwrap();
    let doubtful = rig.values(&place);
    rig.produce(&place, &batch(0, &["after"])).unwrap();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(
        rig.values(&place),
        [doubtful, vec!["after".to_owned()]].concat(),
        "what was shown once stays"
    );
}

#[test]
fn damage_before_the_end_is_an_error_that_names_the_place() {
    let mut rig = rig();
    let place = partition("t", 0);
    for _ in 0..4 {
        rig.produce(&place, &batch(0, &["some value"])).unwrap();
    }
    rig.crash(Loss::Everything);
    let file = rig.disk.open_writable(&journal(1)).unwrap();
    let middle = file.size().unwrap() / 2;
    file.write_at(&[IoSlice::new(b"damage")], middle).unwrap();
    let error = rig.open().unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { file, at, .. } if *file == journal(1) && *at <= middle),
        "{error}"
    );
}

#[test]
fn damage_in_an_older_file_is_an_error_when_the_index_is_rebuilt() {
    let mut rig = rig();
    let place = partition("t", 0);
    for _ in 0..60 {
        rig.produce(&place, &batch(0, &["some longer value to fill the files"]))
            .unwrap();
    }
    rig.crash(Loss::Everything);
    let file = rig.disk.open_writable(&journal(1)).unwrap();
    let last = file.size().unwrap() - 1;
    file.write_at(&[IoSlice::new(b"!")], last).unwrap();
    rig.store = longshore_log::MemoryStore::default();
    assert!(matches!(rig.open(), Err(Error::Corrupt { .. })));
}

#[test]
fn a_torn_last_frame_never_happened() {
    let mut rig = rig();
    let place = partition("t", 0);
    rig.produce(&place, &batch(0, &["kept"])).unwrap();
    rig.produce(&place, &batch(0, &["torn"])).unwrap();
    rig.crash(Loss::Everything);
    let file = rig.disk.open_writable(&journal(1)).unwrap();
    file.truncate(file.size().unwrap() - 1).unwrap();
    rig.open().unwrap();
    assert_eq!(rig.values(&place), ["kept"]);
    assert_eq!(
        rig.produce(&place, &batch(0, &["next"]))
            .unwrap()
            .base_offset,
        1
    );
}

#[test]
fn closing_answers_what_waits_and_refuses_the_rest() {
    let mut rig = rig();
    let log: Log = rig.log();
    let place = partition("t", 0);
    let generation = rig.raise(&["o"]).unwrap();
    let append = Append {
        owner: owner("o"),
        generation,
        batches: vec![(place.clone(), batch(0, &["waits"]))],
        moves: Vec::new(),
        group: None,
    };
    let waits = log.append(append.clone());
    log.close();
    let late = log.append(append);
    let committer = rig.parts.take().unwrap().committer;
    crate::rig::paused().block_on(async {
        committer.run().await;
        waits.await.unwrap();
        assert!(matches!(late.await, Err(Error::Closed)));
        assert_eq!(log.bounds(&place).unwrap(), (0, 1));
    });
}

#[test]
fn nobody_waits_for_a_committer_that_is_gone() {
    let mut rig = rig();
    let log = rig.log();
    let owners = [owner("o")];
    let mut waits = std::pin::pin!(log.raise(&owners));
    assert!(waits.as_mut().now_or_never().is_none());
    rig.parts = None;
    assert!(matches!(waits.now_or_never().unwrap(), Err(Error::Closed)));
    assert!(matches!(
        log.raise(&owners).now_or_never().unwrap(),
        Err(Error::Closed)
    ));
}
