//! Benchmarks over the binary. Each prints what it measured and its baseline from the same run; a figure without its
//! baseline says little about a machine.

pub mod file_to_topic;
pub mod idle;
mod process_cost;
pub mod rest_latency;
