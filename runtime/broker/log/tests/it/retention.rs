//! Retention, deletion and the cleaner.

use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use longshore_disk::Loss;
use longshore_log::{Append, Error, Expect, MemoryStore};

use crate::rig::{Rig, batch, move_of, owner, partition, small, topic};

fn filled(configs: &[(&str, &str)], n: i64) -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("t", 1, configs);
    for i in 0..n {
        rig.produce(
            &partition("t", 0),
            &batch(1_000_000 + i, &[&format!("value {i}")]),
        )
        .unwrap();
    }
    rig
}

#[test]
fn batches_go_when_they_are_too_old_and_stay_gone() {
    let mut rig = filled(&[("retention.ms", "1000")], 100);
    rig.clock.0.store(1_001_040, Ordering::Relaxed);
    rig.upkeep().unwrap();
    assert_eq!(rig.log().bounds(&partition("t", 0)).unwrap(), (40, 100));
    assert_eq!(rig.values(&partition("t", 0))[0], "value 40");
    rig.store = MemoryStore::default();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(rig.log().bounds(&partition("t", 0)).unwrap(), (40, 100));
    assert_eq!(rig.values(&partition("t", 0)).len(), 60);
}

#[test]
fn a_partition_keeps_at_least_its_retention_bytes_and_less_than_a_batch_more() {
    let mut rig = filled(&[("retention.bytes", "1000"), ("retention.ms", "-1")], 100);
    rig.upkeep().unwrap();
    let (log_start, records, end) = rig.read_by(&partition("t", 0), 1 << 20);
    let kept = rig.log().usage().unwrap().live_bytes;
    assert_eq!(
        (records.len(), end),
        (usize::try_from(100 - log_start).unwrap(), 100)
    );
    assert!((1000..1100).contains(&kept), "{kept}");
}

#[test]
fn everything_expired_leaves_an_empty_partition_that_goes_on() {
    let mut rig = filled(&[("retention.ms", "0")], 30);
    rig.clock.0.store(2_000_000, Ordering::Relaxed);
    rig.upkeep().unwrap();
    assert_eq!(rig.log().bounds(&partition("t", 0)).unwrap(), (30, 30));
    assert_eq!(
        rig.produce(&partition("t", 0), &batch(0, &["x"]))
            .unwrap()
            .base_offset,
        30
    );
}

#[test]
fn a_deleted_topic_gives_its_disk_back_and_its_name_starts_again() {
    let mut rig = filled(&[], 300);
    let old = rig.log().topic(&topic("t")).unwrap();
    let before = rig.log().usage().unwrap();
    let log = rig.log();
    rig.drive(log.delete_topic(&topic("t"))).unwrap();
    rig.upkeep().unwrap();
    let after = rig.log().usage().unwrap();
    assert_eq!(after.live_bytes, 0);
    assert!(
        after.disk_bytes < small().file_bytes + 2000 && before.disk_bytes > 3 * after.disk_bytes,
        "{after:?}"
    );
    rig.create("t", 1, &[]);
    assert_ne!(rig.log().topic(&topic("t")).unwrap().id, old.id);
    rig.store = MemoryStore::default();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(rig.values(&partition("t", 0)), [""; 0]);
}

#[test]
fn the_cleaner_copies_what_is_alive_out_of_dead_files() {
    let mut rig = Rig::new(
        1,
        longshore_log::LogConfig {
            file_bytes: 16 << 10,
            ..small()
        },
    );
    rig.create("kept", 1, &[]);
    rig.create("gone", 1, &[]);
    let value = "x".repeat(100);
    for i in 0..600 {
        rig.produce(
            &partition(if i % 4 == 0 { "kept" } else { "gone" }, 0),
            &batch(0, &[&value]),
        )
        .unwrap();
    }
    let (_, before, _) = rig.read_by(&partition("kept", 0), 1000);
    let log = rig.log();
    rig.drive(log.delete_topic(&topic("gone"))).unwrap();
    rig.upkeep().unwrap();
    let usage = rig.log().usage().unwrap();
    // The file that is being written is not cleaned.
    assert!(
        usage.disk_bytes < usage.live_bytes * 13 / 10 + (16 << 10),
        "{usage:?}"
    );
    assert_eq!(rig.read_by(&partition("kept", 0), 1000).1, before);
    rig.store = MemoryStore::default();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(rig.read_by(&partition("kept", 0), 1000).1, before);
    assert_eq!(rig.log().usage().unwrap().live_bytes, usage.live_bytes);
}

