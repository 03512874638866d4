//! Numbers of the layout, and the checked reading that every access goes through.

use alloc::string::ToString;
use core::ops::Range;

use crate::{Fault, FaultClass};

/// Largest batch of many rows, in bytes.
pub const BATCH_BYTES_MAX: usize = 8 << 20;

/// Largest batch of at most [`LARGE_BATCH_ROWS_MAX`] rows, in bytes: a value of 64 MiB and half as much again for the
/// rest of its record. A guest holds it twice within its 256 MiB, as what it was given and as what it makes of it, or
/// beside a message of the outside system of 128 MiB.
pub const LARGE_BATCH_BYTES_MAX: usize = 96 << 20;

/// Rows that a batch over [`BATCH_BYTES_MAX`] may have: one change of an outside system is one batch, and a changed key
/// makes a delete, a tombstone and a create of it.
pub const LARGE_BATCH_ROWS_MAX: usize = 4;

pub(super) const MAGIC: u32 = u32::from_le_bytes(*b"LSB\x01");
pub(super) const HEADER_BYTES: usize = 24;
pub(super) const ROW_FIXED_BYTES: usize = 60;
pub(super) const ROW_HEADER_FIXED_BYTES: usize = 12;
pub(super) const NONE: u16 = u16::MAX;
pub(super) const NO_TIMESTAMP: i64 = i64::MIN;

pub(super) const KIND_NULL: u8 = 0;
pub(super) const KIND_BYTES: u8 = 1;
pub(super) const KIND_TEXT: u8 = 2;
pub(super) const KIND_JSON: u8 = 3;
pub(super) const KIND_AVRO: u8 = 4;

pub(super) const SECTION_TOPICS: u16 = 1;
pub(super) const SECTION_SOURCES: u16 = 2;
pub(super) const SECTION_HEADER_NAMES: u16 = 3;
pub(super) const SECTION_POSITIONS: u16 = 4;
pub(super) const SECTION_FAULTS: u16 = 5;

/// Why bytes are not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Larger than [`BATCH_BYTES_MAX`], or [`LARGE_BATCH_BYTES_MAX`] with few rows, or than a writer's counters can say.
    #[error("batch of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// The batch's size.
        bytes: usize,
        /// The limit it broke.
        limit: usize,
    },
    /// The first four bytes are not the magic, or the version is not one we read.
    #[error("not a version 1 batch: it begins with {0:08x}")]
    Magic(u32),
    /// A length reaches past the end of what holds it.
    #[error("{what} at byte {at} reaches past its end")]
    Truncated {
        /// The part that does not fit.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A field has a value that the layout does not know.
    #[error("{what} is {value}, which the layout does not know")]
    Field {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// An index points past its table, or is missing where one is needed.
    #[error("{what} {index} is not in its table of {len}")]
    Index {
        /// The table.
        what: &'static str,
        /// The index.
        index: u16,
        /// The table's size.
        len: usize,
    },
    /// Text is not UTF-8.
    #[error("{what} at byte {at} is not UTF-8")]
    Utf8 {
        /// The text.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// Two positions for one source partition.
    #[error("two positions for source partition {0}")]
    TwoPositions(u16),
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::new(FaultClass::Fatal, "malformed-batch", malformed.to_string())
    }
}

/// How large a batch of so many rows may be.
pub(super) const fn bytes_max(rows: usize) -> usize {
    if rows <= LARGE_BATCH_ROWS_MAX {
        LARGE_BATCH_BYTES_MAX
    } else {
        BATCH_BYTES_MAX
    }
}

/// A cursor over a part of a batch; `at` counts from the batch's first byte.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    buf: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(buf: &'a [u8], range: Range<usize>) -> Self {
        debug_assert!(range.end <= buf.len());
        Self {
            buf,
            at: range.start,
            end: range.end,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    pub(super) fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let range = self.skip(n, what)?;
        Ok(&self.buf[range])
    }

    pub(super) fn skip(&mut self, n: usize, what: &'static str) -> Result<Range<usize>, Malformed> {
        if self.end - self.at < n {
            return Err(Malformed::Truncated { what, at: self.at });
        }
        let start = self.at;
        self.at += n;
        Ok(start..self.at)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N, what)?;
        Ok(bytes
            .try_into()
            .expect("take returns as many bytes as asked for"))
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u128(&mut self, what: &'static str) -> Result<u128, Malformed> {
        Ok(u128::from_le_bytes(self.array(what)?))
    }

    /// A u32 that is a length within the buffer.
    pub(super) fn len(&mut self, what: &'static str) -> Result<usize, Malformed> {
        Ok(self.u32(what)? as usize)
    }

    /// A u32 length and as much UTF-8.
    pub(super) fn text(&mut self, what: &'static str) -> Result<Range<usize>, Malformed> {
        let n = self.len(what)?;
        let at = self.at;
        let bytes = self.take(n, what)?;
        match core::str::from_utf8(bytes) {
            Ok(_) => Ok(at..at + n),
            Err(_) => Err(Malformed::Utf8 { what, at }),
        }
    }
}
