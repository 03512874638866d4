//! Longshore's model: what a record, a position, a fault and a plugin's manifest *are*.
//!
//! Guests and host share this crate, so it is `no_std` with `alloc` and does no IO, reads no clock
//! and knows no async. Domain types derive no serde: the crates at the edge own their wire types.
//!
//! *Invariant*: malformed input is an error value, never a panic and never an unbounded allocation.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

pub mod avro;
pub mod batch;
pub mod config;
mod fault;
mod id;
pub mod json;
mod manifest;
mod position;
pub mod schema;
mod value;
pub mod wal;

pub use fault::{Fault, FaultClass};
pub use id::{ConnectorName, InvalidName, TaskId, TopicName, TopicPartition};
pub use manifest::{Capability, InvalidManifest, MANIFEST_SECTION, Manifest, Role};
pub use position::{Order, Position, SourcePosition, Watermark};
pub use value::Value;
