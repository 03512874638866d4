//! A log on a simulated disk, driven by hand on one thread.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use futures_util::FutureExt as _;
use longshore_disk::{Disk as _, Loss, SimDisk};
use longshore_log::{
    Append, Batch, BatchBuilder, Error, Expect, Generation, IndexStore, Log, LogConfig,
    MemoryStore, Move, NewTopic, Owner, Parts, Produced, Record, StoredChange, StoredPair,
};
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::Clock;

pub(crate) const DIR: &str = "/data/log";

pub(crate) struct Rig {
    pub(crate) disk: SimDisk,
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: LogConfig,
    pub(crate) parts: Option<Parts>,
}

#[derive(Debug, Default)]
pub(crate) struct ManualClock(pub(crate) AtomicI64);

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Files and limits so small that a test crosses them.
pub(crate) fn small() -> LogConfig {
    LogConfig {
        file_bytes: 4 << 10,
        checkpoint_bytes: 8 << 10,
        checkpoint_entries: 64,
        copy_bytes_max: 1 << 10,
        ..LogConfig::default()
    }
}

/// A store that needs the power of the disk to write, as one on that disk would.
#[derive(Debug)]
struct PoweredStore {
    inner: MemoryStore,
    disk: SimDisk,
}

impl IndexStore for PoweredStore {
    fn summary(&self) -> Result<Option<Vec<u8>>, Error> {
        self.inner.summary()
    }

    fn write(
        &self,
        changes: &mut dyn Iterator<Item = StoredChange>,
        summary: &[u8],
    ) -> Result<(), Error> {
        self.disk
            .exists(Path::new(DIR))
            .map_err(|error| Error::Index(error.to_string().into()))?;
        self.inner.write(changes, summary)
    }

    fn clear(&self) -> Result<(), Error> {
        self.inner.clear()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(key)
    }

    fn last_in(&self, first: &[u8], last: &[u8]) -> Result<Option<StoredPair>, Error> {
        self.inner.last_in(first, last)
    }

    fn range(&self, first: &[u8], end: &[u8], limit: usize) -> Result<Vec<StoredPair>, Error> {
        self.inner.range(first, end, limit)
    }
}

impl Rig {
    pub(crate) fn new(seed: u64, config: LogConfig) -> Self {
        let mut rig = Self::closed(seed, config);
        rig.open().unwrap();
        rig
    }

    pub(crate) fn closed(seed: u64, config: LogConfig) -> Self {
        let (store, clock) = (
            MemoryStore::default(),
            Arc::new(ManualClock(AtomicI64::new(1_000_000))),
        );
        Self {
            disk: SimDisk::new(seed),
            store,
            clock,
            config,
            parts: None,
        }
    }

    pub(crate) fn open(&mut self) -> Result<(), Error> {
        self.parts = None;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let disk = Arc::new(self.disk.clone());
        let store = Arc::new(PoweredStore {
            inner: self.store.clone(),
            disk: self.disk.clone(),
        });
        self.parts = Some(Log::open(
            Path::new(DIR),
            self.config.clone(),
            clock,
            disk,
            store,
        )?);
        Ok(())
    }

    /// A restart without a crash.
    pub(crate) fn open_again(&mut self) {
        self.parts = None;
        self.open().unwrap();
    }

    pub(crate) fn crash(&mut self, loss: Loss) {
        self.disk.crash(loss);
        self.parts = None;
    }

    /// As `kill -9`: the page cache stays.
    pub(crate) fn kill(&mut self) {
        self.disk.kill();
        self.parts = None;
    }

    pub(crate) fn log(&self) -> Log {
        self.parts.as_ref().unwrap().log.clone()
    }

    pub(crate) fn commit(&mut self) -> bool {
        self.parts.as_mut().unwrap().committer.commit_pending()
    }

