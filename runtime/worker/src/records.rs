//! Topics and their records for people and scripts: listed, made, removed, read and written without
//! a Kafka client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::batch::{Fetched, Outgoing, OutgoingRecord, Payload};
use longshore_pipeline::flow::partition_of_key;
use longshore_pipeline::port::{
    Broker, BrokerError, BrokerResult, Clock, Generation, NewTopic, Owner, Subscription,
    TopicDescription, Write,
};
use tokio::sync::Mutex;

use crate::error::Error;

/// Most bytes of records that one read returns.
const READ_BYTES_MAX: usize = 8 << 20;
const FETCH_BYTES: usize = 1 << 20;

/// A record to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// Where it goes; by its key, as the Java client would, where absent.
    pub partition: Option<u32>,
    /// Milliseconds since 1970; now where absent.
    pub timestamp_ms: Option<i64>,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// A record of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// Where to begin to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// At the first record that is kept.
    #[default]
    Earliest,
    /// After the last one.
    Latest,
    /// At an offset.
    At(i64),
    /// This many records before the end.
    Last(i64),
}

/// Topics and their records.
#[derive(Clone, Debug)]
pub struct Records<B> {
    broker: B,
    clock: Arc<dyn Clock>,
    owner: Owner,
    generation: Arc<Mutex<Option<Generation>>>,
    turn: Arc<AtomicU32>,
}

impl<B: Broker> Records<B> {
    pub(crate) fn new(broker: B, clock: Arc<dyn Clock>) -> Self {
        Self {
            broker,
            clock,
            owner: Owner::from_stored("rest"),
            generation: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// All topics by name, internal ones included.
    ///
    /// # Errors
    /// When the broker fails.
    pub async fn topics(&self) -> Result<Vec<TopicDescription>, Error> {
        Ok(self.broker.topics().await?)
    }

    /// One topic.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn topic(&self, name: &TopicName) -> Result<TopicDescription, Error> {
        let found = self.broker.topic(name).await?;
        found.ok_or_else(|| Error::UnknownTopic(name.clone()))
    }

    /// Creates a topic, durably.
    ///
    /// # Errors
    /// When it exists, is internal, or a setting is wrong.
    pub async fn create(
        &self,
        name: TopicName,
        partitions: Option<u32>,
        configs: BTreeMap<String, String>,
    ) -> Result<TopicDescription, Error> {
        outside(&name)?;
        let topic = NewTopic {
            name,
            partitions,
            configs,
        };
        Ok(self.broker.create_topic(topic).await?)
    }

    /// Deletes a topic and its records, durably.
    ///
    /// # Errors
    /// When it is internal or does not exist.
    pub async fn delete(&self, name: &TopicName) -> Result<(), Error> {
        outside(name)?;
        match self.broker.delete_topic(name).await {
            Err(BrokerError::UnknownTopic(name)) => Err(Error::UnknownTopic(name)),
            done => Ok(done?),
        }
    }

    /// Up to `limit` records of one partition, or of all of them one after another.
    ///
    /// # Errors
    /// When the topic, the partition or the offset does not exist.
    pub async fn read(
        &self,
        topic: &TopicName,
        partition: Option<u32>,
        begin: Begin,
        limit: usize,
    ) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        let mut bytes = 0;
        for (partition, begin) in self.starts(topic, partition, begin).await? {
            let (_, end) = self.broker.bounds(&partition).await?;
            let mut offset = begin;
            while offset < end && records.len() < limit && bytes < READ_BYTES_MAX {
                let fetched = self.broker.fetch(&partition, offset, FETCH_BYTES).await?;
                if fetched.records.is_empty() && fetched.next_offset <= offset {
                    break;
                }
                offset = fetched.next_offset;
                bytes += fetched.buffer.len();
                let room = limit - records.len();
                records.extend(of(&fetched).take(room));
            }
        }
        Ok(records)
    }

    /// Follows one partition or all of them from where `begin` says.
    ///
    /// # Errors
    /// When the topic, the partition or the offset does not exist.
    pub async fn follow(
        &self,
        topic: &TopicName,
        partition: Option<u32>,
        begin: Begin,
    ) -> Result<Follow<B::Subscription>, Error> {
        let from = self.starts(topic, partition, begin).await?;
        Ok(Follow {
            subscription: self.broker.subscribe(from).await?,
        })
    }

    /// Writes records, all or none, and returns when they are durable.
    ///
    /// # Errors
    /// When the topic or a partition does not exist, the topic is internal, or a record is too
    /// large.
    pub async fn write(&self, topic: &TopicName, records: Vec<NewRecord>) -> Result<(), Error> {
        outside(topic)?;
        let outgoing = self.outgoing(topic, records).await?;
        let mut outcome = self.append(outgoing.clone()).await;
        // Somebody else's write failed and took the generation with it; this one was not made.
        if matches!(
            outcome,
            Err(BrokerError::EarlierFailed { .. } | BrokerError::Fenced { .. })
        ) {
            outcome = self.append(outgoing).await;
        }
        Ok(outcome?)
    }

