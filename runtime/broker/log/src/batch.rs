//! Kafka v2 record batches: checked once on the way in, kept byte for byte, decoded where records are needed.

mod check;
mod compression;
mod decode;
mod encode;
#[cfg(test)]
mod tests;

use bytes::{Buf as _, Bytes};

use crate::error::BatchError;

pub use decode::{Header, Record, Records};
pub use encode::BatchBuilder;
pub(crate) use encode::keyed;

/// Bytes before the first record.
pub(crate) const HEADER_BYTES: usize = 61;
/// Bytes that `batchLength` does not count: itself and the base offset.
const UNCOUNTED_BYTES: usize = 12;
/// Where the part that the checksum covers begins.
const CHECKED_FROM: usize = 21;

const COMPRESSION_BITS: i16 = 0b111;
/// LogAppendTime, transactional, control, and bits nobody defined. What remains is the compression and Kafka's bit 6
/// (a delete horizon), which a broker sets for itself only.
const UNSUPPORTED_BITS: i16 = !COMPRESSION_BITS;

/// One checked batch. Its base offset may still be anything: the log assigns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    bytes: Bytes,
    fields: Fields,
}

/// The header fields the log works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) base_offset: i64,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) n_records: i32,
    pub(crate) attributes: i16,
}

impl Batch {
    /// Takes a producer's bytes apart into batches and checks each one: lengths, magic, checksum, counts, attributes.
    ///
    /// # Errors
    /// When any of it is wrong, or there is no batch at all.
    pub fn parse_all(mut bytes: Bytes) -> Result<Vec<Self>, BatchError> {
        let mut batches = Vec::with_capacity(1);
        while !bytes.is_empty() || batches.is_empty() {
            let len = length(&bytes)?;
            if bytes.len() < len {
                return Err(BatchError::Truncated);
            }
            batches.push(Self::parse(bytes.split_to(len))?);
        }
        Ok(batches)
    }

    /// Checks one batch that fills `bytes`.
    ///
    /// # Errors
    /// When anything about it is wrong.
    pub fn parse(bytes: Bytes) -> Result<Self, BatchError> {
        let fields = Fields::read(&bytes)?;
        let crc = (&bytes[17..CHECKED_FROM]).get_u32();
        if crc32c::crc32c(&bytes[CHECKED_FROM..]) != crc {
            return Err(BatchError::Checksum);
        }
        fields.check()?;
        Ok(Self { bytes, fields })
    }

    /// One that a checksum of the journal vouches for.
    pub(crate) fn stored(bytes: Bytes) -> Option<Self> {
        let fields = Fields::read(&bytes).ok()?;
        Some(Self { bytes, fields })
    }

    /// Its bytes, base offset as it came.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many records it holds.
    #[must_use]
    pub fn n_records(&self) -> u32 {
        self.fields.n_records.unsigned_abs()
    }

    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The records, decompressed if need be, with offsets counted from the batch's base offset.
    ///
    /// # Errors
    /// When they do not decompress.
    pub fn records(&self) -> Result<Records, BatchError> {
        Records::of(&self.bytes, &self.fields)
    }

    /// Walks the records as far as it takes to know that [`Batch::records`] gives all of them, with offsets in order.
    pub(crate) fn check_records(&self) -> Result<(), BatchError> {
        check::check(&self.bytes, &self.fields)
    }

    /// The key and value of the one record of an internal topic's batch.
    pub(crate) fn keyed_record(&self) -> Result<(Bytes, Option<Bytes>), BatchError> {
        if self.fields.n_records != 1 || self.fields.attributes & COMPRESSION_BITS != 0 {
            return Err(BatchError::NotKeyed);
        }
        let record = self.records()?.next().ok_or(BatchError::Counts)??;
        Ok((record.key.ok_or(BatchError::NotKeyed)?, record.value))
    }
}

impl Fields {
    /// Reads the header of a batch that fills `bytes`, and checks lengths and magic only.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        if length(bytes)? != bytes.len() {
            return Err(BatchError::Truncated);
        }
        let mut after_crc = &bytes[CHECKED_FROM..];
        let attributes = after_crc.get_i16();
        let last_offset_delta = after_crc.get_i32();
        let base_timestamp = after_crc.get_i64();
        let max_timestamp = after_crc.get_i64();
        let producer_id = after_crc.get_i64();
        let producer_epoch = after_crc.get_i16();
        let base_sequence = after_crc.get_i32();
        let n_records = after_crc.get_i32();
        Ok(Self {
            base_offset: (&bytes[..8]).get_i64(),
            last_offset_delta,
            base_timestamp,
            max_timestamp,
            producer_id,
            producer_epoch,
            base_sequence,
            n_records,
            attributes,
        })
    }

    fn check(&self) -> Result<(), BatchError> {
        if self.attributes & UNSUPPORTED_BITS != 0 {
            return Err(BatchError::Attributes(self.attributes));
        }
        compression::known(self.attributes)?;
        // A producer's offsets have no gaps; only compaction makes them, and here it removes whole batches.
        if self.n_records < 1 || self.last_offset_delta != self.n_records - 1 {
            return Err(BatchError::Counts);
        }
        if self.producer_id >= 0 && (self.producer_epoch < 0 || self.base_sequence < 0) {
            return Err(BatchError::Counts);
        }
        Ok(())
    }

    pub(crate) fn n_offsets(&self) -> i64 {
        i64::from(self.last_offset_delta) + 1
    }
}

/// The whole length of the batch that `bytes` begin with; its magic is checked, so that an old format gets its name.
fn length(bytes: &[u8]) -> Result<usize, BatchError> {
    if bytes.len() < HEADER_BYTES {
        let magic = bytes.get(16).map_or(2, |magic| magic.cast_signed());
        return Err(if magic == 2 {
            BatchError::Truncated
        } else {
            BatchError::Magic(magic)
        });
    }
    let magic = bytes[16].cast_signed();
    if magic != 2 {
        return Err(BatchError::Magic(magic));
    }
    let counted = usize::try_from((&bytes[8..12]).get_i32()).map_err(|_| BatchError::Counts)?;
    let len = counted + UNCOUNTED_BYTES;
    if len < HEADER_BYTES {
        Err(BatchError::Counts)
    } else {
        Ok(len)
    }
}
