//! Fetching and ListOffsets.

use longshore_log::{Error, ListedOffset, OffsetSpec};

use crate::rig::{Rig, batch, partition, small};

fn rig() -> Rig {
    let mut rig = Rig::new(1, small());
    rig.create("t", 1, &[]);
    for (i, timestamp) in [10, 20, 15, 40, 30].into_iter().enumerate() {
        let values = [format!("{i}a"), format!("{i}b")];
        rig.produce(
            &partition("t", 0),
            &batch(timestamp, &[&values[0], &values[1]]),
        )
        .unwrap();
    }
    rig
}

#[test]
fn a_fetch_begins_with_the_batch_that_holds_the_offset_and_has_one_at_least() {
    let mut rig = rig();
    let (log, place) = (rig.log(), partition("t", 0));
    let mut offsets = |offset, max_bytes| {
        let found = rig.drive(log.fetch(&place, offset, max_bytes)).unwrap();
        let mut batches = &found.batches[..];
        let mut offsets = Vec::new();
        while let Some(base) = batches.first_chunk::<8>() {
            offsets.push(i64::from_be_bytes(*base));
            let len = u32::from_be_bytes(batches[8..12].try_into().unwrap());
            batches = &batches[12 + len as usize..];
        }
        offsets
    };
    assert_eq!(offsets(3, 1), [2]);
    assert_eq!(offsets(3, 1 << 20), [2, 4, 6, 8]);
    assert_eq!(offsets(10, 1 << 20), [0_i64; 0]);
}

#[test]
fn a_first_batch_over_the_readers_limit_is_left_out_with_its_size() {
    let mut rig = rig();
    let (log, place) = (rig.log(), partition("t", 0));
    let size = rig.drive(log.fetch(&place, 3, 1)).unwrap().batches.len();
    let mut within = |max_bytes, first_bytes_max| {
        let found = rig.drive(log.fetch_within(&place, 3, max_bytes, first_bytes_max));
        let found = found.unwrap();
        (found.batches.len(), found.left_out, found.high_watermark)
    };
    assert_eq!(within(1, size), (size, None, 10));
    assert_eq!(within(2 * size, size), (2 * size, None, 10));
    assert_eq!(within(1 << 20, size - 1), (0, Some(size), 10));
}

#[test]
fn an_offset_out_of_range_tells_both_bounds() {
    let mut rig = rig();
    let (log, place) = (rig.log(), partition("t", 0));
    for requested in [-1, 11] {
        let error = rig.drive(log.fetch(&place, requested, 1)).unwrap_err();
        assert!(
            matches!(
                error,
                Error::OffsetOutOfRange {
                    log_start: 0,
                    high_watermark: 10,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn offsets_are_found_by_time_to_the_record() {
    let mut rig = rig();
    let (log, place) = (rig.log(), partition("t", 0));
    let mut list = |spec| {
        let found: Option<ListedOffset> = rig.drive(log.list_offset(&place, spec)).unwrap();
        found.map(|found| (found.offset, found.timestamp))
    };
    assert_eq!(list(OffsetSpec::Earliest), Some((0, -1)));
    assert_eq!(list(OffsetSpec::Latest), Some((10, -1)));
    assert_eq!(list(OffsetSpec::Timestamp(0)), Some((0, 10)));
    assert_eq!(list(OffsetSpec::Timestamp(11)), Some((2, 20)));
    assert_eq!(list(OffsetSpec::Timestamp(25)), Some((6, 40)));
    assert_eq!(list(OffsetSpec::Timestamp(41)), None);
    assert_eq!(list(OffsetSpec::MaxTimestamp), Some((6, 40)));
}

#[test]
fn a_change_between_looking_and_waiting_is_not_missed() {
    let mut rig = rig();
    let (log, place) = (rig.log(), partition("t", 0));
    let mut changes = log.changes();
    assert_eq!(log.bounds(&place).unwrap().1, 10);
    rig.produce(&place, &batch(1, &["x"])).unwrap();
    rig.drive(changes.changed()).unwrap();
    assert_eq!(log.bounds(&place).unwrap().1, 11);
}
