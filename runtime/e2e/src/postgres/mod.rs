//! Real PostgreSQL for tests, proofs and benchmarks: databases of their own on one server, SQL over `psql`, and captures of
//! them by a worker.

mod capture;
mod database;
mod event;
pub mod proof;
mod psql;
mod shared;

pub use capture::{Capture, Sender};
pub use database::Database;
pub use event::Event;
pub use psql::Psql;
pub use shared::{programs, shared};
