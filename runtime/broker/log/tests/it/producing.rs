//! Batches of outside producers.

use bytes::Bytes;
use futures_util::FutureExt as _;
use longshore_disk::Loss;
use longshore_log::{BatchError, Error, Flush, LogConfig};

use crate::rig::{Rig, batch, partition, resealed, sequenced, small};

fn rig() -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("t", 1, &[("max.message.bytes", "500")]);
    rig
}

#[test]
fn batches_are_stored_byte_for_byte_with_offsets_assigned() {
    let mut rig = rig();
    let place = partition("t", 0);
    let (first, second) = (batch(1, &["a", "b"]), batch(2, &["c"]));
    assert_eq!(rig.produce(&place, &first).unwrap().base_offset, 0);
    assert_eq!(rig.produce(&place, &second).unwrap().base_offset, 2);
    let log = rig.log();
    let found = rig.drive(log.fetch(&place, 0, 10_000)).unwrap();
    assert_eq!(found.high_watermark, 3);
    let expected = [
        first.bytes().as_ref(),
        &2_i64.to_be_bytes(),
        &second.bytes()[8..],
    ]
    .concat();
    assert_eq!(found.batches, expected);
}

#[test]
fn malformed_foreign_and_oversized_batches_are_refused_by_name() {
    let mut rig = rig();
    let place = partition("t", 0);
    let log = rig.log();
    let mut produce = |place: &_, bytes: Bytes| {
        let produced = rig.drive(async { log.produce(place, bytes).await?.await });
        produced.unwrap_err()
    };
    let good = batch(1, &["a"]).bytes().clone();
    let mut damaged = good.to_vec();
    damaged[65] ^= 1;
    let twice = [good.clone(), good.clone()].concat();
    assert!(matches!(
        produce(&place, damaged.into()),
        Error::InvalidBatch(BatchError::Checksum)
    ));
    assert!(matches!(
        produce(&place, good.slice(..50)),
        Error::InvalidBatch(BatchError::Truncated)
    ));
    assert!(matches!(
        produce(&place, twice.into()),
        Error::InvalidBatch(BatchError::Several)
    ));
    assert!(matches!(
        produce(&partition("t", 1), good.clone()),
        Error::UnknownPartition(_)
    ));
    assert!(matches!(
        produce(&partition("u", 0), good.clone()),
        Error::UnknownTopic(_)
    ));
    assert!(matches!(
        produce(&partition("_schemas", 0), good),
        Error::InternalTopic(_)
    ));
    let large = batch(1, &[&"x".repeat(600)]).bytes().clone();
    assert!(matches!(
        produce(&place, large),
        Error::BatchTooLarge { max: 500, .. }
    ));
}

/// One such batch in a partition would stop every reader of it.
#[test]
fn a_batch_whose_records_cannot_be_read_is_refused() {
    let mut rig = rig();
    let place = partition("t", 0);
    let good = batch(1, &["a", "b"]);
    let mut changed = |at: usize, to: u8| {
        let mut bytes = good.bytes().to_vec();
        bytes[at] = to;
        rig.produce(&place, &resealed(bytes)).unwrap_err()
    };
    // The codec, the length of the first record, the offset of the first record.
    for (at, to, expected) in [
        (22, 4, BatchError::Decompress),
        (61, 80, BatchError::Record),
        (64, 2, BatchError::Counts),
    ] {
        let refused = changed(at, to);
        assert!(
            matches!(refused, Error::InvalidBatch(error) if error == expected),
            "{at}: {refused}"
        );
    }
    assert_eq!(rig.log().bounds(&place).unwrap(), (0, 0));
    assert_eq!(rig.produce(&place, &good).unwrap().base_offset, 0);
}

#[test]
fn a_repeated_batch_gets_its_first_offset_even_after_a_crash() {
    let mut rig = rig();
    let place = partition("t", 0);
    let log = rig.log();
    let id = rig.drive(log.init_producer_id()).unwrap().id;
    for sequence in 0..7 {
        rig.produce(
            &place,
            &sequenced(&batch(1, &[&sequence.to_string()]), id, 0, sequence),
        )
        .unwrap();
    }
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    let again = sequenced(&batch(1, &["5"]), id, 0, 5);
    assert_eq!(rig.produce(&place, &again).unwrap().base_offset, 5);
    let gap = sequenced(&batch(1, &["9"]), id, 0, 9);
    assert!(matches!(
        rig.produce(&place, &gap),
        Err(Error::OutOfOrderSequence { expected: 7, .. })
    ));
    assert_eq!(rig.values(&place), ["0", "1", "2", "3", "4", "5", "6"]);
}

