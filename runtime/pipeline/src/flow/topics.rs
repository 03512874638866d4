//! The topics that a source's records go to, as far as they are known; missing ones are created.

use std::collections::HashMap;

use longshore_model::{Fault, FaultClass, TopicName};

use crate::port::{Broker, BrokerError, BrokerResult, TopicDescription};
use crate::settings::TopicCreation;

/// Kafka's default of `max.message.bytes`.
const MESSAGE_BYTES_MAX: usize = 1_048_588;

/// What placing a record takes.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) name: TopicName,
    pub(super) partitions: u32,
    pub(super) message_bytes_max: usize,
}

/// Destinations by name.
#[derive(Debug)]
pub(super) struct Destinations<B> {
    broker: B,
    creation: TopicCreation,
    known: HashMap<String, Destination>,
    seen: tokio::sync::watch::Receiver<u64>,
}

impl<B: Broker> Destinations<B> {
    pub(super) fn new(broker: B, creation: TopicCreation) -> Self {
        Self {
            seen: broker.topics_changed(),
            broker,
            creation,
            known: HashMap::new(),
        }
    }

    /// Where records of that topic go. A name that cannot be a destination is the record's fault.
    pub(super) async fn resolve(&mut self, name: &str) -> BrokerResult<Result<Destination, Fault>> {
        if self.seen.has_changed().unwrap_or(false) {
            self.seen.mark_unchanged();
            self.known.clear();
        }
        if let Some(known) = self.known.get(name) {
            return Ok(Ok(known.clone()));
        }
        let topic = match TopicName::parse(name) {
            Ok(topic) if topic.is_internal() => {
                return Ok(Err(refused(format!(
                    "{topic} is one of Longshore's own topics"
                ))));
            }
            Ok(topic) => topic,
            Err(error) => return Ok(Err(refused(error.to_string()))),
        };
        let described = self.find_or_create(&topic).await?;
        let limit = described
            .configs
            .get("max.message.bytes")
            .and_then(|n| n.parse().ok());
        let destination = Destination {
            name: topic,
            partitions: described.partitions,
            message_bytes_max: limit.unwrap_or(MESSAGE_BYTES_MAX),
        };
        self.known.insert(name.to_owned(), destination.clone());
        Ok(Ok(destination))
    }

    async fn find_or_create(&self, name: &TopicName) -> BrokerResult<TopicDescription> {
        if let Some(found) = self.broker.topic(name).await? {
            return Ok(found);
        }
        match self
            .broker
            .create_topic(self.creation.topic(name.clone()))
            .await
        {
            Err(BrokerError::TopicExists(_)) => {
                let found = self.broker.topic(name).await?;
                found.ok_or_else(|| BrokerError::UnknownTopic(name.clone()))
            }
            created => created,
        }
    }
}

fn refused(message: String) -> Fault {
    Fault::new(FaultClass::BadRecord, "topic", message)
}
