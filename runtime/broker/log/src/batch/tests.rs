use std::io::Write as _;

use bytes::{BufMut as _, Bytes};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::compression::DECOMPRESSED_BYTES_MAX;
use super::{Batch, BatchBuilder, CHECKED_FROM, HEADER_BYTES, Record};
use crate::error::BatchError;

type Part = Option<Vec<u8>>;
type Pushed = (i64, Part, Part, Vec<(String, Part)>);

fn builder(records: &[Pushed]) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for (timestamp, key, value, headers) in records {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()));
        builder.push(*timestamp, key.as_deref(), value.as_deref(), headers);
    }
    builder
}

fn one(value: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new();
    builder.push(5, Some(b"k"), Some(value), std::iter::empty());
    builder.finish().unwrap()
}

fn records(batch: &Batch) -> Vec<Record> {
    batch.records().unwrap().map(Result::unwrap).collect()
}

/// Changes a batch and makes its checksum right again.
fn changed(batch: &Batch, change: impl FnOnce(&mut Vec<u8>)) -> Result<Batch, BatchError> {
    let mut bytes = batch.bytes().to_vec();
    change(&mut bytes);
    let len = i32::try_from(bytes.len() - 12).unwrap();
    bytes[8..12].copy_from_slice(&len.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    bytes[17..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
    Batch::parse(Bytes::from(bytes))
}

proptest! {
    #[test]
    fn records_come_back_as_they_were_pushed(
        pushed in proptest::collection::vec(
            (0..i64::MAX / 2, any::<Part>(), any::<Part>(), proptest::collection::vec(("[a-z.]{0,9}", any::<Part>()), 0..3)),
            1..20,
        ),
    ) {
        let building = builder(&pushed);
        let size = building.size();
        let built = building.finish().unwrap();
        prop_assert_eq!(size, built.bytes().len());
        let parsed = Batch::parse_all(built.bytes().clone()).unwrap();
        prop_assert_eq!(&parsed, &[built]);
        for (i, (record, (timestamp, key, value, headers))) in records(&parsed[0]).iter().zip(&pushed).enumerate() {
            let headers: Vec<_> = headers.iter()
                .map(|(name, value)| (Bytes::from(name.clone()), value.clone().map(Bytes::from)))
                .collect();
            prop_assert_eq!((record.offset, record.timestamp), (i64::try_from(i).unwrap(), *timestamp));
            prop_assert_eq!(&record.key, &key.clone().map(Bytes::from));
            prop_assert_eq!(&record.value, &value.clone().map(Bytes::from));
            prop_assert_eq!(&record.headers, &headers);
        }
        prop_assert_eq!(records(&parsed[0]).len(), pushed.len());
        prop_assert_eq!(parsed[0].check_records(), Ok(()));
    }

    #[test]
    fn hostile_records_are_an_error_and_never_a_panic(junk in proptest::collection::vec(any::<u8>(), 0..200)) {
        let batch = changed(&one(b"x"), |bytes| bytes.splice(HEADER_BYTES.., junk).for_each(drop)).unwrap();
        prop_assert!(batch.records().unwrap().count() <= 1);
        if batch.check_records().is_ok() {
            prop_assert_eq!(records(&batch).len(), 1);
        }
    }

    #[test]
    fn what_passes_the_check_can_be_read_to_its_end(
        values in proptest::collection::vec("[a-z]{0,9}", 1..5), at in any::<proptest::sample::Index>(), byte: u8,
    ) {
        let pushed: Vec<_> = values.iter()
            .map(|value| (1, Some(b"k".to_vec()), Some(value.clone().into_bytes()), vec![("h".to_owned(), None)]))
            .collect();
        let good = builder(&pushed).finish().unwrap();
        let batch = changed(&good, |bytes| {
            let at = HEADER_BYTES + at.index(bytes.len() - HEADER_BYTES);
            bytes[at] = byte;
        }).unwrap();
        if batch.check_records().is_ok() {
            let offsets: Vec<_> = records(&batch).iter().map(|record| record.offset).collect();
            prop_assert_eq!(offsets, (0..i64::try_from(values.len()).unwrap()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn any_flipped_bit_behind_the_offset_is_found() {
    let batch = one(b"a value");
    for at in 8..batch.bytes().len() {
        // The leader epoch is the broker's own, and no checksum covers it.
        if (12..16).contains(&at) {
            continue;
        }
        let mut bytes = batch.bytes().to_vec();
        bytes[at] ^= 1;
        assert!(Batch::parse_all(Bytes::from(bytes)).is_err(), "byte {at}");
    }
}

#[test]
fn a_batch_cut_at_any_byte_is_refused() {
    let bytes = one(b"a value").bytes().clone();
    for len in 0..bytes.len() {
        assert_eq!(
            Batch::parse_all(bytes.slice(..len)),
            Err(BatchError::Truncated),
            "{len} bytes"
        );
    }
}

#[test]
fn contradicting_headers_are_refused_by_name() {
    let check = |at: usize, with: &[u8], expected: BatchError| {
        let found = changed(&one(b"x"), |bytes| {
            bytes[at..at + with.len()].copy_from_slice(with);
        });
        assert_eq!(found, Err(expected));
    };
    check(16, &[1], BatchError::Magic(1));
    check(21, &[0, 5], BatchError::Compression(5));
    check(21, &[0, 8], BatchError::Attributes(8));
    check(21, &[0, 16], BatchError::Attributes(16));
    check(23, &[0, 0, 0, 9], BatchError::Counts);
    check(57, &[0, 0, 0, 0], BatchError::Counts);
    check(43, &7_i64.to_be_bytes(), BatchError::Counts);
}

#[test]
fn every_codec_is_read() {
    let value = vec![b'v'; 2000];
    let plain = one(&value);
    let body = plain.bytes().slice(HEADER_BYTES..);
    let check = |code: u8, compressed: Vec<u8>| {
        assert!(compressed.len() < body.len());
        let batch = changed(&plain, |bytes| {
            bytes[22] = code;
            bytes.splice(HEADER_BYTES.., compressed).for_each(drop);
        });
        let batch = batch.unwrap();
        assert_eq!(records(&batch), records(&plain), "codec {code}");
        assert_eq!(batch.check_records(), Ok(()), "codec {code}");
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&body).unwrap();
    check(1, gzip.finish().unwrap());
    let block = snap::raw::Encoder::new().compress_vec(&body).unwrap();
    check(2, block.clone());
    let mut xerial = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    xerial.put_u32(u32::try_from(block.len()).unwrap());
    xerial.extend(block);
    check(2, xerial);
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&body).unwrap();
    check(3, lz4.finish().unwrap());
    check(4, zstd::encode_all(&body[..], 1).unwrap());
}

#[test]
fn a_batch_that_decompresses_without_end_is_refused() {
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(0), 200 << 20), 1).unwrap();
    let batch = changed(&one(b"x"), |bytes| {
        bytes[22] = 4;
        bytes.splice(HEADER_BYTES.., bomb).for_each(drop);
    });
    let batch = batch.unwrap();
    assert_eq!(batch.records().map(drop), Err(BatchError::Decompress));
    assert_eq!(batch.check_records(), Err(BatchError::Record));
}

/// One record that alone is as large as a batch may become, or a byte larger.
#[test]
fn the_check_has_the_limit_of_the_reader() {
    let check = |over: usize, expected: Result<(), BatchError>| {
        let frame = one(&[]).bytes().len() - HEADER_BYTES + 6;
        let plain = one(&vec![0; DECOMPRESSED_BYTES_MAX - frame + over]);
        let body = &plain.bytes()[HEADER_BYTES..];
        assert_eq!(body.len(), DECOMPRESSED_BYTES_MAX + over);
        let compressed = zstd::encode_all(body, 1).unwrap();
        let batch = changed(&one(b"x"), |bytes| {
            bytes[22] = 4;
            bytes.splice(HEADER_BYTES.., compressed).for_each(drop);
        });
        let batch = batch.unwrap();
        assert_eq!(batch.check_records(), expected);
        assert_eq!(batch.records().map(drop), expected);
    };
    check(0, Ok(()));
    check(1, Err(BatchError::Decompress));
}

#[test]
fn records_that_contradict_their_header_are_refused() {
    let three = builder(&vec![(5, None, Some(b"v".to_vec()), Vec::new()); 3]);
    let three = three.finish().unwrap();
    let record = (three.bytes().len() - HEADER_BYTES) / 3;
    let check = |expected, change: fn(&mut Vec<u8>, usize)| {
        let batch = changed(&three, |bytes| change(bytes, record)).unwrap();
        assert_eq!(batch.check_records(), Err(expected));
    };
    let n_records = |bytes: &mut Vec<u8>, n: u8| {
        bytes[26] = n - 1;
        bytes[60] = n;
    };
    let set = |n| changed(&three, |bytes| n_records(bytes, n)).unwrap();
    assert_eq!(set(3).check_records(), Ok(()));
    assert_eq!(set(2).check_records(), Err(BatchError::Counts));
    assert_eq!(set(4).check_records(), Err(BatchError::Counts));
    // Length, attributes and timestamp stand before the offset.
    check(BatchError::Counts, |bytes, record| {
        bytes[HEADER_BYTES + record + 3] = 0;
    });
    check(BatchError::Record, |bytes, record| {
        bytes.truncate(HEADER_BYTES + 3 * record - 1);
    });
    check(BatchError::Record, |bytes, record| {
        bytes[HEADER_BYTES + record] -= 2;
    });
    // A number that takes more bytes than any client reads.
    check(BatchError::Record, |bytes, _| {
        let endless = [0x80, 0x80, 0x80, 0x80, 0x80, 0];
        bytes
            .splice(HEADER_BYTES..=HEADER_BYTES, endless)
            .for_each(drop);
    });
    check(BatchError::Decompress, |bytes, _| bytes[22] = 1);
}
