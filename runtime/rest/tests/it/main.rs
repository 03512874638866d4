//! The API over a worker whose broker is in memory and whose plugins are the worker tests' own.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

#[path = "../../../worker/tests/it/fake.rs"]
mod fake;

mod connectors;
mod fixture;
mod http;
mod openapi;
mod plugins;
mod topics;
