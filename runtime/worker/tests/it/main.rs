//! The worker over a broker in memory and plugins that are not WASM.

mod fake;
mod fixture;
mod lifecycle;
mod sinks;
mod sources;
mod validation;
