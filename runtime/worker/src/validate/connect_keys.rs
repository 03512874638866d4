//! The keys that every connector has: names, types, defaults and words of Kafka Connect 4.1.

use longshore_model::config::{ConfigKey, Importance, KeyType, Validator, Width};
use longshore_pipeline::settings::Settings;

use crate::definition::{Key, at_least, key};
use crate::status::Kind;

const COMMON: &str = "Common";
const TRANSFORMS: &str = "Transforms";
const PREDICATES: &str = "Predicates";
const ERRORS: &str = "Error Handling";
const TOPIC_CREATION: &str = "Topic Creation";
const EXACTLY_ONCE: &str = "Exactly Once Support";
const OFFSETS_TOPIC: &str = "offsets.topic";

/// The version of converters, which are part of the worker.
pub(super) const BUILT_IN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The keys of a kind of connector, in Kafka Connect's order.
pub(super) fn common_keys(kind: Kind, version: &str, worker: &Settings) -> Vec<ConfigKey> {
    let mut keys = identity(version);
    keys.extend(converters(worker));
    keys.extend(chain());
    keys.extend(errors());
    match kind {
        Kind::Sink => keys.extend(sink()),
        Kind::Source => keys.extend(source()),
        Kind::Unknown => {}
    }
    keys.into_iter().map(Into::into).collect()
}

fn identity(version: &str) -> Vec<Key> {
    use Importance::{High, Low, Medium};
    vec![
        key("name", KeyType::String, None, High)
            .required()
            .doc("Globally unique name to use for this connector.")
            .rule(Validator::NotEmpty)
            .shown(COMMON, Width::Medium, "Connector name"),
        key("connector.class", KeyType::String, None, High)
            .required()
            .doc("Name or alias of the plugin for this connector, such as file-source. The Java class names of well-known connectors are accepted for the plugins that take their place.")
            .shown(COMMON, Width::Long, "Connector class"),
        key("connector.plugin.version", KeyType::String, Some(version), Medium)
            .doc("Version of the connector.")
            .shown(COMMON, Width::Medium, "Connector version"),
        at_least(1, key("tasks.max", KeyType::Int, Some("1"), High))
            .doc("Maximum number of tasks to use for this connector.")
            .shown(COMMON, Width::Short, "Tasks max"),
        key("tasks.max.enforce", KeyType::Boolean, Some("true"), Low)
            .doc("(Deprecated) Whether to enforce that the tasks.max property is respected by the connector. By default, connectors that generate too many tasks will fail, and existing sets of tasks that exceed the tasks.max property will also be failed. If this property is set to false, then connectors will be allowed to generate more than the maximum number of tasks, and existing sets of tasks that exceed the tasks.max property will be allowed to run.")
            .shown(COMMON, Width::Short, "Enforce tasks max"),
    ]
}

fn converters(worker: &Settings) -> Vec<Key> {
    let class = |name: &str, fallback: &str| {
        worker
            .get(name)
            .map_or_else(|| fallback.to_owned(), |class| class.trim().to_owned())
    };
    let json = "org.apache.kafka.connect.json.JsonConverter";
    let simple = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    let rows = [
        (
            "key.converter",
            class("key.converter", json),
            "Key",
            "Converter class used to convert between Kafka Connect format and the serialized form that is written to Kafka. This controls the format of the keys in messages written to or read from Kafka, and since this is independent of connectors it allows any connector to work with any serialization format. Examples of common formats include JSON and Avro.",
        ),
        (
            "value.converter",
            class("value.converter", json),
            "Value",
            "Converter class used to convert between Kafka Connect format and the serialized form that is written to Kafka. This controls the format of the values in messages written to or read from Kafka, and since this is independent of connectors it allows any connector to work with any serialization format. Examples of common formats include JSON and Avro.",
        ),
        (
            "header.converter",
            class("header.converter", simple),
            "Header",
            "HeaderConverter class used to convert between Kafka Connect format and the serialized form that is written to Kafka. This controls the format of the header values in messages written to or read from Kafka, and since this is independent of connectors it allows any connector to work with any serialization format. Examples of common formats include JSON and Avro. By default, the SimpleHeaderConverter is used to serialize header values to strings and deserialize them by inferring the schemas.",
        ),
    ];
    let mut keys = Vec::new();
    for (name, class, display, doc) in rows {
        keys.push(
            key(name, KeyType::Class, Some(&class), Importance::Low)
                .doc(doc)
                .shown(COMMON, Width::Short, &format!("{display} converter class")),
        );
        let version = format!("{name}.plugin.version");
        keys.push(
            key(
                &version,
                KeyType::String,
                Some(BUILT_IN_VERSION),
                Importance::Low,
            )
            .doc(&format!(
                "Version of the {} converter.",
                display.to_lowercase()
            ))
            .shown(
                COMMON,
                Width::Short,
                &format!("{display} converter version"),
            ),
        );
    }
    keys
}

