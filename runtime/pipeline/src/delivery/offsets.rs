//! Offsets records: key the JSON array `[connector, partition]`, value the offset object, as in
//! Kafka Connect; the order that the host compares stands in a header.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_model::{ConnectorName, Order, Position, SourcePosition};
use serde_json::{Map, Value};

use crate::port::KeyedRecord;

/// The compacted topic of source offsets.
pub const OFFSETS_TOPIC: &str = "_longshore_offsets";

/// Header of an offsets record: the position's order, in decimal.
const ORDER_HEADER: &str = "longshore.order";

/// The key of an offsets record. The partition's keys are sorted, so that the same partition has
/// the same key however a connector wrote it; `None` where it is not a JSON object.
#[must_use]
pub fn offset_key(connector: &ConnectorName, partition: &str) -> Option<Bytes> {
    let Ok(Value::Object(partition)) = serde_json::from_str(partition) else {
        return None;
    };
    let key = serde_json::to_vec(&(connector.as_str(), sorted(&partition))).ok()?;
    Some(Bytes::from(key))
}

/// The connector and the partition object of an offsets record's key.
#[must_use]
pub fn parse_offset_key(key: &[u8]) -> Option<(String, String)> {
    let (connector, partition): (String, Map<String, Value>) = serde_json::from_slice(key).ok()?;
    Some((connector, serde_json::to_string(&sorted(&partition)).ok()?))
}

/// The value and the headers of an offsets record.
#[must_use]
pub fn offset_record(position: &Position) -> (Bytes, Vec<(String, Bytes)>) {
    let order = |Order(order)| (ORDER_HEADER.to_owned(), Bytes::from(order.to_string()));
    (
        Bytes::copy_from_slice(position.offset.as_bytes()),
        position.order.map(order).into_iter().collect(),
    )
}

/// The positions of one connector among the offsets records; records that are not ours to read are
/// left out.
#[must_use]
pub fn stored_positions(connector: &ConnectorName, records: &[KeyedRecord]) -> Vec<SourcePosition> {
    let of_connector = |record: &KeyedRecord| {
        let (name, partition) = parse_offset_key(&record.key)?;
        let position = stored_position(record)?;
        let position = SourcePosition {
            partition,
            position,
        };
        (name == connector.as_str()).then_some(position)
    };
    records.iter().filter_map(of_connector).collect()
}

/// The position that an offsets record holds; `None` where its value is not text.
fn stored_position(record: &KeyedRecord) -> Option<Position> {
    let order = record.headers.iter().find(|(name, _)| name == ORDER_HEADER);
    let order = order.and_then(|(_, order)| std::str::from_utf8(order).ok()?.parse().ok());
    Some(Position {
        offset: std::str::from_utf8(&record.value).ok()?.to_owned(),
        order: order.map(Order),
    })
}

fn sorted(object: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    object.iter().collect()
}
