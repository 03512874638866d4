//! The one guarded HTTP layer: Kafka Connect's API, topics and their records, OpenAPI, metrics,
//! health.
//!
//! It owns listeners, wire types and status codes, and knows the worker by its handle only. No call
//! goes from here into a task.
//!
//! *Invariant*: wire types are not domain types; status codes of failures are named in `error` and
//! nowhere else; every body of an error has Kafka Connect's shape; no page of another origin and no
//! name that merely resolves to loopback gets an answer.

mod api;
mod connectors;
mod dto;
mod error;
mod extract;
mod guard;
mod metrics;
mod openapi;
mod plugins;
mod root;
mod router;
mod server;
mod tasks;
mod topics;

pub use api::{Api, Identity};
pub use dto::NewConnector;
pub use router::router;
pub use server::{BindError, Rest};
