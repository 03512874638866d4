//! Measures the log against a raw file on the same disk and prints one line of JSON.
//!
//! `throughput DIR [BYTES]` needs three times `BYTES` (2 GiB) of free space in `DIR`.
//! A raw file is written and synced every 2 MiB; the log appends the same bytes, 32 topics in turn, with the same sync
//! points, in turns of 64 MiB, so that both meet the same disk. Then a cold partition is read, topics expire under three
//! retentions, and the cleaner brings the disk within its bound.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints its result or fails"
)]

use std::env;
use std::fs::{self, File, OpenOptions};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use longshore_log::{Append, Batch, BatchBuilder, Generation, Log, LogConfig, NewTopic, Owner};
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::Clock;
use rustix::fs::{Advice, fadvise};
use tokio::time::Instant;

const SYNC_BYTES: usize = 2 << 20;
const TURN_BYTES: usize = 64 << 20;
const BATCH_BYTES: usize = 64 << 10;
const TOPICS: usize = 32;
const DEFAULT_BYTES: usize = 2 << 30;
const READ_BYTES: usize = 1 << 20;
const SETTLE_MAX: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut args = env::args().skip(1);
    let dir = PathBuf::from(
        args.next()
            .unwrap_or_else(|| panic!("usage: throughput DIR [BYTES]")),
    );
    let bytes: usize = args
        .next()
        .map_or(DEFAULT_BYTES, |bytes| bytes.parse().unwrap());
    let dir = dir.join("longshore-throughput");
    fs::create_dir_all(&dir).unwrap();
    let mut raw = Raw::create(&dir.join("raw"));
    let log = log(&dir.join("log"), bytes, &mut raw).await;
    fs::remove_dir_all(&dir).unwrap();
    let ratio = raw.write_time.as_secs_f64() / log.append_time.as_secs_f64();
    let read_ratio = log.cold_read_mb_s / log.raw_read_mb_s;
    println!(
        "{{\"bytes\":{bytes},\"raw_write_mb_s\":{:.0},\"raw_worst_ms\":{},\"append_mb_s\":{:.0},\"append_ratio\":{ratio:.2},\
         \"append_worst_ms\":{},\"raw_read_mb_s\":{:.0},\"cold_read_mb_s\":{:.0},\"cold_read_ratio\":{read_ratio:.2},\
         \"recovery_ms\":{},\"rebuild_ms\":{},\"retention_append_worst_ms\":{},\"settle_ms\":{},\"written_per_byte\":{:.2},\
         \"disk_per_live\":{:.2},\"peak_rss_mb\":{:.0}}}",
        rate(bytes, raw.write_time),
        raw.worst.as_millis(),
        rate(bytes, log.append_time),
        log.append_worst_ms,
        log.raw_read_mb_s,
        log.cold_read_mb_s,
        log.recovery_ms,
        log.rebuild_ms,
        log.retention_append_worst_ms,
        log.settle_ms,
        log.written_per_byte,
        log.disk_per_live,
        status("VmHWM:") / 1024.0,
    );
}

/// The file that the log is compared with.
struct Raw {
    file: File,
    path: PathBuf,
    chunk: Vec<u8>,
    at: u64,
    write_time: Duration,
    worst: Duration,
}

impl Raw {
    fn create(path: &Path) -> Self {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .read(true)
            .open(path)
            .unwrap();
        let (path, chunk) = (path.to_owned(), random_bytes(SYNC_BYTES));
        Self {
            file,
            path,
            chunk,
            at: 0,
            write_time: Duration::ZERO,
            worst: Duration::ZERO,
        }
    }

    fn write(&mut self) {
        let begun = Instant::now();
        self.file.write_all_at(&self.chunk, self.at).unwrap();
        self.file.sync_data().unwrap();
        self.at += self.chunk.len() as u64;
        self.write_time += begun.elapsed();
        self.worst = self.worst.max(begun.elapsed());
    }

    fn read_cold(&self) -> f64 {
        forget_pages(&self.file);
        let mut buffer = vec![0; READ_BYTES];
        let begun = Instant::now();
        for at in (0..self.at).step_by(READ_BYTES) {
            self.file.read_exact_at(&mut buffer, at).unwrap();
        }
        let read_mb_s = rate(usize::try_from(self.at).unwrap(), begun.elapsed());
        fs::remove_file(&self.path).unwrap();
        read_mb_s
    }
}

#[derive(Default)]
struct Measured {
    append_time: Duration,
    append_worst_ms: u128,
    raw_read_mb_s: f64,
    cold_read_mb_s: f64,
    recovery_ms: u128,
    rebuild_ms: u128,
    retention_append_worst_ms: u128,
    settle_ms: u128,
    written_per_byte: f64,
    disk_per_live: f64,
}

/// Who writes, and where to.
struct Writer {
    owner: Owner,
    partitions: Vec<TopicPartition>,
    batches: Vec<Batch>,
}

impl Writer {
    async fn append(&self, log: &Log, generation: Generation, batches: &[Batch]) -> u128 {
        let begun = Instant::now();
        let batches = batches.iter().enumerate();
        let batches =
            batches.map(|(i, batch)| (self.partitions[i % TOPICS].clone(), batch.clone()));
        let (owner, batches) = (self.owner.clone(), batches.collect());
        log.append(Append {
            owner,
            generation,
            batches,
            moves: Vec::new(),
            group: None,
        })
        .await
        .unwrap();
        begun.elapsed().as_millis()
    }

    async fn raise(&self, log: &Log) -> Generation {
        log.raise(std::slice::from_ref(&self.owner)).await.unwrap()
    }
}

