//! Reads batches back, up to the last synced offset.

use bytes::Bytes;

use crate::error::Error;
use crate::index::{Entry, EntryKey, Place};
use crate::shared::{Shared, retry_moved};
use crate::state::{Partition, PartitionId};
use crate::topics::{Fetched, ListedOffset, OffsetSpec};
use crate::view::View;

/// How many batches of one partition are asked of the disk at a time. They lie apart, and a disk that is asked for one
/// after the other gives a third of what it gives for sixteen.
const READS_AHEAD: usize = 16;
/// How many entries are looked up at a time.
const CHUNK: usize = 64;

/// How much a fetch may return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// All batches together, unless the first alone is larger.
    pub(crate) bytes: usize,
    /// The first batch.
    pub(crate) first_bytes: usize,
}

pub(crate) fn fetch(
    shared: &Shared,
    id: PartitionId,
    offset: i64,
    limits: Limits,
) -> Result<Option<Fetched>, Error> {
    retry_moved(|| {
        let view = shared.view();
        let Some(&partition) = view.state.partitions.get(&id) else {
            return Ok(None);
        };
        let Partition {
            log_start,
            next_offset: high_watermark,
            ..
        } = partition;
        if offset < log_start || offset > high_watermark {
            return Err(Error::OffsetOutOfRange {
                requested: offset,
                log_start,
                high_watermark,
            });
        }
        let found = collect(&view, id, offset, limits)?;
        let newest = view.end.file;
        drop(view);
        let batches = read(shared, &found, newest)?;
        Ok(Some(Fetched {
            batches,
            left_out: found.left_out,
            high_watermark,
            log_start,
        }))
    })
}

/// Places to read now, and behind them those that are read next.
#[derive(Default)]
struct Found {
    places: Vec<Place>,
    n_now: usize,
    /// The size of the first batch, where it is over the limit and nothing was found therefore.
    left_out: Option<usize>,
}

fn collect(view: &View, id: PartitionId, offset: i64, limits: Limits) -> Result<Found, Error> {
    let holds = view
        .index
        .floor(id, offset)?
        .filter(|(_, entry)| entry.last_offset >= offset);
    let mut from = holds.map_or(offset, |(key, _)| key.offset);
    let mut found = Found::default();
    let mut bytes = 0;
    loop {
        let entries = view.index.scan(id, from, i64::MAX, CHUNK)?;
        let Some((last, _)) = entries.last() else {
            return Ok(found);
        };
        from = last.offset + 1;
        let more = entries.len() == CHUNK;
        for (_, Entry { place, .. }) in entries {
            let len = place.len as usize;
            let Found { places, n_now, .. } = &mut found;
            if *n_now == 0 && len > limits.first_bytes {
                found.left_out = Some(len);
                return Ok(found);
            }
            if *n_now == places.len() && (*n_now == 0 || bytes + len <= limits.bytes) {
                bytes += len;
                *n_now += 1;
            } else if places.len() == *n_now + READS_AHEAD {
                return Ok(found);
            }
            places.push(place);
        }
        if !more {
            return Ok(found);
        }
    }
}

fn read(shared: &Shared, found: &Found, newest: u32) -> Result<Bytes, Error> {
    // What was just written is in memory still.
    let cold = found
        .places
        .first()
        .is_some_and(|first| first.file != newest);
    if cold {
        shared.read_ahead(&found.places);
    }
    shared.read(&found.places[..found.n_now])
}

pub(crate) fn list_offset(
    shared: &Shared,
    id: PartitionId,
    spec: OffsetSpec,
) -> Result<Option<ListedOffset>, Error> {
    let Some(&partition) = shared.view().state.partitions.get(&id) else {
        return Ok(None);
    };
    match spec {
        OffsetSpec::Earliest => Ok(Some(ListedOffset {
            offset: partition.log_start,
            timestamp: -1,
        })),
        OffsetSpec::Latest => Ok(Some(ListedOffset {
            offset: partition.next_offset,
            timestamp: -1,
        })),
        OffsetSpec::Timestamp(wanted) => {
            let first = find(
                shared,
                id,
                partition.log_start,
                |entry, _| entry.max_timestamp >= wanted,
                true,
            )?;
            first.map_or(Ok(None), |(key, _)| {
                record(shared, key, |timestamp| timestamp >= wanted)
            })
        }
        OffsetSpec::MaxTimestamp => {
            let newer = |entry: &Entry, best: Option<&Entry>| {
                best.is_none_or(|best| entry.max_timestamp > best.max_timestamp)
            };
            let best = find(shared, id, partition.log_start, newer, false)?;
            best.map_or(Ok(None), |(key, entry)| {
                record(shared, key, |timestamp| timestamp == entry.max_timestamp)
            })
        }
    }
}

/// The first or last entry that `better` prefers to the one before. Readers and the committer go on in between.
fn find(
    shared: &Shared,
    id: PartitionId,
    mut from: i64,
    better: impl Fn(&Entry, Option<&Entry>) -> bool,
    first: bool,
) -> Result<Option<(EntryKey, Entry)>, Error> {
    let mut best: Option<(EntryKey, Entry)> = None;
    loop {
        let entries = shared.view().index.scan(id, from, i64::MAX, CHUNK)?;
        let Some((last, _)) = entries.last() else {
            return Ok(best);
        };
        from = last.offset + 1;
        for (key, entry) in entries {
            if better(&entry, best.as_ref().map(|(_, entry)| entry)) {
                best = Some((key, entry));
                if first {
                    return Ok(best);
                }
            }
        }
    }
}

/// The first record of a batch whose timestamp fits.
fn record(
    shared: &Shared,
    key: EntryKey,
    fits: impl Fn(i64) -> bool,
) -> Result<Option<ListedOffset>, Error> {
    retry_moved(|| {
        let Some(entry) = shared.view().index.get(key)? else {
            return Ok(None);
        };
        let mut records = shared.read_batch(entry.place)?.records()?;
        let found = records.find_map(|record| match record {
            Ok(record) if fits(record.timestamp) => Some(Ok(record)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        let found = found.transpose()?;
        Ok(found.map(|record| ListedOffset {
            offset: record.offset,
            timestamp: record.timestamp,
        }))
    })
}
