//! The broker's twin in memory, for tests of what stands on the ports: the same fencing, the same
//! atomic writes, nothing durable. `hold` keeps writes in flight until they are let go or failed.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};
use tokio::sync::{oneshot, watch};

use crate::batch::{Fetched, FetchedRecord, Outgoing, OutgoingRecord};
use crate::port::{
    Append, BrokerError, BrokerResult, Expect, Fetch, Generation, KeyedRecord, Move, NewTopic,
    Owner, Subscription, TopicDescription, TopicId, Topics, Write,
};

/// A broker that forgets everything with its last clone.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    topics_changed: watch::Sender<u64>,
    appended: watch::Sender<u64>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            topics_changed: watch::Sender::new(0),
            appended: watch::Sender::new(0),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<TopicName, Topic>,
    generations: HashMap<Owner, Generation>,
    last_generation: u64,
    groups: HashMap<(String, TopicPartition), i64>,
    held: Option<VecDeque<(Write, oneshot::Sender<BrokerResult<()>>)>>,
    topics_created: u64,
}

#[derive(Debug)]
struct Topic {
    description: TopicDescription,
    partitions: Vec<Vec<Record>>,
    /// The first offset that is left of each partition.
    starts: Vec<i64>,
    keyed: HashMap<Bytes, usize>,
}

#[derive(Clone, Debug)]
struct Record {
    timestamp_ms: i64,
    key: Option<Bytes>,
    value: Option<Bytes>,
    headers: Vec<(String, Option<Bytes>)>,
}

impl MemoryBroker {
    /// Keeps later writes in flight until [`MemoryBroker::release`].
    pub fn hold(&self) {
        self.state().held.get_or_insert_default();
    }

    /// Lets the oldest held write through, or fails it and all that follow. False when there is
    /// none.
    pub fn release(&self, outcome: BrokerResult<()>) -> bool {
        let held = self.state().held.as_mut().and_then(VecDeque::pop_front);
        let Some((write, done)) = held else {
            return false;
        };
        let outcome = outcome.and_then(|()| self.state().apply(&write));
        self.shared.appended.send_modify(|n| *n += 1);
        // The flow may have gone; the write stands all the same.
        done.send(outcome).ok();
        true
    }

    /// The values of a topic's records, partition by partition.
    #[must_use]
    pub fn values(&self, topic: &str) -> Vec<Option<Bytes>> {
        let state = self.state();
        let topic = state.topics.iter().find(|(name, _)| name.as_str() == topic);
        topic.map_or_else(Vec::new, |(_, topic)| {
            let records = topic.partitions.iter().flatten();
            records.map(|record| record.value.clone()).collect()
        })
    }

    /// Removes the records before an offset, as retention would.
    pub fn trim(&self, partition: &TopicPartition, to: i64) {
        if let Some(topic) = self.state().topics.get_mut(&partition.topic) {
            topic.starts[partition.partition as usize] = to;
        }
    }

    /// Changes with every write.
    #[must_use]
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.shared.appended.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self, write: &Write) -> BrokerResult<()> {
        if self.generations.get(&write.owner) != Some(&write.generation) {
            return Err(BrokerError::Fenced {
                owner: write.owner.clone(),
                generation: write.generation,
            });
        }
        for Move {
            topic, key, from, ..
        } in &write.moves
        {
            let now = self.latest(topic, key).and_then(|record| record.value);
            let matches = match from {
                Expect::Any => true,
                Expect::Absent => now.is_none(),
                Expect::Value(value) => now.as_ref() == Some(value),
            };
            if !matches {
                return Err(BrokerError::PositionMismatch {
                    owner: write.owner.clone(),
                    key: String::from_utf8_lossy(key).into_owned(),
                });
            }
        }
        Ok(())
    }

    fn latest(&self, topic: &TopicName, key: &[u8]) -> Option<Record> {
        let topic = self.topics.get(topic)?;
        Some(topic.partitions[0][*topic.keyed.get(key)?].clone())
    }

    fn apply(&mut self, write: &Write) -> BrokerResult<()> {
        self.check(write)?;
        for record in &write.records.records {
            let to = &write.records.partitions[record.partition as usize];
            let topic = self.topics.get_mut(&to.topic);
            let partition = topic.and_then(|t| t.partitions.get_mut(to.partition as usize));
            let partition = partition.ok_or_else(|| BrokerError::UnknownPartition(to.clone()))?;
            partition.push(stored(&write.records, record));
        }
        for Move {
            topic,
            key,
            to,
            headers,
            ..
        } in &write.moves
        {
            let unknown = || BrokerError::UnknownTopic(topic.clone());
            let topic = self.topics.get_mut(topic).ok_or_else(unknown)?;
            topic.keyed.insert(key.clone(), topic.partitions[0].len());
            topic.partitions[0].push(Record {
                timestamp_ms: 0,
                key: Some(key.clone()),
                value: to.clone(),
                headers: headers
                    .iter()
                    .map(|(n, v)| (n.clone(), Some(v.clone())))
                    .collect(),
            });
        }
        if let Some(group) = &write.group {
            for (partition, offset) in &group.offsets {
                self.groups
                    .insert((group.group.clone(), partition.clone()), *offset);
            }
        }
        Ok(())
    }
}

