//! Kafka's client settings on a connector (`producer.override.*` and the like): which have the
//! effect that they name on the embedded log, which need none, and which are refused.

use longshore_pipeline::settings::Settings;

const PREFIXES: [&str; 3] = [
    "producer.override.",
    "consumer.override.",
    "admin.override.",
];

/// Settings whose only effect is how a Kafka client paces itself.
const TUNING: [&str; 31] = [
    "batch.size",
    "buffer.memory",
    "client.id",
    "compression.type",
    "connections.max.idle.ms",
    "default.api.timeout.ms",
    "delivery.timeout.ms",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "heartbeat.interval.ms",
    "linger.ms",
    "max.block.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "metadata.max.age.ms",
    "metadata.max.idle.ms",
    "partition.assignment.strategy",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "send.buffer.bytes",
    "session.timeout.ms",
    "socket.connection.setup.timeout.ms",
];

/// Settings that say what is so anyway.
const SAME: [(&str, &str); 6] = [
    ("acks", "all"),
    ("acks", "-1"),
    ("enable.idempotence", "true"),
    ("auto.offset.reset", "earliest"),
    ("isolation.level", "read_committed"),
    ("isolation.level", "read_uncommitted"),
];

enum Verdict {
    Same,
    Ignored,
    Refused,
}

fn judge(key: &str, value: &str) -> Option<Verdict> {
    let key = PREFIXES
        .iter()
        .find_map(|prefix| key.strip_prefix(prefix))?;
    Some(if SAME.contains(&(key, value.trim())) {
        Verdict::Same
    } else if TUNING.contains(&key) {
        Verdict::Ignored
    } else {
        Verdict::Refused
    })
}

/// Whether the key is one of a client's.
pub(super) fn is_override(key: &str) -> bool {
    PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// The client settings that decide where data goes or what is guaranteed, and do not work here.
pub(super) fn refused_overrides(settings: &Settings) -> Vec<(&str, String)> {
    let refused = settings
        .iter()
        .filter(|(k, v)| matches!(judge(k, v), Some(Verdict::Refused)));
    refused
        .map(|(key, value)| {
            let message = format!("{key}={value} does not work on the embedded log; leave it out");
            (key.as_str(), message)
        })
        .collect()
}

/// The client settings that have no effect, which deserves a warning.
pub(crate) fn ignored_overrides(settings: &Settings) -> Vec<&str> {
    let ignored = settings
        .iter()
        .filter(|(k, v)| matches!(judge(k, v), Some(Verdict::Ignored)));
    ignored.map(|(key, _)| key.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_guarantees_is_refused_and_what_paces_a_client_is_ignored() {
        let settings = [
            ("producer.override.acks", "all"),
            ("producer.override.linger.ms", "5"),
            ("consumer.override.auto.offset.reset", "latest"),
            ("admin.override.bootstrap.servers", "b:9092"),
            ("producer.override.acks.", "all"),
            ("file", "a"),
        ];
        let settings = Settings::from(settings.map(|(k, v)| (k.to_owned(), v.to_owned())));
        let refused: Vec<_> = refused_overrides(&settings)
            .into_iter()
            .map(|(k, _)| k)
            .collect();
        assert_eq!(
            refused,
            [
                "admin.override.bootstrap.servers",
                "consumer.override.auto.offset.reset",
                "producer.override.acks."
            ]
        );
        assert_eq!(
            ignored_overrides(&settings),
            ["producer.override.linger.ms"]
        );
    }
}
