//! What idempotent producers have written, so that a repeated batch is found out (Kafka's KIP-98).

use std::collections::{BTreeMap, VecDeque};

use bytes::BufMut as _;

use super::PartitionId;
use crate::batch::Fields;
use crate::codec::{Decoder, put_len};
use crate::error::Error;

/// Clients have at most five batches in flight for a partition, so an older repetition is an error of theirs.
const BATCHES_REMEMBERED: usize = 5;

/// More producers than this are not remembered; those that have been silent longest are forgotten.
const PRODUCERS_MAX: usize = 50_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    by_partition: BTreeMap<(PartitionId, i64), Producer>,
    /// When the journal's current file was begun; the only clock that a replay has.
    now_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    batches: VecDeque<Written>,
    seen_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// What a batch's sequence says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// It comes next, or its producer is not idempotent.
    Next,
    /// It was written before, at this offset.
    Duplicate { base_offset: i64 },
}

impl Producers {
    pub(crate) fn check(&self, partition: PartitionId, batch: &Fields) -> Result<Sequence, Error> {
        let producer_id = batch.producer_id;
        let Some(known) = self.by_partition.get(&(partition, producer_id)) else {
            // Nothing to compare with: a new producer, or one whose state expired (KIP-360).
            return Ok(Sequence::Next);
        };
        let got = batch.base_sequence;
        if batch.producer_epoch < known.epoch {
            return Err(Error::FencedEpoch {
                producer_id,
                got: batch.producer_epoch,
                current: known.epoch,
            });
        }
        if batch.producer_epoch > known.epoch {
            return if got == 0 {
                Ok(Sequence::Next)
            } else {
                Err(Error::OutOfOrderSequence {
                    producer_id,
                    got,
                    expected: 0,
                })
            };
        }
        let (first, last) = (got, last_sequence(batch));
        let same = known
            .batches
            .iter()
            .find(|written| written.first_sequence == first && written.last_sequence == last);
        if let Some(Written { base_offset, .. }) = same.copied() {
            return Ok(Sequence::Duplicate { base_offset });
        }
        let expected = known
            .batches
            .back()
            .map_or(0, |written| after(written.last_sequence));
        if got == expected {
            return Ok(Sequence::Next);
        }
        // A sequence before the expected one need not have been written: its batch may have been refused while a later
        // one was taken. Clients count what is called a duplicate as written, so only a remembered batch is one.
        Err(Error::OutOfOrderSequence {
            producer_id,
            got,
            expected,
        })
    }

    pub(super) fn record(&mut self, partition: PartitionId, base_offset: i64, batch: &Fields) {
        let fresh = Producer {
            epoch: batch.producer_epoch,
            batches: VecDeque::new(),
            seen_ms: self.now_ms,
        };
        let producer = self
            .by_partition
            .entry((partition, batch.producer_id))
            .or_insert_with(|| fresh);
        if batch.producer_epoch != producer.epoch {
            producer.epoch = batch.producer_epoch;
            producer.batches.clear();
        }
        producer.seen_ms = self.now_ms;
        if producer.batches.len() == BATCHES_REMEMBERED {
            producer.batches.pop_front();
        }
        let (first_sequence, last_sequence) = (batch.base_sequence, last_sequence(batch));
        producer.batches.push_back(Written {
            first_sequence,
            last_sequence,
            base_offset,
        });
    }

    pub(super) fn forget_partition(&mut self, partition: PartitionId) {
        self.by_partition.retain(|(of, _), _| *of != partition);
    }

    /// Called where a journal file begins: forgets who has been silent for `expiration_ms`, and through the whole last
    /// file, since that file has only one time.
    pub(crate) fn begin_file(&mut self, now_ms: i64, expiration_ms: i64) {
        let last_file = self.now_ms;
        self.by_partition.retain(|_, known| {
            known.seen_ms == last_file || known.seen_ms + expiration_ms > now_ms
        });
        while self.by_partition.len() > PRODUCERS_MAX {
            let oldest = self
                .by_partition
                .values()
                .map(|known| known.seen_ms)
                .min()
                .expect("there are producers");
            let mut surplus = self.by_partition.len() - PRODUCERS_MAX;
            self.by_partition.retain(|_, known| {
                let forget = known.seen_ms == oldest && surplus > 0;
                surplus -= usize::from(forget);
                !forget
            });
        }
        self.now_ms = now_ms.max(last_file);
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.put_i64_le(self.now_ms);
        put_len(out, self.by_partition.len());
        for ((partition, producer_id), known) in &self.by_partition {
            out.put_u32_le(*partition);
            out.put_i64_le(*producer_id);
            out.put_u16_le(known.epoch.cast_unsigned());
            out.put_i64_le(known.seen_ms);
            put_len(out, known.batches.len());
            for written in &known.batches {
                out.put_i32_le(written.first_sequence);
                out.put_i32_le(written.last_sequence);
                out.put_i64_le(written.base_offset);
            }
        }
    }

    pub(super) fn decode(from: &mut Decoder) -> Option<Self> {
        let now_ms = from.i64()?;
        let known = from.list(|from| {
            let key = (from.u32()?, from.i64()?);
            let epoch = from.u16()?.cast_signed();
            let seen_ms = from.i64()?;
            let batches = from.list(|from| {
                let (first_sequence, last_sequence) =
                    (from.u32()?.cast_signed(), from.u32()?.cast_signed());
                Some(Written {
                    first_sequence,
                    last_sequence,
                    base_offset: from.i64()?,
                })
            })?;
            Some((
                key,
                Producer {
                    epoch,
                    batches: batches.into(),
                    seen_ms,
                },
            ))
        })?;
        Some(Self {
            by_partition: known.into_iter().collect(),
            now_ms,
        })
    }
}

fn last_sequence(batch: &Fields) -> i32 {
    batch.base_sequence.wrapping_add(batch.last_offset_delta) & i32::MAX
}

fn after(sequence: i32) -> i32 {
    sequence.wrapping_add(1) & i32::MAX
}
