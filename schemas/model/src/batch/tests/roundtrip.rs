//! What is written is read.

use alloc::string::String;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Batch, BatchWriter, Datum, NewRow};
use crate::{Order, Position};

#[derive(Clone, Debug)]
enum OwnDatum {
    Null,
    Bytes(Vec<u8>),
    Text(String),
    Json(String),
    Avro(u32, Vec<u8>),
}

impl OwnDatum {
    fn datum(&self) -> Datum<'_> {
        match self {
            Self::Null => Datum::Null,
            Self::Bytes(bytes) => Datum::Bytes(bytes),
            Self::Text(text) => Datum::Text(text),
            Self::Json(text) => Datum::Json(text),
            Self::Avro(schema, bytes) => Datum::Avro {
                schema: *schema,
                bytes,
            },
        }
    }
}

#[derive(Clone, Debug)]
struct OwnRow {
    topic: String,
    source: Option<String>,
    partition: Option<u32>,
    origin: u32,
    timestamp: Option<i64>,
    offset: Option<i64>,
    key: OwnDatum,
    value: OwnDatum,
    headers: Vec<(String, OwnDatum)>,
}

fn datum() -> impl Strategy<Value = OwnDatum> {
    prop_oneof![
        Just(OwnDatum::Null),
        vec(any::<u8>(), 0..40).prop_map(OwnDatum::Bytes),
        ".{0,20}".prop_map(OwnDatum::Text),
        ".{0,20}".prop_map(OwnDatum::Json),
        (any::<u32>(), vec(any::<u8>(), 0..40)).prop_map(|(s, b)| OwnDatum::Avro(s, b)),
    ]
}

fn row() -> impl Strategy<Value = OwnRow> {
    let place = (
        "[a-d]{1,2}",
        proptest::option::of("[{}a-c]{0,2}"),
        proptest::option::of(0..=i32::MAX as u32),
        any::<u32>(),
        proptest::option::of((i64::MIN + 1)..=i64::MAX),
        proptest::option::of(0..=i64::MAX),
    );
    let content = (datum(), datum(), vec(("[a-c]{0,2}", datum()), 0..4));
    (place, content).prop_map(|(place, (key, value, headers))| {
        let (topic, source, partition, origin, timestamp, offset) = place;
        OwnRow {
            topic,
            source,
            partition,
            origin,
            timestamp,
            offset,
            key,
            value,
            headers,
        }
    })
}

proptest! {
    #[test]
    fn rows_and_positions_come_back(
        rows in vec(row(), 0..20),
        positions in proptest::collection::btree_map("[a-d]{1,3}", any::<Option<u128>>(), 0..4),
    ) {
        let mut writer = BatchWriter::default();
        for row in &rows {
            let headers: Vec<_> = row.headers.iter().map(|(n, v)| (n.as_str(), v.datum())).collect();
            let new = NewRow {
                topic: Some(writer.topic(&row.topic).unwrap()),
                source: row.source.as_ref().map(|s| writer.source(s).unwrap()),
                partition: row.partition,
                origin: row.origin,
                timestamp: row.timestamp,
                offset: row.offset,
                key: row.key.datum(),
                value: row.value.datum(),
                headers: &headers,
                fault: None,
            };
            writer.push(&new).unwrap();
        }
        for (partition, order) in &positions {
            let source = writer.source(partition).unwrap();
            let order = order.map(Order);
            writer.position(source, Position { offset: partition.clone(), order });
        }
        let batch = Batch::parse(writer.finish().unwrap()).unwrap();
        prop_assert_eq!(batch.len(), rows.len());
        for (row, read) in rows.iter().zip(batch.rows()) {
            prop_assert_eq!(Some(row.topic.as_str()), read.topic());
            prop_assert_eq!(row.source.as_deref(), read.source());
            prop_assert_eq!(row.partition, read.partition());
            prop_assert_eq!(row.origin, read.origin());
            prop_assert_eq!(row.timestamp, read.timestamp());
            prop_assert_eq!(row.offset, read.offset());
            prop_assert_eq!(row.key.datum(), read.key());
            prop_assert_eq!(row.value.datum(), read.value());
            let headers: Vec<_> = row.headers.iter().map(|(n, v)| (n.as_str(), v.datum())).collect();
            let read_headers: Vec<_> = read.headers().map(|h| (h.name, h.value)).collect();
            prop_assert_eq!(headers, read_headers);
        }
        let read: Vec<_> = batch.positions().map(|(s, p)| (s, p.order.map(|o| o.0))).collect();
        let written: Vec<_> = positions.iter().map(|(s, o)| (s.as_str(), *o)).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn any_bytes_are_an_error_or_a_batch(bytes in vec(any::<u8>(), 0..300)) {
        super::fuzz_batch(&bytes);
    }
}