#[test]
fn an_internal_topic_keeps_one_record_a_key_and_its_disk_does_not_grow() {
    let mut rig = Rig::new(1, small());
    let generation = rig.raise(&["o"]).unwrap();
    let append = |moves| Append {
        owner: owner("o"),
        generation,
        batches: Vec::new(),
        moves,
        group: None,
    };
    rig.append(append(vec![move_of(
        "_longshore_x",
        "once",
        Expect::Absent,
        Some("stays"),
    )]))
    .unwrap();
    for i in 0..1000 {
        let key = format!("key {}", i % 3);
        rig.append(append(vec![move_of(
            "_longshore_x",
            &key,
            Expect::Any,
            Some(&i.to_string()),
        )]))
        .unwrap();
        if i % 100 == 99 {
            rig.upkeep().unwrap();
        }
    }
    let expected = [
        ("key 0", "999"),
        ("key 1", "997"),
        ("key 2", "998"),
        ("once", "stays"),
    ];
    let expected: std::collections::BTreeMap<_, _> = expected
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(rig.replay("_longshore_x"), expected);
    assert_eq!(rig.read_by(&partition("_longshore_x", 0), 100).1.len(), 4);
    assert!(
        rig.log().usage().unwrap().disk_bytes < 20_000,
        "{:?}",
        rig.log().usage()
    );
    rig.store = MemoryStore::default();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(rig.replay("_longshore_x"), expected);
}

/// The cleaner looks at a file, and before its copy is written the record is deleted and the journal goes on in another
/// file. A copy there would outlive the tombstone, and a rebuild would find it alone.
#[test]
fn a_copy_of_what_was_deleted_meanwhile_is_left_out() {
    let one_by_one = longshore_log::LogConfig {
        group_bytes_max: 1,
        ..small()
    };
    let mut rig = Rig::new(1, one_by_one);
    let generation = rig.raise(&["o"]).unwrap();
    let append = |batches, moves| Append {
        owner: owner("o"),
        generation,
        batches,
        moves,
        group: None,
    };
    let set = |from, to| vec![move_of("_longshore_x", "key", from, to)];
    rig.append(append(Vec::new(), set(Expect::Absent, Some("value"))))
        .unwrap();
    rig.create("first", 1, &[]);
    rig.create("second", 1, &[]);
    let filler = "x".repeat(1_000);
    for _ in 0..10 {
        rig.produce(&partition("first", 0), &batch(0, &[&filler]))
            .unwrap();
    }
    let log = rig.log();
    rig.drive(log.delete_topic(&topic("first"))).unwrap();
    let mut waiting = vec![Box::pin(
        log.append(append(Vec::new(), set(Expect::Any, None))),
    )];
    for _ in 0..10 {
        let batches = vec![(partition("second", 0), batch(0, &[&filler]))];
        waiting.push(Box::pin(log.append(append(batches, Vec::new()))));
    }
    for write in &mut waiting {
        assert!(write.now_or_never().is_none());
    }
    rig.upkeep().unwrap();
    for write in waiting {
        rig.drive(write).unwrap();
    }
    rig.drive(log.delete_topic(&topic("second"))).unwrap();
    rig.upkeep().unwrap();
    rig.store = MemoryStore::default();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert!(rig.replay("_longshore_x").is_empty());
}

#[test]
fn a_deleted_key_stays_deleted_however_often_files_are_cleaned_and_the_index_rebuilt() {
    let mut rig = Rig::new(1, small());
    let generation = rig.raise(&["o"]).unwrap();
    let append = |moves| Append {
        owner: owner("o"),
        generation,
        batches: Vec::new(),
        moves,
        group: None,
    };
    for i in 0..40 {
        let key = format!("key {i}");
        rig.append(append(vec![move_of(
            "_longshore_x",
            &key,
            Expect::Absent,
            Some("value"),
        )]))
        .unwrap();
    }
    for i in 0..400 {
        if i < 40 {
            rig.append(append(vec![move_of(
                "_longshore_x",
                &format!("key {i}"),
                Expect::Any,
                None,
            )]))
            .unwrap();
        }
        rig.append(append(vec![move_of(
            "_longshore_x",
            "busy",
            Expect::Any,
            Some(&i.to_string()),
        )]))
        .unwrap();
        if i % 20 == 0 {
            rig.upkeep().unwrap();
        }
        if i % 50 == 0 {
            rig.store = MemoryStore::default();
            rig.open_again();
            let left = rig.replay("_longshore_x").len();
            assert_eq!(
                left,
                1 + usize::try_from(39_i32.saturating_sub(i).max(0)).unwrap(),
                "after {i}"
            );
        }
    }
    assert!(
        rig.read_by(&partition("_longshore_x", 0), 100).1.len() < 40,
        "tombstones go at last"
    );
}

