//! Guests that misbehave on purpose, one to an example, and a few that behave.
//!
//! The host's tests run each of them as the WebAssembly that it compiles to:
//! `cargo build --package longshore-zoo --examples --target wasm32-wasip2 --profile guest`.
//!
//! They are guests only: for the machine that builds them they are empty.
//!
//! *Invariant*: every guest here has a test in the host; a test compares the names.
