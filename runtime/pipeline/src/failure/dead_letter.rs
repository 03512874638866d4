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
    /// The record for the dead-letter topic; `partition` is its index among those of the write.
    #[must_use]
    pub fn into_record(
        self,
        partition: u32,
        task: &TaskId,
        policy: &DeadLetterPolicy,
    ) -> OutgoingRecord {
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
