//! The worker: connectors, tasks, their lifecycles, offsets and status.
//!
//! A request is checked, written to the config topic, and read from there by the worker's loop,
//! which tells each connector's own loop what is wanted of it; tasks start or stop; the status topic
//! says how they fare, and that is what a caller reads. No call goes from a caller into a task.
//!
//! This room knows the ports of the pipeline and nothing behind them: no broker, no wasmtime, no
//! HTTP. It builds and tests with all of them in memory.
//!
//! *Invariant*: one task is one future; no lock is held over an await where data moves; a stop has
//! a deadline. What a task does next is decided by pure tables (`task::state`, `restart`,
//! `assignment`).

mod assignment;
mod catalog;
mod config;
mod connector;
mod context;
mod definition;
mod error;
mod guarded;
mod handle;
mod offsets;
mod records;
mod request;
mod restart;
mod seal;
mod state_topic;
mod status;
mod task;
mod tracker;
mod validate;
mod view;
mod worker;

pub use catalog::{CONFIGS_TOPIC, TargetState};
pub use config::WorkerConfig;
pub use error::Error;
pub use handle::WorkerHandle;
pub use records::{Begin, Follow, NewRecord, Record, Records};
pub use restart::{RestartPolicy, RestartRequest};
pub use seal::SealKey;
pub use status::{Kind, STATUS_TOPIC, State, Status};
pub use validate::{Finding, KeyInfo, KeyValue, Submitted, Validation};
pub use view::{ConnectorInfo, ConnectorStatus, TaskStatus};
pub use worker::Worker;