/// A reader that stands before the end must find a record that takes it there.
#[test]
fn the_last_record_of_an_internal_topic_stays_even_if_it_deletes_its_key() {
    let mut rig = Rig::new(1, small());
    let generation = rig.raise(&["o"]).unwrap();
    let place = partition("_longshore_x", 0);
    for (key, to) in [("a", Some("1")), ("b", Some("2")), ("a", None), ("b", None)] {
        rig.append(Append {
            owner: owner("o"),
            generation,
            batches: Vec::new(),
            moves: vec![move_of("_longshore_x", key, Expect::Any, to)],
            group: None,
        })
        .unwrap();
    }
    let clean = |rig: &mut Rig| {
        rig.create("filler", 1, &[]);
        for _ in 0..20 {
            rig.produce(&partition("filler", 0), &batch(0, &[&"x".repeat(1_000)]))
                .unwrap();
        }
        let log = rig.log();
        rig.drive(log.delete_topic(&topic("filler"))).unwrap();
        rig.upkeep().unwrap();
    };
    for _ in 0..3 {
        clean(&mut rig);
        let (_, records, end) = rig.read_by(&place, 100);
        let offsets: Vec<_> = records.iter().map(|record| record.offset).collect();
        assert_eq!((offsets, end), (vec![3], 4));
        assert!(rig.replay("_longshore_x").is_empty());
    }
    rig.append(Append {
        owner: owner("o"),
        generation,
        batches: Vec::new(),
        moves: vec![move_of("_longshore_x", "c", Expect::Absent, Some("3"))],
        group: None,
    })
    .unwrap();
    clean(&mut rig);
    let (_, records, end) = rig.read_by(&place, 100);
    assert_eq!((records.len(), records[0].offset, end), (1, 4, 5));
}

#[test]
fn a_full_disk_gives_dead_files_back_first_and_so_makes_room_to_clean_the_rest() {
    let mut rig = Rig::new(1, small());
    rig.create("kept", 1, &[]);
    rig.create("gone", 1, &[]);
    let value = "x".repeat(100);
    for i in 0..300 {
        let name = if (100..200).contains(&i) || i % 4 != 0 {
            "gone"
        } else {
            "kept"
        };
        rig.produce(&partition(name, 0), &batch(0, &[&value]))
            .unwrap();
    }
    let log = rig.log();
    rig.drive(log.delete_topic(&topic("gone"))).unwrap();
    let full = rig.disk.bytes_used();
    rig.disk.set_quota(full);
    rig.upkeep().unwrap();
    let usage = rig.log().usage().unwrap();
    assert!(
        usage.disk_bytes < full / 2 && usage.disk_bytes < usage.live_bytes * 2,
        "{full} {usage:?}"
    );
    rig.produce(&partition("kept", 0), &batch(0, &[&value]))
        .unwrap();
}

#[test]
fn cleaning_goes_on_after_the_disk_was_full() {
    let mut rig = Rig::new(1, small());
    rig.create("kept", 1, &[]);
    rig.create("gone", 1, &[]);
    let value = "x".repeat(100);
    for i in 0..300 {
        rig.produce(
            &partition(if i % 4 == 0 { "kept" } else { "gone" }, 0),
            &batch(0, &[&value]),
        )
        .unwrap();
    }
    let log = rig.log();
    rig.drive(log.delete_topic(&topic("gone"))).unwrap();
    let full = rig.disk.bytes_used();
    rig.disk.set_quota(full);
    assert!(matches!(rig.upkeep(), Err(Error::DiskFull)));
    rig.disk.set_quota(u64::MAX);
    rig.upkeep().unwrap();
    let usage = rig.log().usage().unwrap();
    assert!(
        usage.disk_bytes < full / 2 && usage.disk_bytes < usage.live_bytes * 2,
        "{full} {usage:?}"
    );
}
