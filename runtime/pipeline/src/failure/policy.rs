//! The `errors.*` keys of a connector.

use std::time::Duration;

use longshore_model::{Fault, FaultClass, TopicName};

use super::dead_letter::DeadLetterPolicy;
use super::retry::RetryPolicy;
use crate::settings::Lookup;

const DEAD_LETTER_TOPIC: &str = "errors.deadletterqueue.topic.name";
const DEAD_LETTER_HEADERS: &str = "errors.deadletterqueue.context.headers.enable";

/// What happens to records that fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailurePolicy {
    /// `errors.tolerance=all`: a bad record is dropped or dead-lettered and the task goes on.
    pub tolerates_bad_records: bool,
    /// `errors.retry.*`.
    pub retry: RetryPolicy,
    /// `errors.log.enable`: each tolerated record is logged, without its content.
    pub logs_tolerated: bool,
    /// Where tolerated records go.
    pub dead_letters: Option<DeadLetterPolicy>,
}

impl FailurePolicy {
    /// A source's policy. Kafka Connect has no dead letters for sources, so there is no default of
    /// its own to keep: their headers are always written.
    pub(crate) fn for_source(keys: &mut Lookup<'_>) -> Self {
        Self::read(keys, true)
    }

    pub(crate) fn for_sink(keys: &mut Lookup<'_>) -> Self {
        let headers = keys.flag(DEAD_LETTER_HEADERS, false);
        Self::read(keys, headers)
    }

    fn read(keys: &mut Lookup<'_>, dead_letter_headers: bool) -> Self {
        let tolerates_bad_records = match keys.text("errors.tolerance") {
            None | Some("none") => false,
            Some("all") => true,
            Some(other) => {
                keys.problem(
                    "errors.tolerance",
                    format!("must be none or all, and is {other:?}"),
                );
                false
            }
        };
        let timeout_ms = keys.number("errors.retry.timeout", 0, -1..=i64::MAX);
        let delay_max_ms = keys.number("errors.retry.delay.max.ms", 60_000, 1..=i64::MAX);
        if keys.flag("errors.log.include.messages", false) {
            keys.problem(
                "errors.log.include.messages",
                "does not work: Longshore never logs the content of records; \
                 errors.deadletterqueue.topic.name keeps it",
            );
        }
        Self {
            tolerates_bad_records,
            retry: RetryPolicy {
                timeout: u64::try_from(timeout_ms).ok().map(Duration::from_millis),
                delay_max: Duration::from_millis(delay_max_ms.unsigned_abs()),
            },
            logs_tolerated: keys.flag("errors.log.enable", false),
            dead_letters: dead_letter_topic(keys).map(|topic| DeadLetterPolicy {
                topic,
                headers: dead_letter_headers,
            }),
        }
    }

    /// Whether a record that failed for this reason may be set aside.
    #[must_use]
    pub fn tolerates(&self, fault: &Fault) -> bool {
        self.tolerates_bad_records && fault.class == FaultClass::BadRecord
    }
}

fn dead_letter_topic(keys: &mut Lookup<'_>) -> Option<TopicName> {
    let name = keys
        .text(DEAD_LETTER_TOPIC)
        .filter(|name| !name.is_empty())?;
    match TopicName::parse(name) {
        Ok(topic) if topic.is_internal() => {
            keys.problem(
                DEAD_LETTER_TOPIC,
                format!("is Longshore's own topic {topic}"),
            );
            None
        }
        Ok(topic) => Some(topic),
        Err(error) => {
            keys.problem(DEAD_LETTER_TOPIC, format!("is not a topic: {error}"));
            None
        }
    }
}
