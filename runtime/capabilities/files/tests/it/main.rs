//! The file capability over real files: identity, reading, appending, replacing, waiting.

mod calls;
mod client;
mod wait;

use std::path::Path;
use std::sync::Arc;

use longshore_cap_files::{Access, FilesClient, FilesGrant, Work};
use longshore_disk::RealDisk;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A client whose working directory is `dir`, with one grant.
fn client(dir: &TempDir, access: Access, named: &str) -> FilesClient {
    let mut grant = FilesGrant::new(dir.path().to_owned(), Path::new("data"));
    grant.name(access, named).expect("a path or a glob");
    FilesClient::new(Arc::new(RealDisk), grant, Work::Blocking(Handle::current()))
}
