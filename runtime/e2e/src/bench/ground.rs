//! Where a benchmark runs: a directory beside the binary, on a real disk, with enough room.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
    /// Makes one; a temporary directory of the system may lie in memory, where there is nothing to sync. Free memory is
    /// filled.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir_in(home()?).context("make a directory")?;
        let ground = Self { folder };
        ground.fill_memory()?;
        Ok(ground)
    }

    /// Gives memory that has become free to a file, which gives it up at once when somebody wants it.
    ///
    /// The host of a virtual machine may take back what is free, and then whoever writes first pays for it: 14 µs a page
    /// have been measured, which is 2 µs for each record of 560 bytes. What a baseline or another benchmark left behind
    /// would decide over what comes next. The file is a hole, so that reading it takes memory and no disk.
    ///
    /// # Errors
    /// When the kernel does not say how much is free, or the directory takes no such file.
    pub fn fill_memory(&self) -> Result<()> {
        let mut file = tempfile::tempfile_in(self.folder())?;
        file.set_len(memory_free_kb()? * 1024)?;
        let mut chunk = vec![0; 1 << 20];
        while file.read(&mut chunk)? > 0 {}
        let mut filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
        filled.push(file);
        Ok(())
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

/// Files that hold memory until the process ends.
static FILLED: Mutex<Vec<File>> = Mutex::new(Vec::new());

fn memory_free_kb() -> Result<u64> {
    let known = fs::read_to_string("/proc/meminfo")?;
    let free = known.lines().find_map(|line| line.strip_prefix("MemFree:"));
    let free = free.context("the kernel says how much memory is free")?;
    Ok(free.trim_end_matches("kB").trim().parse()?)
}

fn home() -> Result<PathBuf> {
    let home = program::target_dir()?.join("bench");
    fs::create_dir_all(&home).with_context(|| format!("make {}", home.display()))?;
    Ok(home)
}
