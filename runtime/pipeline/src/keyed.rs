//! State kept in a compacted internal topic: replayed into a map, written by one writer at a time.
//! Registry and worker keep their state this way and no other.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_model::TopicName;

use crate::batch::Outgoing;
use crate::port::{
    Broker, BrokerError, BrokerResult, Expect, Generation, Move, NewTopic, Owner, Write,
};

/// A compacted topic as a map. Reads see what this writer wrote; another writer's raise ends it.
#[derive(Debug)]
pub struct KeyedTopic<B> {
    broker: B,
    topic: TopicName,
    owner: Owner,
    generation: Generation,
    records: BTreeMap<Bytes, Bytes>,
}

impl<B: Broker> KeyedTopic<B> {
    /// Becomes the topic's writer, ends earlier ones, and reads what is there. Creates the topic
    /// where it is missing.
    ///
    /// # Errors
    /// When the broker cannot.
    pub async fn open(broker: B, topic: TopicName) -> BrokerResult<Self> {
        let new = NewTopic {
            name: topic.clone(),
            partitions: Some(1),
            configs: BTreeMap::new(),
        };
        match broker.create_topic(new).await {
            Ok(_) | Err(BrokerError::TopicExists(_)) => {}
            Err(error) => return Err(error),
        }
        let owner = Owner::topic(&topic);
        let generation = broker.raise(std::slice::from_ref(&owner)).await?;
        let records = broker.replay(&topic).await?.into_iter();
        let records = records.map(|record| (record.key, record.value)).collect();
        Ok(Self {
            broker,
            topic,
            owner,
            generation,
            records,
        })
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&Bytes> {
        self.records.get(key)
    }

    /// All keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.records.iter()
    }

    /// Sets or removes (`None`) one key, durably.
    ///
    /// # Errors
    /// When the broker refuses; the map is then as before.
    pub async fn put(&mut self, key: Bytes, value: Option<Bytes>) -> BrokerResult<()> {
        self.put_all(vec![(key, value)]).await
    }

    /// Sets or removes several keys in one atomic write.
    ///
    /// # Errors
    /// When the broker refuses; the map is then as before.
    pub async fn put_all(&mut self, changes: Vec<(Bytes, Option<Bytes>)>) -> BrokerResult<()> {
        let moves = changes.iter().map(|(key, value)| Move {
            topic: self.topic.clone(),
            key: key.clone(),
            from: Expect::Any,
            to: value.clone(),
            headers: Vec::new(),
        });
        let write = Write {
            owner: self.owner.clone(),
            generation: self.generation,
            records: Outgoing::default(),
            moves: moves.collect(),
            group: None,
        };
        self.broker.append(write).await?;
        for (key, value) in changes {
            match value {
                Some(value) => self.records.insert(key, value),
                None => self.records.remove(&key),
            };
        }
        Ok(())
    }
}