/// Of a producer's first two batches the log has room for the second only. Called a duplicate, the first would be lost.
#[test]
fn the_retry_of_a_refused_batch_is_no_duplicate_of_a_later_one() {
    let mut rig = rig();
    let place = partition("t", 0);
    let log = rig.log();
    let id = rig.drive(log.init_producer_id()).unwrap().id;
    let first = sequenced(&batch(1, &["first"]), id, 0, 0);
    let second = sequenced(&batch(1, &["second"]), id, 0, 1);
    rig.disk.set_quota(rig.disk.bytes_used() + 50);
    assert!(matches!(rig.produce(&place, &first), Err(Error::DiskFull)));
    rig.disk.set_quota(u64::MAX);
    assert_eq!(rig.produce(&place, &second).unwrap().base_offset, 0);
    assert!(matches!(
        rig.produce(&place, &first),
        Err(Error::OutOfOrderSequence {
            got: 0,
            expected: 2,
            ..
        })
    ));
    assert_eq!(rig.produce(&place, &second).unwrap().base_offset, 0);
    let again = sequenced(&batch(1, &["first"]), id, 1, 0);
    assert_eq!(rig.produce(&place, &again).unwrap().base_offset, 1);
    assert_eq!(rig.values(&place), ["second", "first"]);
}

#[test]
fn producer_state_survives_the_files_it_was_written_in() {
    let mut rig = rig();
    let place = partition("t", 0);
    let log = rig.log();
    let id = rig.drive(log.init_producer_id()).unwrap().id;
    for sequence in 0..60 {
        rig.produce(
            &place,
            &sequenced(&batch(1, &["some longer value"]), id, 0, sequence),
        )
        .unwrap();
    }
    rig.store = longshore_log::MemoryStore::default();
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    assert_eq!(
        rig.produce(&place, &sequenced(&batch(1, &["x"]), id, 0, 58))
            .unwrap()
            .base_offset,
        58
    );
    assert_eq!(
        rig.produce(&place, &sequenced(&batch(1, &["x"]), id, 0, 60))
            .unwrap()
            .base_offset,
        60
    );
}

#[test]
fn producer_ids_are_never_handed_out_twice() {
    let mut rig = rig();
    let mut last = -1;
    for _ in 0..5 {
        let log = rig.log();
        let id = rig.drive(log.init_producer_id()).unwrap().id;
        assert!(id > last);
        last = id;
        rig.crash(Loss::Everything);
        rig.open().unwrap();
    }
}

#[test]
fn interval_answers_before_the_sync_and_readers_see_it_behind() {
    let config = LogConfig {
        flush: Flush::Interval(std::time::Duration::from_millis(100)),
        ..small()
    };
    let mut rig = Rig::new(1, config);
    rig.create("t", 1, &[]);
    let place = partition("t", 0);
    let syncs = rig.disk.counters().syncs;
    rig.produce(&place, &batch(1, &["a"])).unwrap();
    assert_eq!(
        (rig.disk.counters().syncs, rig.values(&place)),
        (syncs, Vec::new())
    );
    rig.parts.as_mut().unwrap().committer.sync_written();
    assert_eq!(
        (rig.disk.counters().syncs, rig.values(&place)),
        (syncs + 1, vec!["a".to_owned()])
    );
}

#[test]
fn a_producer_waits_while_the_queue_is_full() {
    let config = LogConfig {
        queue_bytes_max: 2048,
        ..small()
    };
    let mut rig = Rig::new(1, config);
    rig.create("t", 1, &[]);
    let (log, place, bytes) = (
        rig.log(),
        partition("t", 0),
        batch(1, &[&"x".repeat(900)]).bytes().clone(),
    );
    let first = log
        .produce(&place, bytes.clone())
        .now_or_never()
        .unwrap()
        .unwrap();
    let second = log
        .produce(&place, bytes.clone())
        .now_or_never()
        .unwrap()
        .unwrap();
    let mut third = Box::pin(log.produce(&place, bytes));
    assert!(third.as_mut().now_or_never().is_none());
    rig.commit();
    first.now_or_never().unwrap().unwrap();
    second.now_or_never().unwrap().unwrap();
    let third = third.now_or_never().unwrap().unwrap();
    rig.commit();
    assert_eq!(third.now_or_never().unwrap().unwrap().base_offset, 2);
}
