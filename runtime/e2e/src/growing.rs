//! A log file that grows and is rotated by rename, as a program and logrotate would have it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use crate::seed::Random;

const PAUSE: Duration = Duration::from_millis(1);

/// A thread that writes; it stops when asked, and then says what it wrote.
#[derive(Debug)]
pub struct Growing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<u8>>>,
}

impl Growing {
    /// Begins to write `path`; after whole lines it is renamed to `path.N` and begun anew.
    #[must_use]
    pub fn start(path: &Path, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (path, asked) = (path.to_owned(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || write(&path, &asked, Random::new(seed)));
        Self { stop, thread }
    }

    /// Ends the writing; everything that was written, in order.
    ///
    /// # Errors
    /// When the file could not be written.
    pub fn stop(self) -> Result<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| anyhow!("the writer panicked"))?
    }
}

fn write(path: &Path, stop: &AtomicBool, mut random: Random) -> Result<Vec<u8>> {
    let mut written = Vec::new();
    let mut file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    let mut n_rotated = 0;
    let mut n_lines = 0_u64;
    let mut left = random.within(50..400);
    while !stop.load(Ordering::Relaxed) {
        let mut burst = Vec::new();
        for _ in 0..random.within(1..20).min(left) {
            let padding = usize::try_from(random.within(0..200))?;
            writeln!(burst, "{n_lines} {}", "~".repeat(padding))?;
            n_lines += 1;
            left -= 1;
        }
        // A line may come in two pieces, as from a program without a buffer.
        let cut = usize::try_from(random.within(0..u64::try_from(burst.len())?))?;
        file.write_all(&burst[..cut])?;
        file.write_all(&burst[cut..])?;
        written.extend_from_slice(&burst);
        if left == 0 {
            n_rotated += 1;
            fs::rename(path, rotated(path, n_rotated))?;
            file = File::create(path)?;
            left = random.within(50..400);
        }
        sleep(PAUSE);
    }
    Ok(written)
}

fn rotated(path: &Path, number: u32) -> PathBuf {
    PathBuf::from(format!("{}.{number}", path.display()))
}
