//! The Kafka listener over a real log, spoken to by a small client of its own and by raw sockets.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod batch;
mod client;
mod connection;
mod consume;
mod listeners;
mod produce;
mod rig;
mod topics;
