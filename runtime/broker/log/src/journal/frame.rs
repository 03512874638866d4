//! A frame: magic, checksum, length, how much of the file was durable when it was written, then items.

use std::io::IoSlice;

use bytes::{Buf as _, BufMut as _, Bytes};

use crate::batch::Batch;
use crate::codec::{Decoder, put_len};
use crate::index::Place;
use crate::state::{Change, PartitionId};

pub(super) const MAGIC: [u8; 4] = *b"LsF1";
pub(super) const HEADER_BYTES: usize = 20;
/// The checksum covers everything behind itself.
const CHECKED_FROM: usize = 8;

const BATCH: u8 = 1;
const COPY: u8 = 2;
const CHANGE: u8 = 3;
/// Before a batch: kind, partition, length.
const ITEM_HEADER_BYTES: u64 = 9;
/// The part of a batch that is replaced when its offset is assigned; no checksum of the batch covers it.
const BASE_OFFSET_BYTES: usize = 8;

/// What a frame is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A batch with new offsets.
    Batch(Placed),
    /// A batch that is alive in an older file, copied so that the file can go.
    Copy(Placed),
    /// A change of state.
    Change(Change),
}

/// A batch with its partition and the offset it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) partition: PartitionId,
    pub(crate) base_offset: i64,
    pub(crate) batch: Batch,
}

/// A frame as it will be written. Batches are not copied into it.
#[derive(Debug)]
pub(crate) struct EncodedFrame {
    small: Vec<u8>,
    /// Batches, each behind this many bytes of `small`.
    bodies: Vec<(usize, Bytes)>,
    len: u64,
}

impl EncodedFrame {
    pub(crate) fn new() -> Self {
        Self {
            small: vec![0; HEADER_BYTES],
            bodies: Vec::new(),
            len: HEADER_BYTES as u64,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Appends an item. For a batch, returns where in the frame it lies.
    pub(crate) fn push(&mut self, item: &Item) -> Option<(u64, u32)> {
        let (kind, placed) = match item {
            Item::Batch(placed) => (BATCH, placed),
            Item::Copy(placed) => (COPY, placed),
            Item::Change(change) => {
                let before = self.small.len();
                self.small.put_u8(CHANGE);
                self.small.put_u32_le(0);
                let body = self.small.len();
                change.encode(&mut self.small);
                let len = u32::try_from(self.small.len() - body).expect("state is far below 4 GiB");
                self.small[before + 1..body].copy_from_slice(&len.to_le_bytes());
                self.len += (self.small.len() - before) as u64;
                return None;
            }
        };
        let bytes = placed.batch.bytes();
        let at = self.len + ITEM_HEADER_BYTES;
        self.small.put_u8(kind);
        self.small.put_u32_le(placed.partition);
        put_len(&mut self.small, bytes.len());
        self.small.put_i64(placed.base_offset);
        self.bodies
            .push((self.small.len(), bytes.slice(BASE_OFFSET_BYTES..)));
        self.len = at + bytes.len() as u64;
        Some((
            at,
            u32::try_from(bytes.len()).expect("a batch is far below 4 GiB"),
        ))
    }

    /// Completes the header; `synced_to` is how far the file is durable, so that a damaged frame before that place can
    /// never be taken for a torn one.
    pub(crate) fn seal(&mut self, synced_to: u64) {
        let payload =
            u32::try_from(self.len - HEADER_BYTES as u64).expect("the queue is far below 4 GiB");
        let mut header = &mut self.small[..HEADER_BYTES];
        header.put_slice(&MAGIC);
        header.put_u32_le(0);
        header.put_u32_le(payload);
        header.put_u64_le(synced_to);
        let mut crc = 0;
        for (i, part) in self.parts().enumerate() {
            crc = crc32c::crc32c_append(crc, if i == 0 { &part[CHECKED_FROM..] } else { part });
        }
        self.small[4..CHECKED_FROM].copy_from_slice(&crc.to_le_bytes());
    }

    pub(crate) fn slices(&self) -> impl Iterator<Item = IoSlice<'_>> {
        self.parts().map(IoSlice::new)
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.bodies.iter().map(|(behind, _)| *behind));
        let ends = self
            .bodies
            .iter()
            .map(|(behind, _)| *behind)
            .chain(std::iter::once(self.small.len()));
        let small = starts.zip(ends).map(|(start, end)| &self.small[start..end]);
        let bodies = self
            .bodies
            .iter()
            .map(|(_, body)| &body[..])
            .chain(std::iter::once(&[][..]));
        small
            .zip(bodies)
            .flat_map(|(small, body)| [small, body])
            .filter(|part| !part.is_empty())
    }
}

/// The header of a frame, as read.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    crc: u32,
    pub(super) payload: u32,
    pub(super) synced_to: u64,
}

impl FrameHeader {
    /// `None` unless `bytes` begin with one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut header = bytes.get(..HEADER_BYTES)?;
        if !header.starts_with(&MAGIC) {
            return None;
        }
        header.advance(MAGIC.len());
        let (crc, payload, synced_to) = (
            header.get_u32_le(),
            header.get_u32_le(),
            header.get_u64_le(),
        );
        Some(Self {
            crc,
            payload,
            synced_to,
        })
    }

    pub(super) fn frame_bytes(self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.payload)
    }

    /// Whether `frame`, header included, is what was written.
    pub(super) fn matches(self, frame: &[u8]) -> bool {
        crc32c::crc32c(&frame[CHECKED_FROM..]) == self.crc
    }
}

/// The items of a checked frame, each batch with its place; `None` when they are not what this version writes.
pub(super) fn items(file: u32, frame_at: u64, frame: &Bytes) -> Option<Vec<(Item, Option<Place>)>> {
    let mut from = Decoder::new(frame.slice(HEADER_BYTES..));
    let mut items = Vec::new();
    while !from.is_empty() {
        let kind = from.u8()?;
        let item = match kind {
            BATCH | COPY => {
                let partition = from.u32()?;
                let len = from.len()?;
                let at = frame_at + (frame.len() - from.remaining()) as u64;
                let batch = Batch::stored(from.take(len)?)?;
                let placed = Placed {
                    partition,
                    base_offset: batch.fields().base_offset,
                    batch,
                };
                let place = Place {
                    file,
                    at: u32::try_from(at).ok()?,
                    len: u32::try_from(len).ok()?,
                };
                (
                    if kind == BATCH {
                        Item::Batch(placed)
                    } else {
                        Item::Copy(placed)
                    },
                    Some(place),
                )
            }
            CHANGE => {
                let mut body = Decoder::new(from.bytes()?);
                let change = Change::decode(&mut body)?;
                (Item::Change(change), None)
            }
            _ => return None,
        };
        items.push(item);
    }
    Some(items)
}
