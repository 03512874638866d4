//! A temporary directory that the process works in, as the examples' relative paths expect; removed at the end.

use std::path::{Path, PathBuf};

use crate::error::{Code, Failure, Result};

pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    pub(super) fn enter() -> Result<Self> {
        let name = format!("longshore-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let failed = |error: std::io::Error| {
            Failure::new(Code::DataDir, format!("{}: {error}", path.display()))
        };
        std::fs::create_dir_all(&path).map_err(failed)?;
        std::env::set_current_dir(&path).map_err(failed)?;
        Ok(Self { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A process must not stand in a directory that goes away.
        let left = std::env::set_current_dir(Path::new("/"));
        if left.is_ok() {
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
