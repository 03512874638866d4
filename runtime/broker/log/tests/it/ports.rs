//! The pipeline's ports over the log.

use std::ops::Range;

use bytes::Bytes;
use futures_util::FutureExt as _;
use longshore_log::{Generation, Log};
use longshore_pipeline::batch::{Fetched, Outgoing, OutgoingRecord, Payload};
use longshore_pipeline::port::{
    BrokerError, Expect, Fetch as _, GroupOffsets, Subscription as _, Write,
};

use crate::rig::{Rig, batch, move_of, owner, partition, small};

fn rig() -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("t", 2, &[]);
    rig.create("dead", 1, &[]);
    rig
}

fn write(generation: Generation) -> Write {
    let record = |partition, value: Payload| OutgoingRecord {
        partition,
        timestamp_ms: 5,
        key: Some(Payload::Shared(0..3)),
        value: Some(value),
        headers: vec![
            ("h".to_owned(), Some(Payload::Shared(3..6))),
            ("null".to_owned(), None),
        ],
    };
    let records = vec![
        record(0, Payload::Shared(3..6)),
        record(1, Payload::Owned(Bytes::from_static(b"dead letter"))),
        record(0, Payload::Shared(0..6)),
    ];
    let buffer = Bytes::from_static(b"keyval");
    let records = Outgoing {
        buffer,
        partitions: vec![partition("t", 1), partition("dead", 0)],
        records,
        ..Outgoing::default()
    };
    let group = GroupOffsets {
        group: "connect-x".to_owned(),
        offsets: vec![(partition("t", 1), 2)],
    };
    let mut moved = move_of("_longshore_offsets", "k", Expect::Absent, Some("v"));
    moved.headers = vec![("longshore.order".to_owned(), Bytes::from_static(b"9"))];
    Write {
        owner: owner("o"),
        generation,
        records,
        moves: vec![moved],
        group: Some(group),
    }
}

fn bytes<'a>(fetched: &'a Fetched, range: Option<&Range<u32>>) -> &'a [u8] {
    fetched.bytes(range.unwrap())
}

#[test]
fn a_write_comes_back_as_it_went() {
    let mut rig = rig();
    let generation = rig.raise(&["o"]).unwrap();
    let log = rig.log();
    rig.drive(longshore_pipeline::port::Append::append(
        &log,
        write(generation),
    ))
    .unwrap();
    let found = rig
        .drive(longshore_pipeline::port::Fetch::fetch(
            &log,
            &partition("t", 1),
            1,
            1000,
        ))
        .unwrap();
    assert_eq!(
        (found.records.len(), found.next_offset),
        (1, 2),
        "records before the offset are left out"
    );
    let record = &found.records[0];
    assert_eq!((record.offset, record.timestamp_ms), (1, Some(5)));
    assert_eq!(
        (
            bytes(&found, record.key.as_ref()),
            bytes(&found, record.value.as_ref())
        ),
        (&b"key"[..], &b"keyval"[..])
    );
    assert_eq!(
        (
            record.headers[0].0.as_str(),
            bytes(&found, record.headers[0].1.as_ref())
        ),
        ("h", &b"val"[..])
    );
    assert_eq!(record.headers[1], ("null".to_owned(), None));
    assert_eq!(rig.values(&partition("dead", 0)), ["dead letter"]);
    let replayed = rig
        .drive(log.replay(&crate::rig::topic("_longshore_offsets")))
        .unwrap();
    assert_eq!(
        replayed[0].headers,
        [("longshore.order".to_owned(), Bytes::from_static(b"9"))]
    );
    let committed = rig
        .drive(log.committed("connect-x", &[partition("t", 0), partition("t", 1)]))
        .unwrap();
    assert_eq!(committed, [None, Some(2)]);
}

#[test]
fn errors_say_what_the_pipeline_can_do() {
    let mut rig = rig();
    let old = rig.raise(&["o"]).unwrap();
    let new = rig.raise(&["o"]).unwrap();
    let log: Log = rig.log();
    let mut append = |write| {
        rig.drive(longshore_pipeline::port::Append::append(&log, write))
            .unwrap_err()
    };
    assert!(matches!(append(write(old)), BrokerError::Fenced { .. }));
    let mut wrong = write(new);
    wrong.moves[0].from = crate::rig::holds("elsewhere");
    assert!(matches!(append(wrong), BrokerError::PositionMismatch { key, .. } if key == "k"));
    assert!(matches!(
        append(write(new)),
        BrokerError::EarlierFailed { .. }
    ));
    let outside = rig.drive(longshore_pipeline::port::Fetch::fetch(
        &log,
        &partition("t", 1),
        9,
        1,
    ));
    assert!(matches!(
        outside,
        Err(BrokerError::OffsetOutOfRange {
            offset: 9,
            earliest: 0,
            latest: 0,
            ..
        })
    ));
}

