//! The server that tests of one process share.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context as _, Result};
use longshore_rig::{Programs, Server};

use crate::program;

/// Tests that run at the same time have the same server; the last of them ends it.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

/// A server with our ordinary settings.
///
/// # Errors
/// When PostgreSQL is not there, or does not start.
pub fn shared() -> Result<Arc<Server>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Ok(server);
    }
    // Of each line of its log it tells the database.
    let settings = [("log_line_prefix", "%d ")];
    let server = Arc::new(Server::start(&programs()?, &settings)?);
    *shared = Arc::downgrade(&server);
    Ok(server)
}

/// PostgreSQL's programs.
///
/// # Errors
/// When they are not there.
pub fn programs() -> Result<Programs> {
    Programs::find(&program::target_dir()?)
        .context("PostgreSQL is not installed; `cargo xtask test` installs or unpacks it")
}
