//! What a process has cost so far, from `/proc`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) cpu_s: f64,
    pub(super) rss_mb: f64,
    pub(super) peak_rss_mb: f64,
    /// What it has sent to the disk.
    pub(super) written_bytes: u64,
}

impl Cost {
    pub(super) fn of(process: u32) -> Result<Self> {
        let folder = Path::new("/proc").join(process.to_string());
        let megabytes =
            |field| Ok::<_, anyhow::Error>(number(&folder, "status", field)? * 1024.0 / 1e6);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of bytes"
        )]
        let bytes = |field| Ok::<_, anyhow::Error>(number(&folder, "io", field)? as u64);
        Ok(Self {
            cpu_s: cpu_seconds(&folder)?,
            rss_mb: megabytes("VmRSS:")?,
            peak_rss_mb: megabytes("VmHWM:")?,
            written_bytes: bytes("write_bytes:")?,
        })
    }

    pub(super) fn of_this_process() -> Result<Self> {
        Self::of(std::process::id())
    }

    /// CPU seconds of the processes that this one started and that have ended.
    pub(super) fn of_children() -> Result<f64> {
        cpu_fields(&Path::new("/proc").join("self"), [13, 14])
    }
}

/// CPU seconds of a process's threads of this name.
pub(super) fn threads_cpu_s(process: u32, name: &str) -> Result<f64> {
    let mut cpu_s = 0.0;
    for thread in fs::read_dir(Path::new("/proc").join(process.to_string()).join("task"))? {
        let folder = thread?.path();
        if fs::read_to_string(folder.join("comm"))?.trim_end() == name {
            cpu_s += cpu_seconds(&folder)?;
        }
    }
    Ok(cpu_s)
}

/// Seconds that a program takes from start to end.
pub(super) fn run_to_end(command: &mut Command) -> Result<f64> {
    let started = tokio::time::Instant::now();
    let output = command.output()?;
    let took = started.elapsed().as_secs_f64();
    anyhow::ensure!(output.status.success(), "it ended with {}", output.status);
    Ok(took)
}

fn cpu_seconds(folder: &Path) -> Result<f64> {
    cpu_fields(folder, [11, 12])
}

/// The sum of two counts of clock ticks, counted from the state of the process.
fn cpu_fields(folder: &Path, places: [usize; 2]) -> Result<f64> {
    let stat = fs::read_to_string(folder.join("stat"))?;
    // The name stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks =
        |index: usize| -> Result<f64> { Ok(fields.get(index).context("a field")?.parse()?) };
    Ok((ticks(places[0])? + ticks(places[1])?) / rustix::param::clock_ticks_per_second() as f64)
}

fn number(folder: &Path, file: &str, field: &str) -> Result<f64> {
    let text = fs::read_to_string(folder.join(file))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .with_context(|| format!("no {field} in {file}"))?
        .parse()?)
}
