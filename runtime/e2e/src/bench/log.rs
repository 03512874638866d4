//! The log by itself, beside a raw file on the same disk.
//!
//! Both write 2 MiB and sync, in turns of 64 MiB, so that they meet the same disk; the log's 2 MiB are one append to 32
//! topics. Then one partition is read cold, two thirds of the topics expire, and the log goes on taking appends while
//! the cleaner works.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use longshore_log::{
    Append, Batch, BatchBuilder, Generation, Log, LogConfig, LogThreads, NewTopic, Owner,
};
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::Clock;
use tokio::time::{Instant, sleep};

use super::Ground;
use super::figure::{Figure, mb_s, ratio};
use super::process_cost::Cost;
use super::raw::{self, RawFile, SYNC_BYTES};
use crate::seed::Random;

const BYTES: u64 = 10_000_000_000;
const TURN_BYTES: usize = 64 << 20;
const BATCH_BYTES: usize = 64 << 10;
const TOPICS: usize = 32;
const READ_BYTES: usize = 1 << 20;
/// Between two appends while the cleaner works: an ordinary load, not a flood.
const PACE: Duration = Duration::from_millis(20);
const CLEANED_WITHIN: Duration = Duration::from_secs(60);

const APPEND_RATIO_MIN: f64 = 0.8;
const READ_RATIO_MIN: f64 = 0.5;
const WRITTEN_PER_BYTE_MAX: f64 = 2.2;
const DISK_PER_LIVE_MAX: f64 = 1.3;
const BEYOND_RAW_MAX: Duration = Duration::from_millis(250);

pub(super) fn run(ground: &Ground) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    runtime.block_on(measure(ground.folder()))
}

async fn measure(folder: &Path) -> Result<()> {
    let mut raw = RawFile::create(&folder.join("raw"))?;
    let mut writer = Writer::start(&folder.join("log")).await?;
    let written_before = Cost::of_this_process()?.written_bytes;
    write_all(&mut writer, &mut raw).await?;
    let cpu_s = || Cost::of_this_process().map(|cost| cost.cpu_s);
    let begun_s = cpu_s()?;
    let raw_read_s = raw::read_cold([raw.path.as_path()])?;
    let between_s = cpu_s()?;
    let raw_read = mb_s(raw.written, raw_read_s);
    Figure::new("raw read, cold", raw_read, "MB/s").print();
    let read = writer.read_cold(&folder.join("log/journal")).await?;
    Figure::new("one partition, cold", read, "MB/s")
        .against(raw_read, "the raw read")
        .target("at least 0.50", read >= READ_RATIO_MIN * raw_read)
        .print();
    // The raw read is of all partitions' bytes.
    #[expect(clippy::cast_precision_loss, reason = "there are few topics")]
    let raw_cpu_s = (between_s - begun_s) / TOPICS as f64;
    Figure::new("  CPU time", cpu_s()? - between_s, "s")
        .against(raw_cpu_s, "as many bytes of the raw read")
        .print();
    expire(&mut writer, &mut raw).await?;
    // Both wrote the same, but for what the log wrote again.
    let all = Cost::of_this_process()?.written_bytes - written_before;
    let per_byte = ratio(all - raw.written, writer.appended);
    Figure::new("log, written per byte", per_byte, "")
        .target("at most 2.20", per_byte <= WRITTEN_PER_BYTE_MAX)
        .print();
    let peak_mb = Cost::of_this_process()?.peak_rss_mb;
    Figure::new("memory at its peak", peak_mb, "MB").print();
    Ok(())
}

async fn write_all(writer: &mut Writer, raw: &mut RawFile) -> Result<()> {
    let chunk = random_bytes(SYNC_BYTES);
    let cpu_s = || Cost::of_this_process().map(|cost| cost.cpu_s);
    let (mut raw_cpu_s, mut log_cpu_s) = (0.0, 0.0);
    let (mut worst, mut took) = (Duration::ZERO, Duration::ZERO);
    while raw.written < BYTES {
        let begun_s = cpu_s()?;
        for _ in 0..TURN_BYTES / SYNC_BYTES {
            raw.write(&chunk)?;
        }
        let between_s = cpu_s()?;
        for _ in 0..TURN_BYTES / SYNC_BYTES {
            let append = writer.append(TOPICS).await?;
            worst = worst.max(append);
            took += append;
        }
        raw_cpu_s += between_s - begun_s;
        log_cpu_s += cpu_s()? - between_s;
    }
    let raw_rate = mb_s(raw.written, raw.write_time.as_secs_f64());
    let rate = mb_s(writer.appended, took.as_secs_f64());
    Figure::new("raw file", raw_rate, "MB/s").print();
    Figure::new("log", rate, "MB/s")
        .against(raw_rate, "the raw file")
        .target("at least 0.80", rate >= APPEND_RATIO_MIN * raw_rate)
        .print();
    Figure::new("  CPU time", log_cpu_s, "s")
        .against(raw_cpu_s, "the raw file's")
        .print();
    print_worst("worst append", worst, raw.take_worst());
    Ok(())
}

