//! Golden vectors, round trips and hostile input.

mod golden;
mod hostile;
mod roundtrip;

use alloc::vec::Vec;

use super::{Batch, BatchWriter, Datum, NewRow};
use crate::{Fault, FaultClass, Order, Position};

/// Reads whatever the bytes hold, as a host would; the target for fuzzing. Returns whether they are a
/// batch.
pub(crate) fn fuzz_batch(bytes: &[u8]) -> bool {
    let Ok(batch) = Batch::parse(bytes) else {
        return false;
    };
    let mut seen = batch.topics().len() + batch.sources().len();
    for row in batch.rows() {
        seen += row.topic().map_or(0, str::len) + row.source().map_or(0, str::len);
        seen += row.key().bytes().len() + row.value().bytes().len();
        seen += row.key_range().len() + row.value_range().len();
        seen += row
            .headers()
            .map(|h| h.name.len() + h.value.bytes().len())
            .sum::<usize>();
        seen += row.fault().map_or(0, |fault| fault.message.len());
        let _ = (row.partition(), row.timestamp(), row.offset(), row.origin());
    }
    seen += batch
        .positions()
        .map(|(s, p)| s.len() + p.offset.len())
        .sum::<usize>();
    // Everything that was read lies in the batch, so nothing was read twice from one place.
    assert!(seen <= 64 * bytes.len() + 64);
    true
}

/// A batch with everything that the layout has.
fn everything() -> Vec<u8> {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("orders").unwrap());
    let other = Some(writer.topic("a").unwrap());
    let source = writer.source(r#"{"file":1}"#).unwrap();
    let unordered = writer.source("{}").unwrap();
    let fault = Fault::new(FaultClass::BadRecord, "too-long", "the line is too long");
    let fault = Some(writer.fault(fault.with("offset", "42")).unwrap());
    let headers = [
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
    let rows = [
        NewRow {
            topic,
            source: Some(source),
            partition: Some(3),
            origin: 7,
            timestamp: Some(1_700_000_000_000),
            offset: Some(11),
            key: Datum::Text("k"),
            value: Datum::Json(r#"{"a":1}"#),
            headers: &headers,
            fault: None,
        },
        NewRow {
            topic: other,
            key: Datum::Avro {
                schema: 1,
                bytes: &[2, 3],
            },
            value: Datum::Bytes(&[0xFF, 0]),
            ..NewRow::default()
        },
        NewRow {
            fault,
            ..NewRow::default()
        },
    ];
    for row in &rows {
        writer.push(row).unwrap();
    }
    writer.position(source, Position::at(r#"{"p":1}"#, u128::MAX));
    let offset = "{}".into();
    writer.position(
        unordered,
        Position {
            offset,
            order: None,
        },
    );
    writer.finish().unwrap()
}

/// A batch that carries a position and nothing else.
fn position_alone() -> Vec<u8> {
    let mut writer = BatchWriter::default();
    let source = writer.source("{}").unwrap();
    let order = Some(Order(5));
    let offset = r#"{"next":5}"#.into();
    writer.position(source, Position { offset, order });
    writer.finish().unwrap()
}

/// One record with text, as file-source sends it.
fn one_line() -> Vec<u8> {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("t").unwrap());
    let value = Datum::Text("line");
    writer
        .push(&NewRow {
            topic,
            value,
            ..NewRow::default()
        })
        .unwrap();
    writer.finish().unwrap()
}

fn corpus() -> [(&'static str, Vec<u8>); 4] {
    [
        ("nothing", Vec::new()),
        ("one_line", one_line()),
        ("position_alone", position_alone()),
        ("everything", everything()),
    ]
}
