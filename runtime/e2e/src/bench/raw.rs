//! What the disk does by itself: the baselines.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::fs::{Advice, fadvise};
use tokio::time::Instant;

/// A raw file is synced whenever so much was written.
pub(super) const SYNC_BYTES: usize = 2 << 20;
const READ_BYTES: usize = 1 << 20;

/// Seconds to read a file and write it again with a sync every 2 MiB.
pub(super) fn copy(from: &Path, to: &Path) -> Result<f64> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut buffer = vec![0; SYNC_BYTES];
    let started = Instant::now();
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(started.elapsed().as_secs_f64());
        }
        to.write_all(&buffer[..n])?;
        to.sync_data()?;
    }
}

/// Seconds to read files one after another that are not in memory.
pub(super) fn read_cold<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<f64> {
    let files: Vec<File> = files
        .into_iter()
        .map(File::open)
        .collect::<Result<_, _>>()?;
    for file in &files {
        forget_pages(file)?;
    }
    let mut buffer = vec![0; READ_BYTES];
    let started = Instant::now();
    for mut file in &files {
        while file.read(&mut buffer)? > 0 {}
    }
    Ok(started.elapsed().as_secs_f64())
}

/// Makes the next reader go to the disk.
pub(super) fn forget_pages(file: &File) -> Result<()> {
    file.sync_all()?;
    fadvise(file, 0, None::<NonZeroU64>, Advice::DontNeed)?;
    Ok(())
}

/// A file that is written as a benchmark writes elsewhere, so that both meet the same disk.
pub(super) struct RawFile {
    file: File,
    pub(super) path: PathBuf,
    pub(super) written: u64,
    pub(super) write_time: Duration,
    worst: Duration,
}

impl RawFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: File::create(path)?,
            path: path.to_owned(),
            written: 0,
            write_time: Duration::ZERO,
            worst: Duration::ZERO,
        })
    }

    /// Appends and syncs.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let begun = Instant::now();
        self.file.write_all_at(bytes, self.written)?;
        self.file.sync_data()?;
        let took = begun.elapsed();
        self.written += bytes.len() as u64;
        self.write_time += took;
        self.worst = self.worst.max(took);
        Ok(())
    }

    /// The longest write since the last call.
    pub(super) fn take_worst(&mut self) -> Duration {
        std::mem::take(&mut self.worst)
    }
}
