//! Change capture against a real PostgreSQL. Numbers are the rows of the acceptance cases that the connector was built to;
//! where a case ran smaller than it asks for, it says so.

mod elsewhere;
mod fault;
mod findings;
mod golden;
mod limits;
mod meaning;
mod options;
mod options_of_capture;
mod outage;
mod proofs;
mod restart;
mod schema_change;
mod setup;
mod size;
mod snapshot;
mod values;

use longshore_e2e::postgres::Event;
use serde_json::Value;

/// What happened, in short: operation and key of each event, a tombstone as `-`.
fn short(events: &[Event]) -> Vec<(String, Value)> {
    let op = |event: &Event| match event.op() {
        "" => "-".to_owned(),
        op => op.to_owned(),
    };
    events
        .iter()
        .map(|event| (op(event), event.key.clone()))
        .collect()
}

/// The same of what is expected.
fn expected<const N: usize>(events: [(&str, Value); N]) -> Vec<(String, Value)> {
    events
        .into_iter()
        .map(|(op, key)| (op.to_owned(), key))
        .collect()
}
