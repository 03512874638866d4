//! Black-box tests over the binary, and the adapter that runs connectors natively.
//!
//! *Must not know*: how the worker is built; tests reach it as its users do.

pub mod native;
