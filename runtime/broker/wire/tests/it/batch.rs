//! Record batches, right and wrong.

use bytes::Bytes;
use longshore_log::BatchBuilder;

use crate::rig::NOW_MS;

const LENGTH: std::ops::Range<usize> = 8..12;
const CRC: std::ops::Range<usize> = 17..21;
const ATTRIBUTES: std::ops::Range<usize> = 21..23;
const PRODUCER: usize = 43;
const RECORDS: usize = 61;

/// Records without keys, each a millisecond after the one before.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    batch_at(NOW_MS, values)
}

pub(crate) fn batch_at(first_ms: i64, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (time, value) in (first_ms..).zip(values) {
        builder.push(time, None, Some(value.as_bytes()), std::iter::empty());
    }
    builder.finish().unwrap().bytes().clone()
}

/// A batch of an idempotent producer.
pub(crate) fn numbered(values: &[&str], id: i64, epoch: i16, sequence: i32) -> Bytes {
    changed(&batch(values), |bytes| {
        let producer = [
            &id.to_be_bytes()[..],
            &epoch.to_be_bytes(),
            &sequence.to_be_bytes(),
        ];
        bytes[PRODUCER..PRODUCER + 14].copy_from_slice(&producer.concat());
    })
}

/// A batch in one of the five codecs, as it is written by a compressor that finds nothing to compress.
pub(crate) fn compressed(codec: i16) -> Bytes {
    let plain = batch(&["opaque"]);
    let body = &plain[RECORDS..];
    let len = u8::try_from(body.len()).unwrap();
    let body = match codec {
        1 => {
            let stored = [&[1, len, 0, !len, !0][..], body].concat();
            let tail = [gzip_crc(body).to_le_bytes(), u32::from(len).to_le_bytes()];
            [
                &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..],
                &stored,
                &tail.concat(),
            ]
            .concat()
        }
        2 => [&[len, (len - 1) << 2][..], body].concat(),
        3 => {
            let head = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, len, 0, 0, 0x80];
            [&head[..], body, &[0; 4]].concat()
        }
        4 => [
            &[0x28, 0xb5, 0x2f, 0xfd, 0x20, len, len << 3 | 1, len >> 5, 0][..],
            body,
        ]
        .concat(),
        _ => body.to_vec(),
    };
    labelled([&plain[..RECORDS], &body].concat(), codec)
}

/// A batch whose records are not in the codec that it names.
pub(crate) fn mislabelled(codec: i16) -> Bytes {
    labelled(batch(&["opaque"]).to_vec(), codec)
}

fn labelled(mut bytes: Vec<u8>, codec: i16) -> Bytes {
    let len = i32::try_from(bytes.len() - LENGTH.end).unwrap();
    bytes[LENGTH].copy_from_slice(&len.to_be_bytes());
    changed(&bytes, |bytes| {
        bytes[ATTRIBUTES].copy_from_slice(&codec.to_be_bytes());
    })
}

fn gzip_crc(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

/// An old message, whose magic stands where every format has it.
pub(crate) fn old_format(magic: u8) -> Bytes {
    changed(&batch(&["old"]), |bytes| bytes[16] = magic)
}

pub(crate) fn with_wrong_checksum() -> Bytes {
    let mut bytes = batch(&["damaged"]).to_vec();
    bytes[RECORDS] ^= 1;
    bytes.into()
}

/// As it comes back: everything after base offset and leader epoch is what the producer sent.
pub(crate) fn sent_part(batch: &[u8]) -> (&[u8], &[u8]) {
    (&batch[8..12], &batch[16..])
}

pub(crate) fn base_offset(batch: &[u8]) -> i64 {
    i64::from_be_bytes(batch[..8].try_into().unwrap())
}

fn changed(batch: &[u8], change: impl FnOnce(&mut [u8])) -> Bytes {
    let mut bytes = batch.to_vec();
    change(&mut bytes);
    let crc = crc32c::crc32c(&bytes[CRC.end..]);
    bytes[CRC].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}
