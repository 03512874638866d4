//! Reads the records of a batch without copying what is not compressed.

use bytes::{Buf as _, Bytes};

use super::{Fields, HEADER_BYTES, compression};
use crate::error::BatchError;

/// A record as it stands in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its offset.
    pub offset: i64,
    /// Its time in milliseconds since 1970.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value; none is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers, in order, names repeated as written.
    pub headers: Vec<Header>,
}

/// A header of a record: its name, and its value unless null.
pub type Header = (Bytes, Option<Bytes>);

/// The records of one batch. Ends after the first malformed one.
#[derive(Clone, Debug)]
pub struct Records {
    rest: Bytes,
    left: i32,
    base_offset: i64,
    base_timestamp: i64,
}

impl Records {
    pub(super) fn of(batch: &Bytes, fields: &Fields) -> Result<Self, BatchError> {
        let rest = compression::decompress(fields.attributes, batch.slice(HEADER_BYTES..))?;
        Ok(Self {
            rest,
            left: fields.n_records,
            base_offset: fields.base_offset,
            base_timestamp: fields.base_timestamp,
        })
    }

    fn read(&mut self) -> Option<Record> {
        let len = usize::try_from(varint(&mut self.rest)?).ok()?;
        if len > self.rest.len() {
            return None;
        }
        let mut record = self.rest.split_to(len);
        if record.is_empty() {
            return None;
        }
        record.advance(1);
        let timestamp = self.base_timestamp.wrapping_add(varint(&mut record)?);
        let offset = self.base_offset.wrapping_add(varint(&mut record)?);
        let key = sized(&mut record)?;
        let value = sized(&mut record)?;
        let n_headers = usize::try_from(varint(&mut record)?).ok()?;
        // A header takes two bytes at least, so a false count cannot reserve more than the record's own size.
        if n_headers > record.len() / 2 {
            return None;
        }
        let mut headers = Vec::with_capacity(n_headers);
        for _ in 0..n_headers {
            let name = sized(&mut record)??;
            headers.push((name, sized(&mut record)?));
        }
        record.is_empty().then_some(Record {
            offset,
            timestamp,
            key,
            value,
            headers,
        })
    }
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let record = self.read();
        if record.is_none() {
            self.left = 0;
        }
        Some(record.ok_or(BatchError::Record))
    }
}

fn varint(bytes: &mut Bytes) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = bytes.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

/// A part with its length before it; the outer `None` means malformed, the inner null.
#[expect(
    clippy::option_option,
    reason = "malformed and null are different answers"
)]
fn sized(bytes: &mut Bytes) -> Option<Option<Bytes>> {
    match varint(bytes)? {
        -1 => Some(None),
        len => {
            let len = usize::try_from(len)
                .ok()
                .filter(|len| *len <= bytes.len())?;
            Some(Some(bytes.split_to(len)))
        }
    }
}
