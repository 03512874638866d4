//! PostgreSQL under a grant: ordinary sessions, copies, slots and replication streams.
//!
//! This room owns the server's side of Postgres: sockets, TLS, passwords, keepalives, feedback and
//! back-pressure. It knows neither plugins nor what a WAL message means: rows are text, copies are
//! bytes, and a stream is frames of `longshore_model::WalFrame`. Everything that touches a
//! socket runs on the runtime behind the client's handle; callers of other runtimes await
//! channels only.
//!
//! *Invariant*: a stream tells the server that something is flushed only as far as
//! [`WalStream::confirm`] was called (invariant 1). Feedback that keeps a connection alive never
//! moves it.

mod answer;
mod attempt;
mod bounded;
mod buffer;
mod client;
mod command;
mod copy;
mod error;
mod feed;
mod frame;
mod grant;
mod login;
mod replication;
mod session;
mod silence;
mod socket;
mod stream;
mod tcp;
mod tls;
mod wire;

pub use answer::{Answer, Meaning};
pub use client::{PostgresClient, SESSIONS_MAX};
pub use copy::{Copied, CopyOut};
pub use error::Error;
pub use frame::MESSAGE_BYTES_MAX;
pub use grant::PostgresGrant;
pub use replication::{CreatedSlot, Replication, SystemIdentity};
pub use session::{Rows, Session};
pub use stream::WalStream;
