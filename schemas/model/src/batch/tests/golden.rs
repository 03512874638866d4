//! The layout as bytes. `vectors/*.hex` are for readers and writers in other languages too; a changed
//! file is a changed layout. `LONGSHORE_BLESS=1` writes them anew.

extern crate std;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::path::PathBuf;
use std::{env, fs};

use expect_test::expect;

use super::{Batch, BatchWriter, Datum, NewRow, corpus, everything};
use crate::{FaultClass, Order};

fn vector(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    dir.join("src/batch/vectors").join(format!("{name}.hex"))
}

/// Lines of 16 bytes.
fn hex(bytes: &[u8]) -> String {
    let line = |line: &[u8]| {
        let bytes: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        bytes.join(" ") + "\n"
    };
    bytes.chunks(16).map(line).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |byte: &str| u8::from_str_radix(byte, 16).unwrap();
    text.split_whitespace().map(byte).collect()
}

#[test]
fn batches_are_written_as_the_vectors_say() {
    for (name, batch) in corpus() {
        if env::var_os("LONGSHORE_BLESS").is_some() {
            fs::create_dir_all(vector(name).parent().unwrap()).unwrap();
            fs::write(vector(name), hex(&batch)).unwrap();
        }
        let stored = fs::read_to_string(vector(name)).unwrap();
        assert_eq!(hex(&batch), stored, "{name}");
    }
}

#[test]
fn vectors_are_read_as_they_were_meant() {
    let stored = fs::read_to_string(vector("everything")).unwrap();
    let batch = Batch::parse(from_hex(&stored)).unwrap();
    let row = batch.row(0).unwrap();
    assert_eq!(
        (row.topic(), row.partition(), row.offset()),
        (Some("orders"), Some(3), Some(11))
    );
    assert_eq!(
        (row.origin(), row.timestamp()),
        (7, Some(1_700_000_000_000))
    );
    assert_eq!(row.source(), Some(r#"{"file":1}"#));
    assert_eq!(
        (row.key(), row.value()),
        (Datum::Text("k"), Datum::Json(r#"{"a":1}"#))
    );
    let headers: Vec<_> = row.headers().map(|h| (h.name, h.value)).collect();
    let expected = [
        ("h", Datum::Null),
        ("g", Datum::Text("é")),
        (
            "h",
            Datum::Avro {
                schema: 9,
                bytes: &[1],
            },
        ),
    ];
    assert_eq!(headers, expected);
    let row = batch.row(1).unwrap();
    assert_eq!(
        (row.source(), row.partition(), row.timestamp(), row.offset()),
        (None, None, None, None)
    );
    assert_eq!(
        row.key(),
        Datum::Avro {
            schema: 1,
            bytes: &[2, 3]
        }
    );
    assert_eq!(row.value(), Datum::Bytes(&[0xFF, 0]));
    let row = batch.row(2).unwrap();
    let fault = row.fault().unwrap();
    assert_eq!((row.topic(), fault.class), (None, FaultClass::BadRecord));
    assert_eq!(
        (fault.code.as_str(), fault.detail("offset")),
        ("too-long", Some("42"))
    );
    let positions: Vec<_> = batch.positions().map(|(s, p)| (s, p.order)).collect();
    assert_eq!(
        positions,
        [(r#"{"file":1}"#, Some(Order(u128::MAX))), ("{}", None)]
    );
}

#[test]
fn one_line_in_bytes() {
    let expected = expect![[r#"
        4c 53 42 01 65 00 00 00 01 00 00 00 58 00 00 00
        00 00 00 00 00 00 00 00 40 00 00 00 00 00 ff ff
        ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 80
        ff ff ff ff ff ff ff ff 00 02 00 00 00 00 00 00
        00 00 00 00 00 00 00 00 04 00 00 00 00 00 00 00
        ff ff 00 00 6c 69 6e 65 01 00 01 00 05 00 00 00
        01 00 00 00 74
    "#]];
    expected.assert_eq(&hex(&super::one_line()));
}

#[test]
fn a_reader_skips_what_later_versions_add() {
    // A row with four more bytes behind its headers, and a table that is not known.
    let mut bytes = super::one_line();
    let row_at = 24;
    let row_bytes = 64u32;
    bytes[row_at..row_at + 4].copy_from_slice(&(row_bytes + 4).to_le_bytes());
    let row_end = row_at + 64;
    bytes.splice(row_end..row_end, [9, 9, 9, 9]);
    bytes[12..16].copy_from_slice(&92u32.to_le_bytes());
    bytes.extend_from_slice(&[99, 0, 1, 0, 2, 0, 0, 0, 7, 7]);
    let total = u32::try_from(bytes.len()).unwrap();
    bytes[4..8].copy_from_slice(&total.to_le_bytes());
    let batch = Batch::parse(bytes).unwrap();
    assert_eq!(batch.row(0).unwrap().value(), Datum::Text("line"));
}

#[test]
fn a_row_that_is_like_another_says_the_same() {
    let batch = Batch::parse(everything()).unwrap();
    let mut writer = BatchWriter::default();
    for row in batch.rows() {
        let headers: Vec<_> = row.headers().map(|h| (h.name, h.value)).collect();
        let like = writer.like(&row, &headers).unwrap();
        writer.push(&like).unwrap();
    }
    let copy = Batch::parse(writer.finish().unwrap()).unwrap();
    for (row, copied) in batch.rows().zip(copy.rows()) {
        let shown = |row: &super::super::Row<'_, Vec<u8>>| {
            format!(
                "{:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?}",
                row.topic(),
                row.source(),
                row.partition(),
                row.origin(),
                row.timestamp(),
                row.offset(),
                row.key(),
                row.value(),
                row.headers().collect::<Vec<_>>(),
                row.fault().map(ToString::to_string),
            )
        };
        assert_eq!(shown(&row), shown(&copied));
    }
}

#[test]
fn an_empty_list_is_an_empty_batch() {
    let batch = Batch::parse(Vec::new()).unwrap();
    assert!(batch.is_empty() && batch.positions().len() == 0);
    let written = BatchWriter::default().finish().unwrap();
    assert!(Batch::parse(written).unwrap().is_empty());
}

#[test]
fn a_row_that_does_not_fit_leaves_the_batch_as_it_was() {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("t").unwrap());
    let large = alloc::vec![0; crate::batch::LARGE_BATCH_BYTES_MAX];
    let row = NewRow {
        topic,
        value: Datum::Bytes(&large),
        ..NewRow::default()
    };
    assert!(writer.push(&row).is_err());
    assert_eq!((writer.rows(), writer.bytes()), (0, 0));
}
