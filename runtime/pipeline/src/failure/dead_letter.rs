//! Records that failed, on their way to the dead-letter topic, with Kafka Connect's headers.

use bytes::Bytes;
use longshore_model::{Fault, TaskId, TopicName};

use super::Stage;
use crate::batch::{OutgoingRecord, Payload};

const PREFIX: &str = "__connect.errors.";

/// Where dead letters go and what they carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterPolicy {
    /// `errors.deadletterqueue.topic.name`.
    pub topic: TopicName,
    /// `errors.deadletterqueue.context.headers.enable`.
    pub headers: bool,
}

/// A record that failed: its content as it was before anything touched it, and why.
#[derive(Clone, Debug)]
pub struct DeadLetter<'a> {
    /// The key, if there is one.
    pub key: Option<Payload>,
    /// The value, if there is one.
    pub value: Option<Payload>,
    /// The record's own headers.
    pub headers: Vec<(String, Option<Payload>)>,
    /// Where a sink's record stood.
    pub origin: Option<(&'a TopicName, u32, i64)>,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Where it failed.
    pub stage: Stage,
    /// Why.
    pub fault: &'a Fault,
}

impl DeadLetter<'_> {
    /// The record for the dead-letter topic; `partition` is its index among those of the write. What is over the topic's
    /// limit goes without its value, if need be without its key and headers too, and says in a header how large it was: a
    /// letter that no topic takes would stop every record behind it.
    #[must_use]
    pub fn into_record(
        self,
        partition: u32,
        task: &TaskId,
        policy: &DeadLetterPolicy,
        bytes_max: usize,
    ) -> OutgoingRecord {
        let whole = self.clone().whole(partition, task, policy);
        let bytes = whole.owned_bytes_max();
        if bytes <= bytes_max {
            return whole;
        }
        tracing::warn!(
            topic = %policy.topic, bytes, bytes_max,
            "a dead letter is over the topic's max.message.bytes and is written without its content"
        );
        let size = Payload::Owned(Bytes::from(bytes.to_string()));
        let omitted = (format!("{PREFIX}omitted.bytes"), Some(size));
        let mut without_value = Self {
            value: None,
            ..self.clone()
        };
        without_value.headers.push(omitted.clone());
        let without_value = without_value.whole(partition, task, policy);
        if without_value.owned_bytes_max() <= bytes_max {
            return without_value;
        }
        let bare = Self {
            key: None,
            value: None,
            headers: vec![omitted],
            ..self
        };
        bare.whole(partition, task, policy)
    }

    fn whole(self, partition: u32, task: &TaskId, policy: &DeadLetterPolicy) -> OutgoingRecord {
        let context = if policy.headers {
            self.context(task)
        } else {
            Vec::new()
        };
        let mut headers = self.headers;
        headers.extend(context.into_iter().map(|(name, text)| {
            (
                format!("{PREFIX}{name}"),
                Some(Payload::Owned(Bytes::from(text))),
            )
        }));
        OutgoingRecord {
            partition,
            timestamp_ms: self.timestamp_ms,
            key: self.key,
            value: self.value,
            headers,
        }
    }

    fn context(&self, task: &TaskId) -> Vec<(String, String)> {
        let mut context = Vec::new();
        let mut add = |name: &str, text: String| context.push((name.to_owned(), text));
        if let Some((topic, partition, offset)) = self.origin {
            add("topic", topic.to_string());
            add("partition", partition.to_string());
            add("offset", offset.to_string());
        }
        add("connector.name", task.connector.to_string());
        add("task.id", task.task.to_string());
        add("stage", self.stage.name().to_owned());
        add("exception.class.name", self.fault.code.clone());
        add("exception.message", self.fault.message.clone());
        for (name, fact) in &self.fault.details {
            add(&format!("detail.{name}"), fact.clone());
        }
        context
    }
}