fn stored(records: &Outgoing, record: &OutgoingRecord) -> Record {
    let bytes = |payload| Bytes::copy_from_slice(records.bytes(payload));
    Record {
        timestamp_ms: record.timestamp_ms,
        key: record.key.as_ref().map(bytes),
        value: record.value.as_ref().map(bytes),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_ref().map(bytes)))
            .collect(),
    }
}

impl Append for MemoryBroker {
    async fn raise(&self, owners: &[Owner]) -> BrokerResult<Generation> {
        let mut state = self.state();
        state.last_generation += 1;
        let generation = Generation(state.last_generation);
        for owner in owners {
            state.generations.insert(owner.clone(), generation);
        }
        Ok(generation)
    }

    fn append(&self, write: Write) -> impl Future<Output = BrokerResult<()>> + Send + use<> {
        let (done, outcome) = oneshot::channel();
        let mut state = self.state();
        if let Some(held) = &mut state.held {
            held.push_back((write, done));
        } else {
            // The receiver is at hand.
            done.send(state.apply(&write)).ok();
        }
        drop(state);
        self.shared.appended.send_modify(|n| *n += 1);
        async move { outcome.await.unwrap_or(Err(BrokerError::Closed)) }
    }
}

impl Topics for MemoryBroker {
    async fn create_topic(&self, topic: NewTopic) -> BrokerResult<TopicDescription> {
        let mut state = self.state();
        if state.topics.contains_key(&topic.name) {
            return Err(BrokerError::TopicExists(topic.name));
        }
        state.topics_created += 1;
        let partitions = topic.partitions.unwrap_or(1);
        let description = TopicDescription {
            name: topic.name.clone(),
            id: TopicId(Arc::from(format!("topic-{}", state.topics_created))),
            partitions,
            configs: topic.configs,
        };
        let made = Topic {
            description: description.clone(),
            partitions: vec![Vec::new(); partitions as usize],
            starts: vec![0; partitions as usize],
            keyed: HashMap::new(),
        };
        state.topics.insert(topic.name, made);
        drop(state);
        self.shared.topics_changed.send_modify(|n| *n += 1);
        Ok(description)
    }

    async fn delete_topic(&self, name: &TopicName) -> BrokerResult<()> {
        let removed = self.state().topics.remove(name);
        removed.ok_or_else(|| BrokerError::UnknownTopic(name.clone()))?;
        self.shared.topics_changed.send_modify(|n| *n += 1);
        Ok(())
    }

    async fn topic(&self, name: &TopicName) -> BrokerResult<Option<TopicDescription>> {
        Ok(self
            .state()
            .topics
            .get(name)
            .map(|topic| topic.description.clone()))
    }

    async fn topics(&self) -> BrokerResult<Vec<TopicDescription>> {
        Ok(self
            .state()
            .topics
            .values()
            .map(|topic| topic.description.clone())
            .collect())
    }

    fn topics_changed(&self) -> watch::Receiver<u64> {
        self.shared.topics_changed.subscribe()
    }
}

impl Fetch for MemoryBroker {
    type Subscription = MemorySubscription;

    async fn fetch(
        &self,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
    ) -> BrokerResult<Fetched> {
        let state = self.state();
        let topic = state.topics.get(&partition.topic);
        let records = topic.and_then(|t| t.partitions.get(partition.partition as usize));
        let records = records.ok_or_else(|| BrokerError::UnknownPartition(partition.clone()))?;
        let earliest = topic.map_or(0, |topic| topic.starts[partition.partition as usize]);
        let from = usize::try_from(offset)
            .ok()
            .filter(|from| offset >= earliest && *from <= records.len());
        let from = from.ok_or_else(|| BrokerError::OffsetOutOfRange {
            partition: partition.clone(),
            offset,
            earliest,
            latest: length(records),
        })?;
        Ok(fetched(partition, &records[from..], offset, max_bytes))
    }

