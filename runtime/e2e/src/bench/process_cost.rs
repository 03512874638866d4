//! What a process has cost so far, from `/proc`.

use std::fs;

use anyhow::{Context as _, Result};

/// Linux counts in hundredths of a second everywhere that it runs.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) cpu_s: f64,
    pub(super) rss_mb: f64,
    pub(super) peak_rss_mb: f64,
}

impl Cost {
    pub(super) fn of(process: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name stands in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks =
            |index: usize| -> Result<f64> { Ok(fields.get(index).context("a field")?.parse()?) };
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let megabytes = |name: &str| -> Result<f64> {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .context("a line")?;
            let number = line.trim_start_matches(':').trim().trim_end_matches(" kB");
            Ok(number.parse::<f64>()? * 1024.0 / 1e6)
        };
        Ok(Self {
            cpu_s: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
            rss_mb: megabytes("VmRSS")?,
            peak_rss_mb: megabytes("VmHWM")?,
        })
    }
}
