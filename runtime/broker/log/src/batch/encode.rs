//! Writes v2 batches, uncompressed.

use bytes::{BufMut as _, Bytes};

use super::{Batch, CHECKED_FROM, Fields, HEADER_BYTES, UNCOUNTED_BYTES};

/// Collects records into one batch.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    base_timestamp: i64,
    max_timestamp: i64,
    n_records: i32,
}

impl BatchBuilder {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with room for records of so many bytes, so that it does not grow while it is filled.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(HEADER_BYTES + bytes),
            ..Self::default()
        }
    }

    /// Appends a record. `headers` may repeat names; `None` is Kafka's null.
    pub fn push<'a>(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl ExactSizeIterator<Item = (&'a str, Option<&'a [u8]>)> + Clone,
    ) {
        if self.n_records == 0 {
            self.bytes.resize(HEADER_BYTES, 0);
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.n_records);

        let headers_len = headers
            .clone()
            .map(|(name, value)| sized_len(Some(name.as_bytes())) + sized_len(value));
        let len = 1
            + varint_len(timestamp_delta)
            + varint_len(offset_delta)
            + sized_len(key)
            + sized_len(value)
            + varint_len(count(headers.len()))
            + headers_len.sum::<usize>();
        put_varint(&mut self.bytes, count(len));
        self.bytes.put_u8(0);
        put_varint(&mut self.bytes, timestamp_delta);
        put_varint(&mut self.bytes, offset_delta);
        put_sized(&mut self.bytes, key);
        put_sized(&mut self.bytes, value);
        put_varint(&mut self.bytes, count(headers.len()));
        for (name, value) in headers {
            put_sized(&mut self.bytes, Some(name.as_bytes()));
            put_sized(&mut self.bytes, value);
        }
        self.n_records += 1;
    }

    /// How many bytes the batch would have now.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The batch, or nothing when no record was pushed.
    #[must_use]
    pub fn finish(mut self) -> Option<Batch> {
        if self.n_records == 0 {
            return None;
        }
        let fields = Fields {
            base_offset: 0,
            last_offset_delta: self.n_records - 1,
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            n_records: self.n_records,
            attributes: 0,
        };
        let len =
            i32::try_from(self.bytes.len() - UNCOUNTED_BYTES).expect("a batch is far below 2 GiB");
        let mut header = &mut self.bytes[..HEADER_BYTES];
        header.put_i64(fields.base_offset);
        header.put_i32(len);
        header.put_i32(-1);
        header.put_i8(2);
        header.put_u32(0);
        header.put_i16(fields.attributes);
        header.put_i32(fields.last_offset_delta);
        header.put_i64(fields.base_timestamp);
        header.put_i64(fields.max_timestamp);
        header.put_i64(fields.producer_id);
        header.put_i16(fields.producer_epoch);
        header.put_i32(fields.base_sequence);
        header.put_i32(fields.n_records);
        let crc = crc32c::crc32c(&self.bytes[CHECKED_FROM..]);
        self.bytes[17..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
        Some(Batch {
            bytes: Bytes::from(self.bytes),
            fields,
        })
    }
}

/// A batch of one record, as internal topics take them.
pub(crate) fn keyed(
    timestamp: i64,
    key: &[u8],
    value: Option<&[u8]>,
    headers: &[(String, Bytes)],
) -> Batch {
    let mut builder = BatchBuilder::new();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), Some(&value[..])));
    builder.push(timestamp, Some(key), value, headers);
    builder.finish().expect("a record was pushed")
}

fn count(n: usize) -> i64 {
    i64::try_from(n).expect("a record is far below 2 GiB")
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn varint_len(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

fn put_varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
}

fn sized_len(part: Option<&[u8]>) -> usize {
    part.map_or(1, |part| varint_len(count(part.len())) + part.len())
}

fn put_sized(bytes: &mut Vec<u8>, part: Option<&[u8]>) {
    match part {
        None => put_varint(bytes, -1),
        Some(part) => {
            put_varint(bytes, count(part.len()));
            bytes.extend_from_slice(part);
        }
    }
}