    async fn bounds(&self, partition: &TopicPartition) -> BrokerResult<(i64, i64)> {
        let state = self.state();
        let topic = state.topics.get(&partition.topic);
        let records = topic.and_then(|t| t.partitions.get(partition.partition as usize));
        let records = records.ok_or_else(|| BrokerError::UnknownPartition(partition.clone()))?;
        let earliest = topic.map_or(0, |topic| topic.starts[partition.partition as usize]);
        Ok((earliest, length(records)))
    }

    async fn subscribe(
        &self,
        from: Vec<(TopicPartition, i64)>,
    ) -> BrokerResult<MemorySubscription> {
        Ok(MemorySubscription {
            broker: self.clone(),
            appended: self.appended(),
            from,
        })
    }

    async fn replay(&self, topic: &TopicName) -> BrokerResult<Vec<KeyedRecord>> {
        let state = self.state();
        let found = state.topics.get(topic);
        let found = found.ok_or_else(|| BrokerError::UnknownTopic(topic.clone()))?;
        let latest = |(place, record): (usize, &Record)| {
            let headers = record.headers.iter();
            let record = KeyedRecord {
                key: record.key.clone()?,
                value: record.value.clone()?,
                headers: headers
                    .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
                    .collect(),
            };
            (found.keyed.get(&record.key) == Some(&place)).then_some(record)
        };
        let records = found.partitions[0].iter().enumerate();
        Ok(records.filter_map(latest).collect())
    }

    async fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> BrokerResult<Vec<Option<i64>>> {
        let state = self.state();
        let committed = |p: &TopicPartition| state.groups.get(&(group.to_owned(), p.clone()));
        Ok(partitions.iter().map(|p| committed(p).copied()).collect())
    }
}

/// Follows partitions of a [`MemoryBroker`].
#[derive(Debug)]
pub struct MemorySubscription {
    broker: MemoryBroker,
    appended: watch::Receiver<u64>,
    from: Vec<(TopicPartition, i64)>,
}

impl Subscription for MemorySubscription {
    async fn next(&mut self, max_bytes: usize) -> BrokerResult<Fetched> {
        loop {
            self.appended.mark_unchanged();
            for place in 0..self.from.len() {
                let (partition, offset) = self.from[place].clone();
                let fetched = self.broker.fetch(&partition, offset, max_bytes).await?;
                if !fetched.records.is_empty() {
                    self.from.remove(place);
                    self.from.push((partition, fetched.next_offset));
                    return Ok(fetched);
                }
            }
            if self.appended.changed().await.is_err() {
                return Err(BrokerError::Closed);
            }
        }
    }

    fn seek(&mut self, partition: &TopicPartition, offset: i64) {
        for (known, from) in &mut self.from {
            if known == partition {
                *from = offset;
            }
        }
    }

    fn unfollow(&mut self, partition: &TopicPartition) {
        self.from.retain(|(followed, _)| followed != partition);
    }
}

fn length(records: &[Record]) -> i64 {
    i64::try_from(records.len()).expect("records fit into memory")
}

fn fetched(
    partition: &TopicPartition,
    records: &[Record],
    offset: i64,
    max_bytes: usize,
) -> Fetched {
    let mut buffer = Vec::new();
    let mut taken = Vec::new();
    for (offset, record) in (offset..).zip(records) {
        if !taken.is_empty() && buffer.len() >= max_bytes {
            break;
        }
        let mut add = |bytes: &Option<Bytes>| {
            let bytes = bytes.as_ref()?;
            let at = |n: usize| u32::try_from(n).expect("tests are small");
            let start = at(buffer.len());
            buffer.extend_from_slice(bytes);
            Some(start..at(buffer.len()))
        };
        taken.push(FetchedRecord {
            offset,
            timestamp_ms: Some(record.timestamp_ms),
            key: add(&record.key),
            value: add(&record.value),
            headers: record
                .headers
                .iter()
                .map(|(n, v)| (n.clone(), add(v)))
                .collect(),
        });
    }
    Fetched {
        partition: partition.clone(),
        next_offset: offset + i64::try_from(taken.len()).expect("records fit into memory"),
        buffer: Bytes::from(buffer),
        records: taken,
    }
}