fn chain() -> Vec<Key> {
    use Importance::Low;
    vec![
        key("transforms", KeyType::List, Some(""), Low)
            .doc("Aliases for the transformations to be applied to records.")
            .shown(TRANSFORMS, Width::Long, "Transforms"),
        key("predicates", KeyType::List, Some(""), Low)
            .doc("Aliases for the predicates used by transformations.")
            .shown(PREDICATES, Width::Long, "Predicates"),
        key("config.action.reload", KeyType::String, Some("restart"), Low)
            .one_of(&["none", "restart"])
            .doc("The action that Connect should take on the connector when changes in external configuration providers result in a change in the connector's configuration properties. A value of 'none' indicates that Connect will do nothing. A value of 'restart' indicates that Connect should restart/reload the connector with the updated configuration properties.The restart may actually be scheduled in the future if the external configuration provider indicates that a configuration value will expire in the future.")
            .shown(COMMON, Width::Medium, "Reload Action"),
    ]
}

fn errors() -> Vec<Key> {
    use Importance::Medium;
    vec![
        at_least(-1, key("errors.retry.timeout", KeyType::Long, Some("0"), Medium))
            .doc("The maximum duration in milliseconds that a failed operation will be reattempted. The default is 0, which means no retries will be attempted. Use -1 for infinite retries.")
            .shown(ERRORS, Width::Medium, "Retry Timeout for Errors"),
        at_least(1, key("errors.retry.delay.max.ms", KeyType::Long, Some("60000"), Medium))
            .doc("The maximum duration in milliseconds between consecutive retry attempts. Jitter will be added to the delay once this limit is reached to prevent thundering herd issues.")
            .shown(ERRORS, Width::Medium, "Maximum Delay Between Retries for Errors"),
        key("errors.tolerance", KeyType::String, Some("none"), Medium)
            .one_of(&["none", "all"])
            .doc("Behavior for tolerating errors during connector operation. 'none' is the default value and signals that any error will result in an immediate connector task failure; 'all' changes the behavior to skip over problematic records.")
            .shown(ERRORS, Width::Short, "Error Tolerance"),
        key("errors.log.enable", KeyType::Boolean, Some("false"), Medium)
            .doc("If true, write each error and the details of the failed operation and problematic record to the Connect application log. This is 'false' by default, so that only errors that are not tolerated are reported.")
            .shown(ERRORS, Width::Short, "Log Errors"),
        key("errors.log.include.messages", KeyType::Boolean, Some("false"), Medium)
            .doc("Whether to include in the log the Connect record that resulted in a failure. Only false works: the content of records is never logged; the dead letter queue keeps it.")
            .shown(ERRORS, Width::Short, "Log Error Details"),
    ]
}

fn dead_letter_topic() -> Key {
    key("errors.deadletterqueue.topic.name", KeyType::String, Some(""), Importance::Medium)
        .doc("The name of the topic to be used as the dead letter queue (DLQ) for messages that result in an error when processed by this connector, or its transformations or converters. The topic name is blank by default, which means that no messages are to be recorded in the DLQ.")
        .shown(ERRORS, Width::Medium, "Dead Letter Queue Topic Name")
}

fn sink() -> Vec<Key> {
    use Importance::{High, Medium};
    vec![
        key("topics", KeyType::List, Some(""), High)
            .doc("List of topics to consume, separated by commas")
            .shown(COMMON, Width::Long, "Topics"),
        key("topics.regex", KeyType::String, Some(""), High)
            .doc("Regular expression giving topics to consume; it must match a topic's whole name. Only one of topics or topics.regex should be specified.")
            .shown(COMMON, Width::Long, "Topics regex"),
        dead_letter_topic(),
        key("errors.deadletterqueue.topic.replication.factor", KeyType::Short, Some("3"), Medium)
            .doc("Replication factor used to create the dead letter queue topic when it doesn't already exist. The embedded log is one node: any factor is accepted as 1.")
            .shown(ERRORS, Width::Medium, "Dead Letter Queue Topic Replication Factor"),
        key("errors.deadletterqueue.context.headers.enable", KeyType::Boolean, Some("false"), Medium)
            .doc("If true, add headers containing error context to the messages written to the dead letter queue. To avoid clashing with headers from the original record, all error context header keys, all error context header keys will start with __connect.errors.")
            .shown(ERRORS, Width::Medium, "Enable Error Context Headers"),
    ]
}

fn source() -> Vec<Key> {
    use Importance::{Low, Medium};
    vec![
        key("topic.creation.groups", KeyType::List, Some(""), Low)
            .doc("Groups of configurations for topics created by source connectors")
            .shown(TOPIC_CREATION, Width::Long, "Topic Creation Groups"),
        key("exactly.once.support", KeyType::String, Some("requested"), Medium)
            .one_of(&["requested", "required"])
            .doc("Permitted values are requested, required. Records and positions of a source are one atomic write on the embedded log, so that both come to the same.")
            .shown(EXACTLY_ONCE, Width::Short, "Exactly once support"),
        key("transaction.boundary", KeyType::String, Some("poll"), Medium)
            .doc("Permitted values are: poll. A write is one batch of records that the source's poll returned.")
            .shown(EXACTLY_ONCE, Width::Short, "Transaction Boundary"),
        key("transaction.boundary.interval.ms", KeyType::Long, None, Low)
            .doc("If 'transaction.boundary' is set to 'interval', determines the interval for producer transaction commits by connector tasks. Does not work yet.")
            .shown(EXACTLY_ONCE, Width::Short, "Transaction boundary interval"),
        key("offsets.storage.topic", KeyType::String, None, Low)
            .doc("The name of a separate offsets topic to use for this connector. Does not work yet: offsets stand in the worker's offsets topic.")
            .shown(OFFSETS_TOPIC, Width::Long, "Offsets topic"),
        dead_letter_topic(),
    ]
}
