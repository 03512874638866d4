//! A disk under a worker that stalls and fails as it is told: what the worker syncs waits, or is refused.
//!
//! The worker is the real one. A library stands before the C library's `fdatasync` in its process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

const SOURCE: &str = include_str!("disk.c");

/// A disk for workers that are started on it.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

/// Nothing becomes durable for as long as it is there.
#[derive(Debug)]
pub struct Stalled {
    _lock: File,
}

impl Disk {
    /// Makes one that works, with its files in a folder of its own.
    ///
    /// # Errors
    /// When there is no C compiler, which cargo needs too.
    pub fn prepare(folder: &Path) -> Result<Self> {
        let folder = folder.join("disk");
        fs::create_dir(&folder)?;
        let disk = Self { folder };
        fs::write(disk.lock(), "")?;
        let source = disk.folder.join("disk.c");
        fs::write(&source, SOURCE)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
        let output = compiler.arg(disk.library()).arg(source).output();
        let output = output.context("start cc")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cc: {said}");
        Ok(disk)
    }

    /// Lets every sync wait until the answer is dropped.
    ///
    /// # Errors
    /// When the system refuses the lock.
    pub fn stall(&self) -> Result<Stalled> {
        let lock = File::open(self.lock())?;
        lock.lock()?;
        Ok(Stalled { _lock: lock })
    }

    /// Lets every sync fail from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn fail(&self) -> Result<()> {
        fs::write(self.fails(), "").context("let a disk fail")
    }

    /// The worker's environment.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("LD_PRELOAD", self.library()),
            ("LONGSHORE_DISK_LOCK", self.lock()),
            ("LONGSHORE_DISK_FAILS", self.fails()),
        ]
    }

    fn library(&self) -> PathBuf {
        self.folder.join("disk.so")
    }

    fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    fn fails(&self) -> PathBuf {
        self.folder.join("fails")
    }
}