async fn log(dir: &Path, bytes: usize, raw: &mut Raw) -> Measured {
    let clock = Arc::new(SetClock::default());
    let config = LogConfig {
        upkeep_interval: Duration::from_secs(1),
        ..LogConfig::default()
    };
    let start = || Log::start(dir, config.clone(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let mut measured = Measured::default();
    let (log, threads) = start();
    let writer = Writer {
        owner: Owner::from_stored("bench"),
        partitions: create_topics(&log).await,
        batches: (0..SYNC_BYTES / BATCH_BYTES)
            .map(|_| batch(&clock))
            .collect(),
    };
    let written_before = io("write_bytes:");

    let generation = writer.raise(&log).await;
    for _ in (0..bytes).step_by(TURN_BYTES) {
        (0..TURN_BYTES / SYNC_BYTES).for_each(|_| raw.write());
        let begun = Instant::now();
        for _ in 0..TURN_BYTES / SYNC_BYTES {
            let took_ms = writer.append(&log, generation, &writer.batches).await;
            measured.append_worst_ms = measured.append_worst_ms.max(took_ms);
        }
        measured.append_time += begun.elapsed();
    }
    measured.raw_read_mb_s = raw.read_cold();
    let raw_written = bytes_f64(bytes);
    drop((log, threads));

    let begun = Instant::now();
    drop(start());
    measured.recovery_ms = begun.elapsed().as_millis();
    fs::remove_dir_all(dir.join("index")).unwrap();
    let begun = Instant::now();
    let (log, threads) = start();
    measured.rebuild_ms = begun.elapsed().as_millis();

    for entry in fs::read_dir(dir.join("journal")).unwrap() {
        forget_pages(&File::open(entry.unwrap().path()).unwrap());
    }
    measured.cold_read_mb_s = read_cold(&log, &writer.partitions[0]).await;
    clock.0.store(1_000_000, Ordering::Relaxed);
    settle(&log, &writer, &mut measured).await;
    drop((log, threads));
    measured.written_per_byte = (io("write_bytes:") - written_before - raw_written) / raw_written;
    measured
}

async fn read_cold(log: &Log, partition: &TopicPartition) -> f64 {
    let begun = Instant::now();
    let (mut offset, end) = log.bounds(partition).unwrap();
    let mut read = 0;
    while offset < end {
        let fetched = log.fetch(partition, offset, READ_BYTES).await.unwrap();
        read += fetched.batches.len();
        offset += i64::try_from(Batch::parse_all(fetched.batches).unwrap().len()).unwrap();
    }
    rate(read, begun.elapsed())
}

/// Appends a little while retention and the cleaner work, until the disk is within its bound.
async fn settle(log: &Log, writer: &Writer, measured: &mut Measured) {
    let begun = Instant::now();
    let generation = writer.raise(log).await;
    let live_bytes = log.usage().unwrap().live_bytes;
    loop {
        let took_ms = writer.append(log, generation, &writer.batches[..1]).await;
        measured.retention_append_worst_ms = measured.retention_append_worst_ms.max(took_ms);
        let usage = log.usage().unwrap();
        measured.disk_per_live = ratio(usage.disk_bytes, usage.live_bytes);
        // A third of the topics keeps everything, the others hardly anything.
        let purged = usage.live_bytes < live_bytes / 2;
        if (purged && measured.disk_per_live <= 1.3) || begun.elapsed() > SETTLE_MAX {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    measured.settle_ms = begun.elapsed().as_millis();
}

async fn create_topics(log: &Log) -> Vec<TopicPartition> {
    let mut partitions = Vec::new();
    for i in 0..TOPICS {
        let name = TopicName::parse(&format!("bench-{i}")).unwrap();
        let config = match i % 3 {
            0 => ("retention.ms", "500000".to_owned()),
            1 => ("retention.bytes", (4 << 20).to_string()),
            _ => ("retention.ms", "-1".to_owned()),
        };
        let configs = [(config.0.to_owned(), config.1)].into();
        log.create_topic(NewTopic {
            name: name.clone(),
            partitions: Some(1),
            configs,
        })
        .await
        .unwrap();
        partitions.push(TopicPartition {
            topic: name,
            partition: 0,
        });
    }
    partitions
}

fn batch(clock: &SetClock) -> Batch {
    let value = random_bytes(BATCH_BYTES - 100);
    let mut builder = BatchBuilder::new();
    builder.push(clock.now_ms(), None, Some(&value), std::iter::empty());
    builder.finish().unwrap()
}

fn random_bytes(len: usize) -> Vec<u8> {
    let mut random = longshore_disk::Random::new(len as u64);
    (0..len / 8 + 1)
        .flat_map(|_| random.bits().to_le_bytes())
        .take(len)
        .collect()
}

fn forget_pages(file: &File) {
    file.sync_all().unwrap();
    fadvise(file, 0, None::<NonZeroU64>, Advice::DontNeed).unwrap();
}

fn rate(bytes: usize, took: Duration) -> f64 {
    bytes_f64(bytes) / 1e6 / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
fn bytes_f64(bytes: usize) -> f64 {
    bytes as f64
}

fn ratio(a: u64, b: u64) -> f64 {
    bytes_f64(usize::try_from(a).unwrap()) / bytes_f64(usize::try_from(b).unwrap().max(1))
}

fn io(field: &str) -> f64 {
    number("/proc/self/io", field)
}

fn status(field: &str) -> f64 {
    number("/proc/self/status", field)
}

fn number(file: &str, field: &str) -> f64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
