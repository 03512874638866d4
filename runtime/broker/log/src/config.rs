//! How a log is set up.

use std::time::Duration;

use crate::topics::MAX_MESSAGE_BYTES_MAX;

/// Settings of a log. The defaults are what a worker uses.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// When outside Produce requests are answered. Everything else is answered after a sync.
    pub flush: Flush,
    /// Size at which a journal file is closed and the next one begun.
    pub file_bytes: u64,
    /// Outside writes wait while this much is queued; one that is larger waits for all of it.
    pub queue_bytes_max: usize,
    /// No append is larger.
    pub append_bytes_max: usize,
    /// How much one write and one sync take from the queue at most, unless one append alone is larger.
    pub group_bytes_max: usize,
    /// A checkpoint of the index is taken when so much journal lies behind the last one ...
    pub checkpoint_bytes: u64,
    /// ... or so many changed entries wait in memory.
    pub checkpoint_entries: usize,
    /// How often retention and the cleaner look for work.
    pub upkeep_interval: Duration,
    /// The cleaner works while the disk holds more than this many percent of the live data.
    pub disk_percent_max: u64,
    /// How much the cleaner copies in one append.
    pub copy_bytes_max: usize,
    /// Partitions of a topic that is created without a number.
    pub num_partitions: u32,
    /// Idempotent producers that have not written for so long are forgotten.
    pub producer_expiration: Duration,
}

/// When an outside Produce request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// After its data was synced.
    Commit,
    /// After its data was written; a sync follows within the interval.
    Interval(Duration),
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            flush: Flush::Commit,
            file_bytes: 256 << 20,
            queue_bytes_max: 32 << 20,
            // A changed key is a delete and a create in one append, each as large as a topic takes.
            append_bytes_max: 2 * MAX_MESSAGE_BYTES_MAX + (32 << 20),
            group_bytes_max: 4 << 20,
            checkpoint_bytes: 64 << 20,
            checkpoint_entries: 16_384,
            upkeep_interval: Duration::from_secs(10),
            disk_percent_max: 125,
            copy_bytes_max: 1 << 20,
            num_partitions: 1,
            producer_expiration: Duration::from_secs(24 * 3600),
        }
    }
}
