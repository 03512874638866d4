//! Between the component's exports and the author's trait. Only [`crate::plugin!`] names it.
//!
//! *Invariant*: generated types end here; a call that overlaps another is a fault, not a panic.

#[expect(missing_docs, reason = "generated from the WIT")]
pub mod bindings;
pub(crate) mod convert;
mod plugin;
mod sink;
mod slot;
mod source;
mod transform;

pub use plugin::{PluginExports, validate_sink, validate_source, validate_transform};
pub use sink::SinkExports;
pub use slot::Slot;
pub use source::{CleanupExports, ContractsExports, SourceExports};
pub use transform::TransformExports;
