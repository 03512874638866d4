//! Files under grants.
//!
//! This room owns which files a plugin may touch, and what it does with them: listing, identity,
//! reading, appending, replacing, and waiting for a change. It reaches files through
//! `longshore-disk` only, so that connectors run over the simulated disk as well, and it knows
//! neither plugins nor wasmtime: everything here is plain async Rust.
//!
//! *Invariant*: no name is opened before the [`FilesGrant`] has resolved it (invariant 8).

mod calls;
mod client;
mod error;
mod file;
mod glob;
mod grant;
mod watch;
mod work;

pub use client::{Entry, FilesClient, LIST_ENTRIES_MAX, Stat};
pub use error::Error;
pub use file::{OPEN_FILES_MAX, OpenFile, READ_BYTES_MAX};
pub use grant::{Access, FilesGrant, SIDECAR_SUFFIX};
pub use watch::Change;
pub use work::Work;
