//! Appends of owners: fenced, ordered, atomic with their positions.

use futures_util::FutureExt as _;
use longshore_log::{Append, Error, Expect, Generation, GroupOffsets, Move};

use crate::rig::{Rig, batch, holds, move_of, owner, partition, small};

const OFFSETS: &str = "_longshore_offsets";

fn rig() -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("t", 1, &[]);
    rig
}

fn append(generation: Generation, value: &str, moves: Vec<Move>) -> Append {
    let batches = vec![(partition("t", 0), batch(0, &[value]))];
    Append {
        owner: owner("task/a/0"),
        generation,
        batches,
        moves,
        group: None,
    }
}

fn moved(from: Expect, to: &str) -> Vec<Move> {
    vec![move_of(OFFSETS, "k", from, Some(to))]
}

#[test]
fn records_positions_and_group_offsets_appear_together() {
    let mut rig = rig();
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let group = GroupOffsets {
        group: "connect-a".to_owned(),
        offsets: vec![(partition("t", 0), 1)],
    };
    let pending = rig.log().append(Append {
        group: Some(group),
        ..append(generation, "one", moved(Expect::Absent, "1"))
    });
    assert_eq!(rig.values(&partition("t", 0)), [""; 0]);
    assert!(rig.commit());
    pending.now_or_never().unwrap().unwrap();
    assert_eq!(rig.values(&partition("t", 0)), ["one"]);
    assert_eq!(
        rig.replay(OFFSETS),
        [("k".to_owned(), "1".to_owned())].into()
    );
    assert_eq!(
        rig.log().group_offsets("connect-a"),
        [(partition("t", 0), 1)]
    );
}

/// An offset that a sink read in an earlier life of a topic says nothing about the topic that has the name now.
#[test]
fn a_group_offset_beyond_the_end_of_its_partition_is_refused_by_name() {
    let mut rig = rig();
    let place = partition("t", 0);
    let generation = rig.raise(&["task/a/0"]).unwrap();
    for value in ["one", "two"] {
        rig.append(append(generation, value, Vec::new())).unwrap();
    }
    let log = rig.log();
    rig.drive(log.delete_topic(&place.topic)).unwrap();
    rig.create("t", 1, &[]);
    let commits = |offset| Append {
        batches: Vec::new(),
        group: Some(GroupOffsets {
            group: "connect-a".to_owned(),
            offsets: vec![(partition("t", 0), offset)],
        }),
        ..append(generation, "", Vec::new())
    };
    rig.append(commits(0)).unwrap();
    let refused = rig.append(commits(2)).unwrap_err();
    assert!(
        matches!(&refused, Error::GroupOffsetBeyondEnd { partition, offset: 2, end: 0 } if *partition == place),
        "{refused}"
    );
    assert_eq!(rig.log().group_offsets("connect-a"), [(place, 0)]);
}

#[test]
fn a_generation_ends_the_earlier_ones_of_all_its_owners_and_survives_reopening() {
    let mut rig = rig();
    let first = rig.raise(&["task/a/0", "task/a/1"]).unwrap();
    rig.append(append(first, "one", Vec::new())).unwrap();
    let second = rig.raise(&["task/a/0", "task/a/1"]).unwrap();
    assert!(second > first);
    assert!(matches!(
        rig.append(append(first, "late", Vec::new())),
        Err(Error::StaleGeneration { .. })
    ));
    rig.crash(longshore_disk::Loss::Everything);
    rig.open().unwrap();
    assert!(matches!(
        rig.append(append(first, "late", Vec::new())),
        Err(Error::StaleGeneration { .. })
    ));
    assert!(rig.raise(&["other"]).unwrap() > second);
    rig.append(append(second, "two", Vec::new())).unwrap();
    assert_eq!(rig.values(&partition("t", 0)), ["one", "two"]);
}

#[test]
fn what_was_queued_before_a_raise_is_written_before_it() {
    let mut rig = rig();
    let first = rig.raise(&["task/a/0"]).unwrap();
    let early = rig.log().append(append(first, "early", Vec::new()));
    let log = rig.log();
    let owners = [owner("task/a/0")];
    let second = rig.drive(log.raise(&owners)).unwrap();
    early.now_or_never().unwrap().unwrap();
    assert!(second > first);
    assert_eq!(rig.values(&partition("t", 0)), ["early"]);
}

#[test]
fn a_move_starts_where_the_last_queued_one_ended() {
    let mut rig = rig();
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let log = rig.log();
    let first = log.append(append(generation, "one", moved(Expect::Absent, "1")));
    let second = log.append(append(generation, "two", moved(holds("1"), "2")));
    rig.commit();
    first.now_or_never().unwrap().unwrap();
    second.now_or_never().unwrap().unwrap();
    rig.append(append(generation, "three", moved(holds("2"), "3")))
        .unwrap();
    assert_eq!(
        rig.replay(OFFSETS),
        [("k".to_owned(), "3".to_owned())].into()
    );
}

