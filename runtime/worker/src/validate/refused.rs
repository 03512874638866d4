//! Common keys whose values are legal in Kafka Connect and do not work here yet.

use longshore_pipeline::settings::Settings;

use super::connect_keys::BUILT_IN_VERSION;
use super::overrides::refused_overrides;
use crate::connector::TopicSelection;

const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

/// What does not work, by key.
pub(super) fn refused(settings: &Settings) -> Vec<(&str, String)> {
    let text = |key: &str| settings.get(key).map(|value| value.trim());
    let mut refused = refused_overrides(settings);
    if text("offsets.storage.topic").is_some() {
        let message =
            "offsets.storage.topic does not work yet: offsets stand in the worker's offsets topic";
        refused.push(("offsets.storage.topic", message.to_owned()));
    }
    if let Some(boundary) = text("transaction.boundary").filter(|boundary| *boundary != "poll") {
        let message = format!("transaction.boundary={boundary} does not work yet; poll does");
        refused.push(("transaction.boundary", message));
    }
    if text("transaction.boundary.interval.ms").is_some() {
        let message = "transaction.boundary.interval.ms does not work yet";
        refused.push(("transaction.boundary.interval.ms", message.to_owned()));
    }
    for key in [
        "key.converter.plugin.version",
        "value.converter.plugin.version",
        "header.converter.plugin.version",
    ] {
        let other = |version: &&str| !matches!(*version, BUILT_IN_VERSION | "latest");
        if let Some(version) = text(key).filter(other) {
            let message = format!(
                "{key}={version} is not there; the converters' version is {BUILT_IN_VERSION}"
            );
            refused.push((key, message));
        }
    }
    refused
}

/// What is wrong with a sink's topics.
pub(super) fn wrong_topics(settings: &Settings) -> Vec<(&'static str, String)> {
    let selection = match TopicSelection::parse(settings) {
        Ok(selection) => selection,
        Err(errors) => return errors,
    };
    let dead_letters = settings.get(DEAD_LETTERS).map(|name| name.trim());
    let reads = dead_letters
        .and_then(|name| longshore_model::TopicName::parse(name).ok())
        .filter(|name| selection.reads(name));
    let Some(topic) = reads else {
        return Vec::new();
    };
    let key = match selection {
        TopicSelection::List(_) => "topics",
        TopicSelection::Pattern(_) => "topics.regex",
    };
    let message = format!(
        "The DLQ topic '{topic}' may not be included in the list of topics ({key}) consumed by the connector"
    );
    vec![(key, message)]
}
