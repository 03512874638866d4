//! What stands in a topic.

use std::ops::Range;

use longshore_log::Log;
use longshore_pipeline::port::Fetch;
use serde_json::Value;

use crate::simulation::worker::partition;

/// A record; null where it has no key, or is a tombstone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) key: Value,
    pub(super) value: Value,
}

/// All records of a topic; none where there is no such topic.
pub(super) async fn read_topic(log: &Log, topic: &str) -> Vec<Record> {
    let partition = partition(topic);
    let mut records = Vec::new();
    let Ok((mut offset, end)) = Fetch::bounds(log, &partition).await else {
        return records;
    };
    while offset < end {
        let fetched = Fetch::fetch(log, &partition, offset, 1 << 20)
            .await
            .unwrap();
        let json = |range: &Option<Range<u32>>| match range {
            None => Value::Null,
            Some(range) => serde_json::from_slice(fetched.bytes(range)).unwrap(),
        };
        records.extend(fetched.records.iter().map(|record| Record {
            key: json(&record.key),
            value: json(&record.value),
        }));
        offset = fetched.next_offset;
    }
    records
}

/// A change that a topic tells, or should tell.
#[derive(Clone, PartialEq)]
pub(super) struct Event {
    /// `r`, `c`, `u`, `d`.
    pub(super) op: char,
    /// The transaction, as the stream numbers it; of a read nothing is held against it.
    pub(super) xid: Option<u64>,
    pub(super) before: Value,
    pub(super) after: Value,
}

impl Event {
    pub(super) fn parse(value: &Value) -> Self {
        let op = value["op"].as_str().unwrap().chars().next().unwrap();
        let xid = value["source"]["txId"].as_u64().filter(|_| op != 'r');
        Self {
            op,
            xid,
            before: value["before"].clone(),
            after: value["after"].clone(),
        }
    }
}

/// In one line, so that two histories can be compared by eye.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            op,
            xid,
            before,
            after,
        } = self;
        write!(f, "{op} in {xid:?}: {before} -> {after}")
    }
}
