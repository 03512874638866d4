//! Waiting for files to change.
//!
//! By looking, not by inotify: inotify tells nothing about writes of another host on NFS, nothing
//! through some bind mounts and overlays, runs out of watches, and the simulated disk has none. A
//! look is one `stat` for a path and one directory listing for a glob; looks come fast at first and
//! slow down, and never take more than a tenth of the time.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::Error;
use crate::client::{Entry, FilesClient};

/// Pause before the first look again, doubled each time.
const LOOK_INTERVAL_MIN: Duration = Duration::from_millis(20);

/// Longest pause, unless a look itself takes long.
const LOOK_INTERVAL_MAX: Duration = Duration::from_millis(200);

/// A look that took this long is followed by ten times as long a pause.
const PAUSE_PER_LOOK: u32 = 10;

/// Longest wait that a clock can hold, for callers that mean "for ever".
const TIMEOUT_MAX: Duration = Duration::from_secs(86_400 * 365);

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Path, identity or size of a file is another one, or a file came or went.
    Changed,
    /// The time is up.
    TimedOut,
}

pub(crate) async fn wait_change(
    client: &FilesClient,
    patterns: &[String],
    known: &[Entry],
    timeout: Duration,
) -> Result<Change, Error> {
    let deadline = Instant::now() + timeout.min(TIMEOUT_MAX);
    let mut known: Vec<_> = known.iter().map(facts).collect();
    known.sort_unstable();
    known.dedup();
    let mut interval = LOOK_INTERVAL_MIN;
    loop {
        let began = Instant::now();
        if differs(client, patterns, &known).await? {
            return Ok(Change::Changed);
        }
        let pause = interval.max(began.elapsed() * PAUSE_PER_LOOK);
        let next_look = sleep_until(Instant::now() + pause);
        if timeout_at(deadline, next_look).await.is_err() {
            return Ok(Change::TimedOut);
        }
        interval = (interval * 2).min(LOOK_INTERVAL_MAX);
    }
}

async fn differs(
    client: &FilesClient,
    patterns: &[String],
    known: &[Facts<'_>],
) -> Result<bool, Error> {
    let mut found = Vec::new();
    for pattern in patterns {
        found.extend(client.list(pattern).await?);
    }
    let mut found: Vec<_> = found.iter().map(facts).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found != known)
}

type Facts<'a> = (&'a str, &'a str, u64);

fn facts(entry: &Entry) -> Facts<'_> {
    (&entry.path, &entry.stat.identity, entry.stat.size)
}