/// Lets two thirds of the topics expire and goes on writing, a little to each file in turn.
async fn expire(writer: &mut Writer, raw: &mut RawFile) -> Result<()> {
    let chunk = random_bytes(BATCH_BYTES);
    let before = writer.log.usage()?;
    let (begun, mut worst) = (Instant::now(), Duration::ZERO);
    writer.clock.0.store(1_000_000, Ordering::Relaxed);
    let (mut cleaned, mut cleaned_after) = (writer.log.usage()?, None);
    while begun.elapsed() < CLEANED_WITHIN {
        raw.write(&chunk)?;
        worst = worst.max(writer.append(1).await?);
        cleaned = writer.log.usage()?;
        let expired = cleaned.live_bytes < before.live_bytes / 2;
        let is_clean = ratio(cleaned.disk_bytes, cleaned.live_bytes) <= DISK_PER_LIVE_MAX;
        if expired && is_clean {
            cleaned_after.get_or_insert(begun.elapsed());
        }
        sleep(PACE).await;
    }
    let per_live = ratio(cleaned.disk_bytes, cleaned.live_bytes);
    if let Some(after) = cleaned_after {
        Figure::new("retention and cleaner took", after.as_secs_f64(), "s").print();
    }
    Figure::new("disk after a minute", mb_s(cleaned.disk_bytes, 1.0), "MB")
        .against(mb_s(cleaned.live_bytes, 1.0), "live data")
        .target("at most 1.30", per_live <= DISK_PER_LIVE_MAX)
        .print();
    print_worst("worst append while cleaning", worst, raw.take_worst());
    Ok(())
}

fn print_worst(name: &'static str, worst: Duration, raw: Duration) {
    Figure::new(name, worst.as_secs_f64() * 1e3, "ms")
        .against(raw.as_secs_f64() * 1e3, "the raw file's worst")
        .target("at most 250 ms more", worst <= raw + BEYOND_RAW_MAX)
        .print();
}

#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who writes, and where to.
struct Writer {
    log: Log,
    _threads: LogThreads,
    clock: Arc<SetClock>,
    owner: Owner,
    generation: Generation,
    partitions: Vec<TopicPartition>,
    batch: Batch,
    appended: u64,
}

impl Writer {
    async fn start(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let clock = Arc::new(SetClock::default());
        let config = LogConfig::default();
        let (log, threads) = Log::start(dir, config, Arc::clone(&clock) as Arc<dyn Clock>)?;
        let owner = Owner::from_stored("bench");
        Ok(Self {
            generation: log.raise(std::slice::from_ref(&owner)).await?,
            partitions: create_topics(&log).await?,
            log,
            _threads: threads,
            clock,
            owner,
            batch: batch()?,
            appended: 0,
        })
    }

    /// Appends a batch to each of the first topics; how long it took.
    async fn append(&mut self, topics: usize) -> Result<Duration> {
        let partitions = self.partitions[..topics].iter();
        let batches: Vec<_> = partitions
            .map(|partition| (partition.clone(), self.batch.clone()))
            .collect();
        self.appended += self.batch.bytes().len() as u64 * topics as u64;
        let append = Append {
            owner: self.owner.clone(),
            generation: self.generation,
            batches,
            moves: Vec::new(),
            group: None,
        };
        let begun = Instant::now();
        self.log.append(append).await?;
        Ok(begun.elapsed())
    }

    /// How fast the first partition is read from the disk, in MB/s.
    async fn read_cold(&self, journal: &Path) -> Result<f64> {
        for entry in fs::read_dir(journal)? {
            match File::open(entry?.path()) {
                Ok(file) => raw::forget_pages(&file)?,
                // What nobody needs any more is taken away meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        let partition = &self.partitions[0];
        let bounds = self.log.bounds(partition)?;
        let (mut offset, end) = bounds;
        let (begun, mut read) = (Instant::now(), 0);
        while offset < end {
            let fetched = self.log.fetch(partition, offset, READ_BYTES).await?;
            read += fetched.batches.len() as u64;
            let batches = Batch::parse_all(fetched.batches).map_err(|error| anyhow!("{error}"))?;
            offset += i64::try_from(batches.len())?;
        }
        Ok(mb_s(read, begun.elapsed().as_secs_f64()))
    }
}

async fn create_topics(log: &Log) -> Result<Vec<TopicPartition>> {
    let mut partitions = Vec::new();
    for n in 0..TOPICS {
        let topic = TopicName::parse(&format!("bench-{n}"))?;
        let (key, value) = match n % 3 {
            0 => ("retention.ms", "500000".to_owned()),
            1 => ("retention.bytes", (4 << 20).to_string()),
            _ => ("retention.ms", "-1".to_owned()),
        };
        log.create_topic(NewTopic {
            name: topic.clone(),
            partitions: Some(1),
            configs: [(key.to_owned(), value)].into(),
        })
        .await?;
        partitions.push(TopicPartition {
            topic,
            partition: 0,
        });
    }
    Ok(partitions)
}

/// A batch of one record that no compression would make smaller.
fn batch() -> Result<Batch> {
    let value = random_bytes(BATCH_BYTES - 100);
    let mut builder = BatchBuilder::new();
    builder.push(0, None, Some(&value), std::iter::empty());
    builder.finish().context("a batch of one record")
}

fn random_bytes(len: usize) -> Vec<u8> {
    let mut random = Random::new(len as u64);
    std::iter::repeat_with(|| random.number().to_le_bytes())
        .flatten()
        .take(len)
        .collect()
}
