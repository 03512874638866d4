//! Black-box tests over the binary, the proofs and benchmarks that run it, and the adapter that runs connectors natively,
//! for the simulation of the whole path and the cost of the plugin boundary.
//!
//! *Must not know*: how the worker is built; tests reach it as its users do.
//! *Invariant*: every process that is started here is ended by its id, and every test has a directory and ports of its own.

pub mod bench;
pub mod debezium;
pub mod disk;
pub mod growing;
pub mod java;
pub mod kill;
pub mod native;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod rest;
pub mod seed;
pub mod simulation;
pub mod watch;
pub mod worker;
