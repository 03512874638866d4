//! The worker over a broker in memory and plugins that are not WASM.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod cleanup;
mod fake;
mod fixture;
mod lifecycle;
mod passwords;
mod sinks;
mod sources;
mod validation;