    async fn append(&self, records: Outgoing) -> BrokerResult<()> {
        let generation = self.generation().await?;
        let write = Write {
            owner: self.owner.clone(),
            generation,
            records,
            moves: Vec::new(),
            group: None,
        };
        let outcome = self.broker.append(write).await;
        if outcome.is_err() {
            let mut current = self.generation.lock().await;
            if *current == Some(generation) {
                *current = None;
            }
        }
        outcome
    }

    async fn generation(&self) -> BrokerResult<Generation> {
        let mut current = self.generation.lock().await;
        match *current {
            Some(generation) => Ok(generation),
            None => {
                let owners = std::slice::from_ref(&self.owner);
                Ok(*current.insert(self.broker.raise(owners).await?))
            }
        }
    }

    async fn outgoing(
        &self,
        topic: &TopicName,
        records: Vec<NewRecord>,
    ) -> Result<Outgoing, Error> {
        let description = self.topic(topic).await?;
        let partitions = (0..description.partitions).map(|partition| TopicPartition {
            topic: topic.clone(),
            partition,
        });
        let now_ms = self.clock.now_ms();
        let place = |record: &NewRecord| match (record.partition, &record.key) {
            (Some(partition), _) if partition < description.partitions => Ok(partition),
            (Some(partition), _) => Err(Error::Broker(BrokerError::UnknownPartition(
                TopicPartition {
                    topic: topic.clone(),
                    partition,
                },
            ))),
            (None, Some(key)) => Ok(partition_of_key(key, description.partitions)),
            (None, None) => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                Ok(turn % description.partitions.max(1))
            }
        };
        let records = records.into_iter().map(|record| {
            let headers = record.headers.iter();
            let headers =
                headers.map(|(name, value)| (name.clone(), value.clone().map(Payload::Owned)));
            Ok(OutgoingRecord {
                partition: place(&record)?,
                timestamp_ms: record.timestamp_ms.unwrap_or(now_ms),
                headers: headers.collect(),
                key: record.key.map(Payload::Owned),
                value: record.value.map(Payload::Owned),
            })
        });
        Ok(Outgoing {
            partitions: partitions.collect(),
            records: records.collect::<Result<_, Error>>()?,
            ..Outgoing::default()
        })
    }

    async fn starts(
        &self,
        topic: &TopicName,
        partition: Option<u32>,
        begin: Begin,
    ) -> Result<Vec<(TopicPartition, i64)>, Error> {
        let n_partitions = self.topic(topic).await?.partitions;
        let wanted = match partition {
            Some(partition) => partition..=partition,
            // A topic has at least one partition.
            None => 0..=n_partitions.saturating_sub(1),
        };
        let mut starts = Vec::new();
        for partition in wanted {
            let partition = TopicPartition {
                topic: topic.clone(),
                partition,
            };
            let (earliest, latest) = self.broker.bounds(&partition).await?;
            let offset = match begin {
                Begin::Earliest => earliest,
                Begin::Latest => latest,
                Begin::At(offset) if (earliest..=latest).contains(&offset) => offset,
                Begin::At(offset) => {
                    return Err(Error::Broker(BrokerError::OffsetOutOfRange {
                        partition,
                        offset,
                        earliest,
                        latest,
                    }));
                }
                Begin::Last(n) => latest.saturating_sub(n).max(earliest),
            };
            starts.push((partition, offset));
        }
        Ok(starts)
    }
}

/// Records as they come.
pub struct Follow<S> {
    subscription: S,
}

impl<S: Subscription> Follow<S> {
    /// Waits for the next records, of one partition.
    ///
    /// # Errors
    /// When the broker fails or the topic is gone.
    pub async fn next(&mut self) -> Result<Vec<Record>, Error> {
        let fetched = self.subscription.next(FETCH_BYTES).await?;
        Ok(of(&fetched).collect())
    }
}

fn of(fetched: &Fetched) -> impl Iterator<Item = Record> {
    let slice = |range: &std::ops::Range<u32>| {
        let at = |n: u32| usize::try_from(n).expect("a buffer's places fit");
        fetched.buffer.slice(at(range.start)..at(range.end))
    };
    fetched.records.iter().map(move |record| Record {
        partition: fetched.partition.partition,
        offset: record.offset,
        timestamp_ms: record.timestamp_ms,
        key: record.key.as_ref().map(slice),
        value: record.value.as_ref().map(slice),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_ref().map(slice)))
            .collect(),
    })
}

fn outside(topic: &TopicName) -> Result<(), Error> {
    if topic.is_internal() {
        return Err(Error::BadRequest {
            code: "internal-topic",
            message: format!("{topic} is one of Longshore's own topics and is only read"),
        });
    }
    Ok(())
}
