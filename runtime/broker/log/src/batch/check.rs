//! Walks the records of a batch that comes from outside, and keeps nothing of them: what is stored must be readable to
//! its end, or it would stop every reader of its partition for ever.

use std::io::{self, BufRead, BufReader, Read as _};

use bytes::Bytes;

use super::{Fields, HEADER_BYTES, compression};
use crate::error::BatchError;

/// Lengths, counts and offsets have 32 bits, and clients take no more bytes for one.
const INT_BYTES: u32 = 5;
const LONG_BYTES: u32 = 10;

/// Checks that there are as many records as the header says, each well-formed and with the offset of its place, and
/// that nothing follows them.
pub(super) fn check(batch: &Bytes, fields: &Fields) -> Result<(), BatchError> {
    let body = batch.slice(HEADER_BYTES..);
    if !compression::compressed(fields.attributes) {
        return walk(&mut &body[..], fields.n_records);
    }
    let plain = compression::reader(fields.attributes, body)?;
    // With a byte more than is allowed, it shows whether there is more than is allowed.
    let limit = compression::DECOMPRESSED_BYTES_MAX as u64 + 1;
    let mut plain = BufReader::new(plain.take(limit));
    let walked = walk(&mut plain, fields.n_records);
    if plain.get_ref().limit() == 0 {
        Err(BatchError::Decompress)
    } else {
        walked
    }
}

fn walk(from: &mut impl BufRead, n_records: i32) -> Result<(), BatchError> {
    for index in 0..i64::from(n_records) {
        if is_at_end(from)? {
            return Err(BatchError::Counts);
        }
        record(from, index)?;
    }
    if is_at_end(from)? {
        Ok(())
    } else {
        Err(BatchError::Counts)
    }
}

fn is_at_end(from: &mut impl BufRead) -> Result<bool, BatchError> {
    Ok(from.fill_buf().map_err(undecodable)?.is_empty())
}

fn record(from: &mut impl BufRead, index: i64) -> Result<(), BatchError> {
    let left = u64::from(INT_BYTES);
    let len = Part { from, left }.varint(INT_BYTES)?;
    let left = u64::try_from(len).map_err(|_| BatchError::Record)?;
    let mut record = Part { from, left };
    record.skip(1)?;
    record.varint(LONG_BYTES)?;
    if record.varint(INT_BYTES)? != index {
        return Err(BatchError::Counts);
    }
    record.nullable()?;
    record.nullable()?;
    let n_headers = record.varint(INT_BYTES)?;
    if n_headers < 0 {
        return Err(BatchError::Record);
    }
    // A false count meets the end of the record soon.
    for _ in 0..n_headers {
        let name_len = record.varint(INT_BYTES)?;
        record.skip(u64::try_from(name_len).map_err(|_| BatchError::Record)?)?;
        record.nullable()?;
    }
    if record.left == 0 {
        Ok(())
    } else {
        Err(BatchError::Record)
    }
}

/// So many bytes that belong together.
struct Part<'a, R> {
    from: &'a mut R,
    left: u64,
}

impl<R: BufRead> Part<'_, R> {
    /// A number of at most `bytes_max` bytes.
    fn varint(&mut self, bytes_max: u32) -> Result<i64, BatchError> {
        let mut value = 0_u64;
        for n in 0..bytes_max {
            let bytes = self.from.fill_buf().map_err(undecodable)?;
            let byte = *bytes.first().ok_or(BatchError::Record)?;
            self.from.consume(1);
            self.left = self.left.checked_sub(1).ok_or(BatchError::Record)?;
            value |= u64::from(byte & 0x7f) << (7 * n);
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(BatchError::Record)
    }

    /// A part with its length before it, or null.
    fn nullable(&mut self) -> Result<(), BatchError> {
        match self.varint(INT_BYTES)? {
            -1 => Ok(()),
            len => self.skip(u64::try_from(len).map_err(|_| BatchError::Record)?),
        }
    }

    fn skip(&mut self, len: u64) -> Result<(), BatchError> {
        self.left = self.left.checked_sub(len).ok_or(BatchError::Record)?;
        let mut len = usize::try_from(len).map_err(|_| BatchError::Record)?;
        while len > 0 {
            let there = self.from.fill_buf().map_err(undecodable)?.len();
            if there == 0 {
                return Err(BatchError::Record);
            }
            let n = there.min(len);
            self.from.consume(n);
            len -= n;
        }
        Ok(())
    }
}

/// Only a decoder fails here: plain bytes are in memory.
fn undecodable(_: io::Error) -> BatchError {
    BatchError::Decompress
}