#[test]
fn a_large_write_becomes_several_batches() {
    let mut rig = Rig::new(1, longshore_log::LogConfig::default());
    rig.create("t", 2, &[]);
    rig.create("dead", 1, &[]);
    let generation = rig.raise(&["o"]).unwrap();
    let mut write = write(generation);
    write.records.buffer = Bytes::from(vec![b'x'; 100_000]);
    for record in &mut write.records.records {
        record.value = Some(Payload::Shared(0..100_000));
    }
    let more = write.records.records.clone();
    (0..20).for_each(|_| write.records.records.extend(more.iter().cloned()));
    let log = rig.log();
    rig.drive(longshore_pipeline::port::Append::append(&log, write))
        .unwrap();
    assert_eq!(rig.values(&partition("t", 1)).len(), 42);
}

#[test]
fn batches_stay_within_their_topics_limit_while_records_do() {
    let mut rig = rig();
    rig.create("narrow", 1, &[("max.message.bytes", "400")]);
    let generation = rig.raise(&["o"]).unwrap();
    let log = rig.log();
    let mut write = write(generation);
    write.records.partitions[0] = partition("narrow", 0);
    write.group = None;
    let more = write.records.records.clone();
    (0..20).for_each(|_| write.records.records.extend(more.iter().cloned()));
    rig.drive(longshore_pipeline::port::Append::append(
        &log,
        write.clone(),
    ))
    .unwrap();
    assert_eq!(rig.values(&partition("narrow", 0)).len(), 42);
    write.moves.clear();
    write.records.buffer = Bytes::from(vec![b'x'; 500]);
    write.records.records[0].value = Some(Payload::Shared(0..500));
    let error = rig
        .drive(longshore_pipeline::port::Append::append(&log, write))
        .unwrap_err();
    assert!(
        matches!(error, BrokerError::TooLarge { limit: 400, .. }),
        "{error}"
    );
}

#[test]
fn a_follower_takes_partitions_in_turn_waits_and_seeks() {
    let mut rig = rig();
    let log = rig.log();
    for place in [partition("t", 0), partition("t", 1)] {
        rig.produce(&place, &batch(0, &["first"])).unwrap();
        rig.produce(&place, &batch(0, &["second"])).unwrap();
    }
    let places = vec![(partition("t", 0), 0), (partition("t", 1), 1)];
    let mut follower = rig.drive(log.subscribe(places)).unwrap();
    let next = |follower: &mut longshore_log::Follower| {
        let found = follower.next(1).now_or_never()?.unwrap();
        Some((found.partition.partition, found.records[0].offset))
    };
    assert_eq!(next(&mut follower), Some((0, 0)));
    assert_eq!(next(&mut follower), Some((1, 1)));
    assert_eq!(next(&mut follower), Some((0, 1)));
    assert_eq!(next(&mut follower), None);
    follower.seek(&partition("t", 1), 0);
    assert_eq!(next(&mut follower), Some((1, 0)));
    assert_eq!(next(&mut follower), Some((1, 1)));
    let mut waiting = Box::pin(follower.next(1));
    assert!(waiting.as_mut().now_or_never().is_none());
    rig.produce(&partition("t", 0), &batch(0, &["third"]))
        .unwrap();
    assert_eq!(
        waiting.now_or_never().unwrap().unwrap().records[0].offset,
        2
    );
}

#[test]
fn a_follower_never_goes_on_in_another_topic_of_the_same_name() {
    let mut rig = rig();
    let log = rig.log();
    let place = partition("t", 0);
    rig.produce(&place, &batch(0, &["old"])).unwrap();
    let mut follower = rig.drive(log.subscribe(vec![(place.clone(), 0)])).unwrap();
    assert_eq!(
        follower
            .next(1)
            .now_or_never()
            .unwrap()
            .unwrap()
            .next_offset,
        1
    );
    rig.drive(log.delete_topic(&place.topic)).unwrap();
    rig.create("t", 1, &[]);
    rig.produce(&place, &batch(0, &["new", "newer"])).unwrap();
    let next = follower.next(1).now_or_never().unwrap();
    assert!(
        matches!(next, Err(BrokerError::UnknownPartition(_))),
        "{next:?}"
    );
}
