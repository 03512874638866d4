//! Record batches, right and wrong.

use bytes::Bytes;
use longshore_log::BatchBuilder;

use crate::rig::NOW_MS;

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

/// A batch that says its records are compressed so; nobody looks inside on the way through.
pub(crate) fn compressed(codec: i16) -> Bytes {
    changed(&batch(&["opaque"]), |bytes| {
        bytes[ATTRIBUTES].copy_from_slice(&codec.to_be_bytes());
    })
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
