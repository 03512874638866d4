//! Records on their way: out to a broker, and in from one. Bytes are shared with the buffer they
//! arrived in wherever nothing changed them.

use std::ops::Range;

use bytes::Bytes;
use longshore_model::TopicPartition;

/// A key, a value or a header's value as a topic stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A part of the buffer that the records arrived in.
    Shared(Range<u32>),
    /// A part of what the converters wrote.
    Written(Range<usize>),
    /// Bytes of its own.
    Owned(Bytes),
}

/// A record on its way to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingRecord {
    /// Index into [`Outgoing::partitions`].
    pub partition: u32,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The key; `None` is null.
    pub key: Option<Payload>,
    /// The value; `None` is null.
    pub value: Option<Payload>,
    /// Headers in order; names may repeat.
    pub headers: Vec<(String, Option<Payload>)>,
}

/// Head of a batch, and of the one record in it: lengths, deltas and a count, each as long as it can be.
const OVERHEAD_BYTES: usize = 61 + 36;
/// Lengths of a header's name and value.
const HEADER_OVERHEAD_BYTES: usize = 10;

impl OutgoingRecord {
    /// What a batch of this record alone takes at the most, which is what topics limit; `size` is a payload's.
    pub fn bytes_max(&self, size: impl Fn(&Payload) -> usize) -> usize {
        let size = |payload: &Option<Payload>| payload.as_ref().map_or(0, &size);
        let headers = self.headers.iter();
        let headers = headers.map(|(name, v)| name.len() + size(v) + HEADER_OVERHEAD_BYTES);
        OVERHEAD_BYTES + size(&self.key) + size(&self.value) + headers.sum::<usize>()
    }

    /// The same of a record that shares no buffer.
    pub(crate) fn owned_bytes_max(&self) -> usize {
        self.bytes_max(|payload| match payload {
            Payload::Owned(bytes) => bytes.len(),
            Payload::Shared(range) => range.len(),
            Payload::Written(range) => range.len(),
        })
    }
}

/// Records on their way to topics, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// What [`Payload::Shared`] points into.
    pub buffer: Bytes,
    /// What [`Payload::Written`] points into.
    pub written: Vec<u8>,
    /// Where records go.
    pub partitions: Vec<TopicPartition>,
    /// The records.
    pub records: Vec<OutgoingRecord>,
}

impl Outgoing {
    /// The bytes of a payload.
    #[must_use]
    pub fn bytes<'a>(&'a self, payload: &'a Payload) -> &'a [u8] {
        match payload {
            Payload::Shared(range) => &self.buffer[range.start as usize..range.end as usize],
            Payload::Written(range) => &self.written[range.clone()],
            Payload::Owned(bytes) => bytes,
        }
    }
}

/// A record of a topic. Ranges point into [`Fetched::buffer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedRecord {
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since 1970; `None` where the producer gave none.
    pub timestamp_ms: Option<i64>,
    /// The key; `None` is null.
    pub key: Option<Range<u32>>,
    /// The value; `None` is null.
    pub value: Option<Range<u32>>,
    /// Headers in order; names may repeat.
    pub headers: Vec<(String, Option<Range<u32>>)>,
}

/// Records of one partition, in order of their offsets, which may have gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where they came from.
    pub partition: TopicPartition,
    /// What ranges point into.
    pub buffer: Bytes,
    /// The records.
    pub records: Vec<FetchedRecord>,
    /// Where to read on.
    pub next_offset: i64,
}

impl Fetched {
    /// The bytes of a range.
    #[must_use]
    pub fn bytes(&self, range: &Range<u32>) -> &[u8] {
        &self.buffer[range.start as usize..range.end as usize]
    }
}
