//! Locks, formats, recovery and the rebuild of the index.

use std::path::Path;

use longshore_disk::{Disk as _, Loss};
use longshore_log::{Error, Expect, MemoryStore};

use crate::rig::{Rig, batch, move_of, partition, small};

#[test]
fn a_directory_has_one_worker_at_a_time() {
    let mut rig = Rig::new(1, small());
    let first = rig.parts.take();
    assert!(matches!(rig.open(), Err(Error::InUse(_))));
    drop(first);
    rig.open().unwrap();
}

#[test]
fn another_format_is_refused_by_name() {
    let mut rig = Rig::closed(1, small());
    rig.disk.create_dir(Path::new("/data/log")).unwrap();
    let format = rig.disk.create(Path::new("/data/log/format")).unwrap();
    format.append(b"longshore-log 2\n").unwrap();
    let error = rig.open().unwrap_err();
    assert!(
        matches!(&error, Error::UnknownFormat { found, .. } if found == "longshore-log 2"),
        "{error}"
    );
}

#[test]
fn the_first_opening_survives_a_crash_at_every_step() {
    for changes in 0..20 {
        for loss in [Loss::Everything, Loss::Seeded] {
            let mut rig = Rig::closed(changes, small());
            rig.disk.power_off_after(changes);
            let opened = rig.open();
            rig.crash(loss);
            rig.open().unwrap_or_else(|error| {
                panic!("power off after {changes}: {error}, before that {opened:?}")
            });
            rig.create("t", 1, &[]);
        }
    }
}

#[test]
fn killed_at_any_step_into_the_next_file_nothing_acknowledged_is_lost_with_the_power_later() {
    for changes in 0..60 {
        let mut rig = Rig::new(changes, small());
        rig.create("t", 1, &[]);
        let place = partition("t", 0);
        let value = "x".repeat(700);
        rig.disk.power_off_after(changes);
        let mut acknowledged = 0;
        while acknowledged < 20 && rig.produce(&place, &batch(0, &[&value])).is_ok() {
            acknowledged += 1;
        }
        rig.kill();
        rig.open().unwrap();
        let found = rig.values(&place).len();
        assert!(found >= acknowledged, "killed after {changes}");
        rig.produce(&place, &batch(0, &["after"])).unwrap();
        rig.crash(Loss::Everything);
        rig.open().unwrap();
        assert_eq!(
            rig.values(&place).len(),
            found + 1,
            "killed after {changes}"
        );
    }
}

fn busy() -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("kept", 2, &[]);
    rig.create("cut", 1, &[("retention.bytes", "300")]);
    rig.create("gone", 1, &[]);
    let generation = rig.raise(&["o"]).unwrap();
    for i in 0..80 {
        let value = format!("value {i}");
        for place in [
            partition("kept", i % 2),
            partition("cut", 0),
            partition("gone", 0),
        ] {
            if i < 50 || place != partition("gone", 0) {
                rig.produce(&place, &batch(0, &[&value])).unwrap();
            }
        }
        if i % 5 == 0 {
            let to = (i % 3 != 0).then_some(value.as_str());
            let moves = vec![move_of(
                "_longshore_x",
                &format!("key {}", i % 4),
                Expect::Any,
                to,
            )];
            let owner = crate::rig::owner("o");
            let append = longshore_log::Append {
                owner,
                generation,
                batches: Vec::new(),
                moves,
                group: None,
            };
            rig.append(append).unwrap();
        }
        if i == 50 {
            let log = rig.log();
            rig.drive(log.delete_topic(&crate::rig::topic("gone")))
                .unwrap();
        }
        if i % 20 == 19 {
            rig.upkeep().unwrap();
        }
    }
    rig
}

fn content(rig: &Rig) -> impl PartialEq + std::fmt::Debug + use<> {
    let places = [
        partition("kept", 0),
        partition("kept", 1),
        partition("cut", 0),
    ];
    let records: Vec<_> = places.iter().map(|place| rig.read_by(place, 500)).collect();
    (
        records,
        rig.replay("_longshore_x"),
        rig.log().topics(),
        rig.log().usage().unwrap(),
    )
}

#[test]
fn an_index_rebuilt_from_the_journal_equals_the_one_that_was_kept() {
    let mut rig = busy();
    let before = content(&rig);
    rig.open_again();
    assert_eq!(content(&rig), before, "from the checkpoint");
    rig.store = MemoryStore::default();
    rig.open_again();
    rig.upkeep().unwrap();
    assert_eq!(content(&rig), before, "from the journal alone");
    assert!(rig.log().topic(&crate::rig::topic("gone")).is_none());
}

#[test]
fn a_rebuild_knows_what_only_a_removed_file_had_declared_dead() {
    let mut rig = Rig::new(1, small());
    rig.create("kept", 1, &[]);
    rig.create(
        "cut",
        1,
        &[("retention.bytes", "0"), ("retention.ms", "-1")],
    );
    rig.create("gone", 1, &[]);
    let n_files = |rig: &Rig| rig.disk.list(Path::new("/data/log/journal")).unwrap().len();
    let value = "x".repeat(100);
    // The first file stays: most of it is alive.
    rig.produce(&partition("cut", 0), &batch(0, &[&value]))
        .unwrap();
    while n_files(&rig) == 1 {
        rig.produce(&partition("kept", 0), &batch(0, &[&value]))
            .unwrap();
    }
    rig.upkeep().unwrap();
    assert_eq!(rig.log().bounds(&partition("cut", 0)).unwrap(), (1, 1));
    // The second, with the new log start, goes.
    while n_files(&rig) == 2 {
        rig.produce(&partition("gone", 0), &batch(0, &[&value]))
            .unwrap();
    }
    let log = rig.log();
    rig.drive(log.delete_topic(&crate::rig::topic("gone")))
        .unwrap();
    rig.upkeep().unwrap();
    assert_eq!(n_files(&rig), 2);
    let usage = rig.log().usage().unwrap();
    rig.store = MemoryStore::default();
    rig.open_again();
    rig.upkeep().unwrap();
    assert_eq!(rig.log().usage().unwrap(), usage);
}

#[test]
fn a_checkpoint_of_another_journal_is_not_believed() {
    let rig = busy();
    let store = rig.store.clone();
    drop(rig);
    let mut other = Rig::closed(2, small());
    other.store = store;
    other.open().unwrap();
    assert!(other.log().topics().is_empty());
    other.create("kept", 1, &[]);
    assert_eq!(other.values(&partition("kept", 0)), [""; 0]);
}

#[test]
fn opening_reads_only_the_journal_behind_the_checkpoint() {
    let mut rig = busy();
    rig.checkpoint().unwrap();
    rig.parts = None;
    // Damage before the checkpoint would be found by reading it.
    let first = rig
        .disk
        .list(Path::new("/data/log/journal"))
        .unwrap()
        .remove(0)
        .name;
    let file = rig
        .disk
        .open_writable(&Path::new("/data/log/journal").join(first))
        .unwrap();
    file.write_at(&[std::io::IoSlice::new(b"damage")], 100)
        .unwrap();
    rig.open().unwrap();
}
