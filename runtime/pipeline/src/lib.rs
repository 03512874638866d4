//! The heart: how a record goes from a source to a topic and from a topic to a sink, and when it
//! counts as delivered.
//!
//! This room owns the ports that brokers and plugins implement, the batches that move, converters,
//! transforms, the failure policy, the ledger, and the two flows. It knows no sockets, no files, no
//! wasmtime and no wall clock, so that everything in it runs under paused time from a seed.
//!
//! *Invariant*: data moves one way, by value; only positions come back, through one type, the
//! [`delivery::Ledger`], and a [`delivery::Stored`] can be made only out of a durable append.
#![warn(missing_docs)]

pub mod batch;
pub mod converter;
pub mod delivery;
pub mod failure;
pub mod flow;
pub mod keyed;
pub mod memory;
pub mod port;
pub mod schemas;
pub mod settings;
pub mod telemetry;
pub mod transform;