    /// Runs something that needs the committer.
    pub(crate) fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let committer = &mut self.parts.as_mut().unwrap().committer;
        paused().block_on(async {
            let mut work = pin!(work);
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => return done,
                    () = tokio::task::yield_now() => { committer.commit_pending(); }
                }
            }
        })
    }

    pub(crate) fn upkeep(&mut self) -> Result<(), Error> {
        let Parts {
            committer, upkeep, ..
        } = self.parts.as_mut().unwrap();
        paused().block_on(async {
            let mut round = pin!(upkeep.round());
            loop {
                tokio::select! {
                    biased;
                    done = &mut round => return done,
                    () = tokio::task::yield_now() => { committer.commit_pending(); }
                }
            }
        })
    }

    pub(crate) fn checkpoint(&mut self) -> Result<(), Error> {
        self.parts.as_mut().unwrap().upkeep.checkpoint()
    }

    pub(crate) fn create(&mut self, name: &str, partitions: u32, configs: &[(&str, &str)]) {
        let log = self.log();
        let configs = configs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let topic = NewTopic {
            name: topic(name),
            partitions: Some(partitions),
            configs,
        };
        self.drive(log.create_topic(topic)).unwrap();
    }

    pub(crate) fn raise(&mut self, owners: &[&str]) -> Result<Generation, Error> {
        let owners: Vec<_> = owners.iter().map(|name| owner(name)).collect();
        let log = self.log();
        self.drive(log.raise(&owners))
    }

    pub(crate) fn append(&mut self, append: Append) -> Result<(), Error> {
        let log = self.log();
        self.drive(log.append(append))
    }

    pub(crate) fn produce(
        &mut self,
        partition: &TopicPartition,
        batch: &Batch,
    ) -> Result<Produced, Error> {
        let log = self.log();
        let bytes = batch.bytes().clone();
        self.drive(async { log.produce(partition, bytes).await?.await })
    }

    /// All records of a partition, read in pieces of `max_bytes`, and its bounds.
    pub(crate) fn read_by(
        &self,
        partition: &TopicPartition,
        max_bytes: usize,
    ) -> (i64, Vec<Record>, i64) {
        let log = self.log();
        let (log_start, high_watermark) = log.bounds(partition).unwrap();
        let mut offset = log_start;
        let mut records = Vec::new();
        while offset < high_watermark {
            let fetched = log
                .fetch(partition, offset, max_bytes)
                .now_or_never()
                .unwrap()
                .unwrap();
            assert_eq!(
                (fetched.log_start, fetched.high_watermark),
                (log_start, high_watermark)
            );
            if fetched.batches.is_empty() {
                break;
            }
            for batch in Batch::parse_all(fetched.batches).unwrap() {
                for record in batch.records().unwrap() {
                    let record = record.unwrap();
                    if record.offset >= offset {
                        offset = record.offset + 1;
                        records.push(record);
                    }
                }
            }
        }
        (log_start, records, high_watermark)
    }

    /// How many bytes of batches a partition has.
    pub(crate) fn bytes(&self, partition: &TopicPartition) -> usize {
        let log = self.log();
        let (log_start, _) = log.bounds(partition).unwrap();
        let all = log.fetch(partition, log_start, usize::MAX).now_or_never();
        all.unwrap().unwrap().batches.len()
    }

    pub(crate) fn values(&self, partition: &TopicPartition) -> Vec<String> {
        let (_, records, _) = self.read_by(partition, 300);
        records
            .into_iter()
            .map(|record| text(&record.value.unwrap()))
            .collect()
    }

    /// The latest value of every key of an internal topic.
    pub(crate) fn replay(&self, name: &str) -> BTreeMap<String, String> {
        use longshore_pipeline::port::Fetch as _;
        let found = self
            .log()
            .replay(&topic(name))
            .now_or_never()
            .unwrap()
            .unwrap();
        found
            .into_iter()
            .map(|record| (text(&record.key), text(&record.value)))
            .collect()
    }
}

pub(crate) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::parse(name).unwrap()
}

pub(crate) fn partition(name: &str, partition: u32) -> TopicPartition {
    TopicPartition {
        topic: topic(name),
        partition,
    }
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::from_stored(name)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn batch(timestamp: i64, values: &[&str]) -> Batch {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(timestamp, None, Some(value.as_bytes()), std::iter::empty());
    }
    builder.finish().unwrap()
}

/// The same batch as an idempotent producer would send it.
pub(crate) fn sequenced(batch: &Batch, producer_id: i64, epoch: i16, sequence: i32) -> Batch {
    let mut bytes = batch.bytes().to_vec();
    bytes[43..51].copy_from_slice(&producer_id.to_be_bytes());
    bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    resealed(bytes)
}

/// A batch with its checksum made right again.
pub(crate) fn resealed(mut bytes: Vec<u8>) -> Batch {
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    Batch::parse(Bytes::from(bytes)).unwrap()
}

pub(crate) fn move_of(topic_name: &str, key: &str, from: Expect, to: Option<&str>) -> Move {
    Move {
        topic: topic(topic_name),
        key: Bytes::copy_from_slice(key.as_bytes()),
        from,
        to: to.map(|to| Bytes::copy_from_slice(to.as_bytes())),
        headers: Vec::new(),
    }
}

pub(crate) fn holds(value: &str) -> Expect {
    Expect::Value(Bytes::copy_from_slice(value.as_bytes()))
}
