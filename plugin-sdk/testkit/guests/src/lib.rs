//! Guests that use what the foundation's connectors do not, one example each.
//!
//! `orders` is a source of Avro datums under a declared schema; it knows its contracts beforehand and
//! checks offsets given over REST. `reshape` is a transform that changes, drops and refuses records by
//! its config. Built as every plugin is:
//! `cargo build --package longshore-testkit-guests --examples --target wasm32-wasip2 --profile guest`,
//! into `wasm32-wasip2/guest/examples/`.
