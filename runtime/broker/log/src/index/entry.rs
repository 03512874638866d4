//! One entry: which batch, and where it lies.

use bytes::{BufMut as _, Bytes};

use crate::codec::Decoder;
use crate::error::Error;
use crate::state::PartitionId;

/// Which batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryKey {
    pub(crate) partition: PartitionId,
    /// Its base offset.
    pub(crate) offset: i64,
}

/// Where bytes lie in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) at: u32,
    pub(crate) len: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) last_offset: i64,
    pub(crate) max_timestamp: i64,
    /// The key of an internal topic's record.
    pub(crate) keyed: Option<Keyed>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyed {
    pub(crate) key: Bytes,
    pub(crate) tombstone: bool,
}

const PLAIN: u8 = 0;
const KEYED: u8 = 1;
const TOMBSTONE: u8 = 2;

impl EntryKey {
    /// Bytes that sort as the keys do; offsets are never negative.
    pub(crate) fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.partition.to_be_bytes());
        bytes[4..].copy_from_slice(&self.offset.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: [u8; 12] = bytes.try_into().map_err(|_| damaged())?;
        let (partition, offset) = bytes.split_at(4);
        Ok(Self {
            partition: u32::from_be_bytes(partition.try_into().expect("four bytes")),
            offset: i64::from_be_bytes(offset.try_into().expect("eight bytes")),
        })
    }
}

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let key = self.keyed.as_ref().map_or(&[][..], |keyed| &keyed.key);
        let mut out = Vec::with_capacity(29 + key.len());
        out.put_u32_le(self.place.file);
        out.put_u32_le(self.place.at);
        out.put_u32_le(self.place.len);
        out.put_i64_le(self.last_offset);
        out.put_i64_le(self.max_timestamp);
        out.put_u8(match &self.keyed {
            None => PLAIN,
            Some(Keyed {
                tombstone: false, ..
            }) => KEYED,
            Some(Keyed {
                tombstone: true, ..
            }) => TOMBSTONE,
        });
        out.extend_from_slice(key);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or_else(damaged)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Decoder::new(Bytes::copy_from_slice(bytes));
        let place = Place {
            file: from.u32()?,
            at: from.u32()?,
            len: from.u32()?,
        };
        let (last_offset, max_timestamp) = (from.i64()?, from.i64()?);
        let kind = from.u8()?;
        let key = from.take(from.remaining())?;
        let keyed = match kind {
            PLAIN => None,
            KEYED | TOMBSTONE => Some(Keyed {
                key,
                tombstone: kind == TOMBSTONE,
            }),
            _ => return None,
        };
        Some(Self {
            place,
            last_offset,
            max_timestamp,
            keyed,
        })
    }
}

fn damaged() -> Error {
    Error::Index("an entry is damaged".into())
}
