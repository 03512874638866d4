//! A throw-away PostgreSQL: found where Debian puts it or where `cargo xtask` unpacked it, run as a user that it accepts,
//! and gone with the process that started it. xtask's demo and the end-to-end tests share it, and know nothing of each other.
//!
//! *Must not know*: Longshore.
//! *Invariant*: a server ends, and its files go, however its owner ends.

mod programs;
mod server;

pub use programs::Programs;
pub use server::{PASSWORD, Server, Stop, USER};
