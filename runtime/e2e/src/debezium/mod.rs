//! Debezium in Kafka Connect on Kafka, beside ours on the same database: the same connector JSON, the same changes, and what
//! both wrote held against each other, field by field.
//!
//! *Must not know*: how either maps a value; it only compares what came out.
//! *Invariant*: a difference that no rule of `explained` or `ignored` names by type and condition fails the proof, and
//! so does a rule that nothing needed.

mod catalog;
mod compare;
mod connectors;
mod difference;
mod explained;
mod ignored;
mod literal;
mod moment;
mod peer;
mod proof;
mod records;
mod workload;

pub use peer::Peer;
pub use proof::compare;
