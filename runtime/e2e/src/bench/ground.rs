//! Where a benchmark runs: a directory beside the binary, on a real disk, with enough room.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::Bench;
use crate::program;

/// A directory that goes with it.
#[derive(Debug)]
pub struct Ground {
    folder: TempDir,
}

impl Ground {
    /// Makes one; a temporary directory of the system may lie in memory, where there is nothing to sync.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir_in(home()?).context("make a directory")?;
        Ok(Self { folder })
    }

    /// The directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Says how much disk the benchmarks take at most, and refuses to begin without it.
    ///
    /// # Errors
    /// When there is less.
    pub fn check(benches: &[&Bench]) -> Result<()> {
        let home = home()?;
        let needed = benches.iter().map(|bench| bench.disk_bytes).max();
        let needed = needed.unwrap_or_default().div_ceil(1 << 30);
        let stat = rustix::fs::statvfs(&home)?;
        let free = (stat.f_bavail * stat.f_frsize) >> 30;
        println!(
            "{needed} GiB of disk are needed at most in {}; {free} are free",
            home.display()
        );
        if free < needed {
            bail!("there is too little room on the disk");
        }
        Ok(())
    }
}

fn home() -> Result<PathBuf> {
    let home = program::target_dir()?.join("bench");
    fs::create_dir_all(&home).with_context(|| format!("make {}", home.display()))?;
    Ok(home)
}
