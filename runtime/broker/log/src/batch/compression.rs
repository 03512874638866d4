//! The codecs a producer may choose. The log only ever reads them.

use std::io::Read;

use bytes::{Buf as _, Bytes, BytesMut};

use super::COMPRESSION_BITS;
use crate::error::BatchError;

/// A batch that claims to hold more than this is hostile.
pub(super) const DECOMPRESSED_BYTES_MAX: usize = 128 << 20;

const NONE: i16 = 0;
const GZIP: i16 = 1;
const SNAPPY: i16 = 2;
const LZ4: i16 = 3;
const ZSTD: i16 = 4;

/// What Java's snappy library writes before its blocks.
const XERIAL_MAGIC: &[u8] = b"\x82SNAPPY\0";
const XERIAL_HEADER_BYTES: usize = 16;

pub(super) fn known(attributes: i16) -> Result<(), BatchError> {
    match attributes & COMPRESSION_BITS {
        NONE | GZIP | SNAPPY | LZ4 | ZSTD => Ok(()),
        other => Err(BatchError::Compression(
            u8::try_from(other).expect("three bits"),
        )),
    }
}

pub(super) fn compressed(attributes: i16) -> bool {
    attributes & COMPRESSION_BITS != NONE
}

/// All that was compressed, if it was, in memory.
pub(super) fn decompress(attributes: i16, bytes: Bytes) -> Result<Bytes, BatchError> {
    match attributes & COMPRESSION_BITS {
        NONE => Ok(bytes),
        SNAPPY => snappy(bytes),
        _ => read_all(reader(attributes, bytes)?),
    }
}

/// What was compressed, piece by piece as far as the codec allows it. It may go on without end.
pub(super) fn reader(attributes: i16, bytes: Bytes) -> Result<Box<dyn Read>, BatchError> {
    Ok(match attributes & COMPRESSION_BITS {
        NONE => Box::new(bytes.reader()),
        GZIP => Box::new(flate2::read::MultiGzDecoder::new(bytes.reader())),
        SNAPPY => Box::new(snappy(bytes)?.reader()),
        LZ4 => Box::new(lz4_flex::frame::FrameDecoder::new(bytes.reader())),
        ZSTD => {
            let decoder = zstd::stream::read::Decoder::new(bytes.reader());
            Box::new(decoder.map_err(|_| BatchError::Decompress)?)
        }
        other => {
            let code = u8::try_from(other).expect("three bits");
            return Err(BatchError::Compression(code));
        }
    })
}

fn read_all(decoder: impl Read) -> Result<Bytes, BatchError> {
    let mut plain = Vec::new();
    let limit = DECOMPRESSED_BYTES_MAX as u64 + 1;
    decoder
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|_| BatchError::Decompress)?;
    if plain.len() > DECOMPRESSED_BYTES_MAX {
        Err(BatchError::Decompress)
    } else {
        Ok(Bytes::from(plain))
    }
}

fn snappy(mut bytes: Bytes) -> Result<Bytes, BatchError> {
    if !bytes.starts_with(XERIAL_MAGIC) || bytes.len() < XERIAL_HEADER_BYTES {
        return snappy_block(&bytes, DECOMPRESSED_BYTES_MAX).map(Bytes::from);
    }
    bytes.advance(XERIAL_HEADER_BYTES);
    let mut plain = BytesMut::new();
    while !bytes.is_empty() {
        let len = bytes
            .try_get_u32()
            .ok()
            .and_then(|len| usize::try_from(len).ok());
        let len = len
            .filter(|len| *len <= bytes.len())
            .ok_or(BatchError::Decompress)?;
        let block = snappy_block(&bytes.split_to(len), DECOMPRESSED_BYTES_MAX - plain.len())?;
        plain.extend_from_slice(&block);
    }
    Ok(plain.freeze())
}

fn snappy_block(block: &[u8], room: usize) -> Result<Vec<u8>, BatchError> {
    // The block says how large it gets, before anything is reserved for it.
    let len = snap::raw::decompress_len(block).map_err(|_| BatchError::Decompress)?;
    if len > room {
        return Err(BatchError::Decompress);
    }
    snap::raw::Decoder::new()
        .decompress_vec(block)
        .map_err(|_| BatchError::Decompress)
}
