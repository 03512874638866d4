//! What a connector author imports.
//!
//! A connector implements [`Source`], [`Sink`] or [`Transform`] over a typed config
//! (`#[derive(Config)]`) and is registered by one [`plugin!`]. It reaches the world through [`Ctx`]
//! only, so the same code runs as a WASM component under Longshore and natively under the testkit.
//!
//! ```
//! use longshore_sdk::{BatchWriter, Config, Ctx, Datum, Fault, NewRow, PollLimits, Polled, Source};
//! use longshore_sdk::{Position, SourcePosition, TaskContext, plugin};
//!
//! /// Counts upwards.
//! struct Counter {
//!     config: CounterConfig,
//!     next: u64,
//! }
//!
//! #[derive(Config)]
//! struct CounterConfig {
//!     /// The topic that records go to.
//!     #[config(importance = "high", topic)]
//!     topic: String,
//!     /// Where counting ends.
//!     #[config(name = "count.to", default = "10", range(min = 1))]
//!     count_to: u64,
//! }
//!
//! impl Source for Counter {
//!     type Config = CounterConfig;
//!
//!     async fn open(
//!         _ctx: &Ctx,
//!         _task: TaskContext,
//!         config: CounterConfig,
//!         positions: Vec<SourcePosition>,
//!     ) -> Result<Self, Fault> {
//!         let stored = positions.first().and_then(|p| p.position.order);
//!         let next = stored.map_or(0, |order| order.0 as u64);
//!         Ok(Self { config, next })
//!     }
//!
//!     async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
//!         if self.next == self.config.count_to {
//!             ctx.wait(60_000).await;
//!             return Ok(Polled::default());
//!         }
//!         let mut batch = BatchWriter::default();
//!         let topic = Some(batch.topic(&self.config.topic)?);
//!         let source = batch.source(r#"{"counter":1}"#)?;
//!         while batch.rows() < limits.records_max && self.next < self.config.count_to {
//!             let text = self.next.to_string();
//!             let (source, value) = (Some(source), Datum::Text(&text));
//!             batch.push(&NewRow { topic, source, value, ..NewRow::default() })?;
//!             self.next += 1;
//!         }
//!         batch.position(source, Position::at(format!(r#"{{"next":{}}}"#, self.next), self.next));
//!         Polled::batch(batch)
//!     }
//! }
//!
//! plugin! { name: "counter", source: Counter }
//! # fn main() {}
//! ```
//!
//! Build it with
//! `cargo rustc --package counter --lib --crate-type cdylib --target wasm32-wasip2 --profile guest`.
//! The crate type is named so that link-time optimisation runs: cargo leaves it out where a crate is
//! `cdylib` and `rlib` at once.
//!
//! *Must not know*: anything of the runtime. *Invariant*: an author sees no generated type and writes
//! no `unsafe`; what is not used is not imported by the component.
#![warn(missing_docs)]

extern crate self as longshore_sdk;

pub mod config;
mod context;
mod files;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
pub mod host;
#[doc(hidden)]
pub mod manifest;
mod plugin;
pub mod postgres;
mod sink;
mod source;
mod transform;

pub use config::{Config, ConfigMap, Secret};
pub use context::{Ctx, Level, TaskContext, Wake};
pub use files::{File, FileEntry, FileStat, Files};
pub use longshore_model::batch::{
    BATCH_BYTES_MAX, Batch, BatchWriter, Datum, FaultIndex, Header, Headers, LARGE_BATCH_BYTES_MAX,
    LARGE_BATCH_ROWS_MAX, Malformed, NewRow, Row, SourceIndex, TopicIndex,
};
pub use longshore_model::{
    Fault, FaultClass, Manifest, Order, Position, SourcePosition, Value, Watermark, avro, json,
    schema, wal,
};
pub use longshore_sdk_macros::Config;
pub use plugin::{Cleanup, Contract, Contracts, Leftover, Plugin, Problem, Severity};
pub use sink::{Assignment, AssignmentChange, RowFault, Sink, TopicPosition};
pub use source::{PollLimits, Polled, Source};
pub use transform::Transform;
