//! Which topics a sink reads: a list or a pattern.

use std::collections::BTreeSet;

use longshore_model::TopicName;
use longshore_pipeline::port::{Broker, BrokerError, BrokerResult, NewTopic, TopicDescription};
use longshore_pipeline::settings::Settings;
use regex_lite::Regex;

/// `topics` or `topics.regex`.
#[derive(Clone, Debug)]
pub(crate) enum TopicSelection {
    /// These topics.
    List(BTreeSet<TopicName>),
    /// Every topic whose whole name matches.
    Pattern(Regex),
}

impl TopicSelection {
    /// Reads the two keys, of which exactly one must be there; else the keys that are wrong.
    pub(crate) fn parse(settings: &Settings) -> Result<Self, Vec<(&'static str, String)>> {
        const ONE_OF: &str = "Must configure one of topics or topics.regex";
        let text = |key: &str| {
            settings
                .get(key)
                .map(|value| value.trim())
                .filter(|v| !v.is_empty())
        };
        match (text("topics"), text("topics.regex")) {
            (None, None) => Err(both(ONE_OF)),
            (Some(_), Some(_)) => Err(both(
                "topics and topics.regex are mutually exclusive options, but both are set.",
            )),
            (Some(names), None) => {
                let names = names.split(',').map(|name| TopicName::parse(name.trim()));
                let names = names.collect::<Result<_, _>>();
                names
                    .map(Self::List)
                    .map_err(|error| vec![("topics", error.to_string())])
            }
            (None, Some(pattern)) => Regex::new(&format!("^(?:{pattern})$"))
                .map(Self::Pattern)
                .map_err(|error| vec![("topics.regex", format!("Invalid regex: {error}"))]),
        }
    }

    /// Whether a topic is read.
    pub(crate) fn reads(&self, topic: &TopicName) -> bool {
        match self {
            Self::List(names) => names.contains(topic),
            Self::Pattern(pattern) => !topic.is_internal() && pattern.is_match(topic.as_str()),
        }
    }

    /// Creates the topics that are named and missing.
    pub(crate) async fn create_missing<B: Broker>(&self, broker: &B) -> BrokerResult<()> {
        let Self::List(names) = self else {
            return Ok(());
        };
        for name in names {
            if broker.topic(name).await?.is_some() {
                continue;
            }
            let topic = NewTopic {
                name: name.clone(),
                partitions: None,
                configs: std::collections::BTreeMap::new(),
            };
            match broker.create_topic(topic).await {
                Ok(_) | Err(BrokerError::TopicExists(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The topics that are there and read.
    pub(crate) async fn find<B: Broker>(&self, broker: &B) -> BrokerResult<Vec<TopicDescription>> {
        let mut topics = broker.topics().await?;
        topics.retain(|topic| self.reads(&topic.name));
        Ok(topics)
    }
}

fn both(message: &str) -> Vec<(&'static str, String)> {
    vec![
        ("topics", message.to_owned()),
        ("topics.regex", message.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(key: &str, value: &str) -> TopicSelection {
        let settings = Settings::from([(key.to_owned(), value.to_owned())]);
        TopicSelection::parse(&settings).unwrap()
    }

    fn reads(selection: &TopicSelection, topic: &str) -> bool {
        selection.reads(&TopicName::parse(topic).unwrap())
    }

    #[test]
    fn a_pattern_matches_whole_names_and_nothing_of_ours() {
        let selection = select("topics.regex", "a.*|_longshore.*");
        assert!(reads(&selection, "abc"));
        assert!(!reads(&selection, "xabc"));
        assert!(!reads(&selection, "_longshore_status"));
    }

    #[test]
    fn a_list_is_split_at_commas() {
        let selection = select("topics", " a, b ");
        assert!(reads(&selection, "a") && reads(&selection, "b") && !reads(&selection, "c"));
    }

    #[test]
    fn exactly_one_of_the_keys_is_needed() {
        let keys = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            let errors = TopicSelection::parse(&pairs.collect()).unwrap_err();
            errors.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(&[]), ["topics", "topics.regex"]);
        assert_eq!(keys(&[("topics", "")]), ["topics", "topics.regex"]);
        assert_eq!(
            keys(&[("topics", "a"), ("topics.regex", "a")]),
            ["topics", "topics.regex"]
        );
        assert_eq!(keys(&[("topics", "a,,b")]), ["topics"]);
        assert_eq!(keys(&[("topics.regex", "(")]), ["topics.regex"]);
    }
}
