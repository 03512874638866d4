//! The API over a worker whose broker is in memory and whose plugins are the worker tests' own.

#[path = "../../../worker/tests/it/fake.rs"]
mod fake;

mod connectors;
mod fixture;
mod http;
mod openapi;
mod plugins;
mod topics;