#[test]
fn a_move_from_elsewhere_fails_its_append_and_all_later_ones_of_the_generation() {
    let mut rig = rig();
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let log = rig.log();
    let good = log.append(append(generation, "one", moved(Expect::Absent, "1")));
    let wrong = log.append(append(generation, "two", moved(holds("0"), "2")));
    let later = log.append(append(generation, "three", moved(holds("1"), "3")));
    rig.commit();
    good.now_or_never().unwrap().unwrap();
    assert!(matches!(
        wrong.now_or_never().unwrap(),
        Err(Error::PositionMoved { .. })
    ));
    assert!(matches!(
        later.now_or_never().unwrap(),
        Err(Error::GenerationEnded { .. })
    ));
    assert_eq!(rig.values(&partition("t", 0)), ["one"]);
    let next = rig.raise(&["task/a/0"]).unwrap();
    rig.append(append(next, "four", moved(holds("1"), "4")))
        .unwrap();
}

#[test]
fn a_tombstone_removes_a_key_and_the_next_move_finds_it_absent() {
    let mut rig = rig();
    let generation = rig.raise(&["task/a/0"]).unwrap();
    rig.append(append(generation, "one", moved(Expect::Absent, "1")))
        .unwrap();
    let gone = vec![move_of(OFFSETS, "k", holds("1"), None)];
    rig.append(append(generation, "two", gone)).unwrap();
    assert!(rig.replay(OFFSETS).is_empty());
    rig.crash(longshore_disk::Loss::Everything);
    rig.open().unwrap();
    assert!(rig.replay(OFFSETS).is_empty());
    let generation = rig.raise(&["task/a/0"]).unwrap();
    rig.append(append(generation, "three", moved(Expect::Absent, "3")))
        .unwrap();
}

#[test]
fn moves_set_keys_of_internal_topics_only() {
    let mut rig = rig();
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let moves = vec![move_of("t", "k", Expect::Any, Some("1"))];
    assert!(matches!(
        rig.append(append(generation, "one", moves)),
        Err(Error::NotCompacted(_))
    ));
}

#[test]
fn an_append_to_a_missing_partition_writes_nothing() {
    let mut rig = rig();
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let mut append = append(generation, "one", moved(Expect::Absent, "1"));
    append.batches.push((partition("t", 1), batch(0, &["x"])));
    assert!(matches!(
        rig.append(append),
        Err(Error::UnknownPartition(_))
    ));
    assert_eq!(rig.values(&partition("t", 0)), [""; 0]);
}

#[test]
fn an_append_over_the_limit_is_refused() {
    let config = longshore_log::LogConfig {
        append_bytes_max: 100,
        ..small()
    };
    let mut rig = Rig::new(1, config);
    rig.create("t", 1, &[]);
    let generation = rig.raise(&["task/a/0"]).unwrap();
    assert!(matches!(
        rig.append(append(generation, &"x".repeat(200), Vec::new())),
        Err(Error::WriteTooLarge { .. })
    ));
}

#[test]
fn writes_as_large_as_their_topic_takes_pass_the_queue() {
    let config = longshore_log::LogConfig {
        queue_bytes_max: 1000,
        ..small()
    };
    let mut rig = Rig::new(1, config);
    rig.create("t", 1, &[("max.message.bytes", "30000")]);
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let large = "x".repeat(20_000);
    rig.append(append(generation, &large, Vec::new())).unwrap();
    let produced = batch(1, &[&large]).bytes().clone();
    let place = partition("t", 0);
    let queued = rig.log().produce(&place, produced).now_or_never();
    let queued = queued.expect("nothing else waits").unwrap();
    rig.commit();
    queued.now_or_never().unwrap().unwrap();
    assert_eq!(rig.values(&place), [large.clone(), large]);
}

#[test]
fn more_appends_than_memory_is_set_aside_for_are_refused() {
    let config = longshore_log::LogConfig {
        queue_bytes_max: 500,
        ..small()
    };
    let mut rig = Rig::new(1, config);
    rig.create("t", 1, &[]);
    let generation = rig.raise(&["task/a/0"]).unwrap();
    let answers: Vec<_> = (0..30)
        .map(|_| rig.log().append(append(generation, "x", Vec::new())))
        .collect();
    while rig.commit() {}
    let answers: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.now_or_never().unwrap())
        .collect();
    let accepted = answers.iter().take_while(|answer| answer.is_ok()).count();
    assert!(
        accepted > 0 && matches!(answers[accepted], Err(Error::QueueFull { .. })),
        "{answers:?}"
    );
}
