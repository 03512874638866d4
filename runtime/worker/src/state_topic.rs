//! A compacted topic of the worker's. When a write fails, the generation under which it was made is
//! over; the next write begins a new one.

use bytes::Bytes;
use longshore_model::TopicName;
use longshore_pipeline::keyed::KeyedTopic;
use longshore_pipeline::port::{Broker, BrokerResult};

use crate::status::Change;

/// A [`KeyedTopic`] that outlives a failed write.
#[derive(Debug)]
pub(crate) struct StateTopic<B> {
    broker: B,
    name: TopicName,
    topic: KeyedTopic<B>,
    failed: bool,
}

impl<B: Broker> StateTopic<B> {
    pub(crate) async fn open(broker: B, name: &str) -> BrokerResult<Self> {
        let name = TopicName::parse(name).expect("names of internal topics are legal");
        Ok(Self {
            topic: KeyedTopic::open(broker.clone(), name.clone()).await?,
            broker,
            name,
            failed: false,
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.topic.iter()
    }

    /// Makes changes durable, all or none.
    pub(crate) async fn put_all(&mut self, changes: Vec<Change>) -> BrokerResult<()> {
        if self.failed {
            self.topic = KeyedTopic::open(self.broker.clone(), self.name.clone()).await?;
        }
        let outcome = self.topic.put_all(changes).await;
        self.failed = outcome.is_err();
        outcome
    }
}
