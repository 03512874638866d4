//! Runs plugins: wasmtime, and only here.
//!
//! This room owns the shelf of plugins, their manifests, their instances, and the bridge between the
//! contract's types and plain ones. It implements the plugin ports of `longshore-pipeline` and knows
//! neither brokers nor REST. Guests run on a runtime of their own; whatever waits for a disk or a
//! socket waits on the worker's, and an import only awaits the answer.
//!
//! *Invariant*: a guest reaches only what it was granted (invariant 8), and whatever it does costs
//! its own task and nothing else. Upstream is confirmed with a `Stored` in hand and nowhere else
//! (invariant 1).

mod bindings;
mod bridge;
mod component;
mod engine;
mod error;
mod grants;
mod instance;
mod limits;
mod manifest;
mod plugin;
mod shelf;
mod streams;
mod voice;

pub use engine::HostConfig;
pub use error::Error;
pub use limits::Limits;
pub use manifest::Facts;
pub use plugin::{Contract, Host, WasmSignal, WasmSink, WasmSource, WasmTransform};
pub use shelf::{BrokenPlugin, Builtin};
pub use streams::{Streams, Upstream};
