//! Every key that a worker knows: ours, and all of Kafka Connect 4.1's. `docs/worker-config.md` is generated from here.

/// What a worker does with a key of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// As in Kafka Connect.
    Works,
    /// Names a Kafka cluster, its clients or the coordination of workers over it. Refused by name, so that nobody's data
    /// goes elsewhere than they think; with `broker=embedded` it is replaced and said so.
    Replaced,
    /// Does not work so far: refused unless it asks for this, which is what happens anyway.
    Only(&'static str),
    /// Means something to a JVM only: one warning.
    Jvm,
}

/// A key of ours.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the document is generated from all of it")
)]
pub(crate) struct OwnKey {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
}

/// Variables of the environment that are no keys of the worker.
pub(super) const OTHER_VARIABLES: &[&str] = &[
    "LONGSHORE_REST",
    "LONGSHORE_LOG",
    "LONGSHORE_SEED",
    "LONGSHORE_BLESS",
    "LONGSHORE_BUILTINS",
    "LONGSHORE_TARGET_DIR",
];

/// Settings of converters follow a converter's key and a dot; the converter checks them.
const CONVERTER_PREFIXES: &[&str] = &["key.converter.", "value.converter.", "header.converter."];

/// The converters' setting that the environment can set.
const CONVERTER_SETTINGS: &[&str] = &[
    "key.converter.schemas.enable",
    "value.converter.schemas.enable",
];

/// Prefixes of settings that go to Kafka's clients and internal topics.
const REPLACED_PREFIXES: &[&str] = &[
    "producer.",
    "consumer.",
    "admin.",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
];

/// Prefixes of settings that do not work so far, whatever they say.
const REFUSED_PREFIXES: &[&str] = &["listeners.https.", "config.providers."];

pub(super) const OWN: &[OwnKey] = &[
    OwnKey {
        name: "broker",
        default: "embedded",
        about: "where topics live: `embedded`, the log in the data directory; a Kafka cluster comes later",
    },
    OwnKey {
        name: "data.dir",
        default: "./longshore-data",
        about: "the data directory of the embedded log",
    },
    OwnKey {
        name: "config.secret.key.file",
        default: "`secret.key` in `data.dir`",
        about: "the key that passwords are sealed with in the config topic: 32 bytes in base64",
    },
    OwnKey {
        name: "kafka.listeners",
        default: "127.0.0.1:9092",
        about: "where the Kafka protocol is spoken: `[NAME://]host:port`, comma-separated",
    },
    OwnKey {
        name: "kafka.advertised.listeners",
        default: "the listeners",
        about: "what clients are told to connect to, by the listeners' names",
    },
    OwnKey {
        name: "log.flush",
        default: "commit",
        about: "when outside producers are answered: `commit`, after a sync, or `interval`, before it",
    },
    OwnKey {
        name: "log.flush.interval.ms",
        default: "100",
        about: "with `log.flush=interval`, how often is synced",
    },
    OwnKey {
        name: "auto.create.topics.enable",
        default: "true",
        about: "whether a client's question for an unknown topic creates it",
    },
    OwnKey {
        name: "num.partitions",
        default: "1",
        about: "partitions of a topic that is created without a number",
    },
    OwnKey {
        name: "restart.attempts",
        default: "0",
        about: "how often in a row a failed task is restarted",
    },
    OwnKey {
        name: "restart.backoff.ms",
        default: "1000",
        about: "the pause before the first restart; it doubles up to a minute",
    },
    OwnKey {
        name: "listeners.insecure",
        default: "false",
        about: "allows listeners off loopback, which have no credentials so far",
    },
];

/// Keys that work as in Kafka Connect, with Kafka Connect's default and what to know.
const WORKS: &[(&str, &str, &str)] = &[
    (
        "exactly.once.source.support",
        "disabled",
        "any value: the embedded log always stores records and positions together",
    ),
    (
        "header.converter",
        "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        "how headers become bytes; connectors override it",
    ),
    (
        "key.converter",
        "<required>",
        "JSON without schemas unless set; set, it has Kafka's own defaults; connectors override it",
    ),
    (
        "listeners",
        "http://:8083",
        "http only; the default is loopback: http://127.0.0.1:8083",
    ),
    (
        "offset.flush.interval.ms",
        "60000",
        "how long idle progress and sink offsets may wait to be stored; positions of records are stored with the records",
    ),
    (
        "topic.tracking.allow.reset",
        "true",
        "whether the record of a connector's topics may be reset",
    ),
    (
        "topic.tracking.enable",
        "true",
        "whether the topics that a connector uses are recorded",
    ),
    (
        "plugin.path",
        "null",
        "folders and files of WebAssembly components, comma-separated",
    ),
    ("rest.advertised.host.name", "null", "the host in worker_id"),
    ("rest.advertised.port", "null", "the port in worker_id"),
    (
        "task.shutdown.graceful.timeout.ms",
        "5000",
        "how long a task may take to stop",
    ),
    ("value.converter", "<required>", "as key.converter"),
];

/// Keys that are refused unless they ask for this.
const ONLY: &[(&str, &str)] = &[
    ("access.control.allow.methods", ""),
    ("access.control.allow.origin", ""),
    ("admin.listeners", ""),
    ("config.providers", ""),
    ("connector.client.config.override.policy", "All"),
    ("header.converter.plugin.version", ""),
    ("key.converter.plugin.version", ""),
    ("offset.flush.timeout.ms", "5000"),
    ("response.http.headers.config", ""),
    ("rest.advertised.listener", ""),
    ("rest.extension.classes", ""),
    ("topic.creation.enable", "true"),
    ("value.converter.plugin.version", ""),
];

/// Keys for a JVM.
const JVM: &[&str] = &[
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "plugin.discovery",
];

/// Keys about a Kafka cluster.
const REPLACED: &[&str] = &[
    "bootstrap.servers",
    "client.dns.lookup",
    "client.id",
    "config.storage.replication.factor",
    "config.storage.topic",
    "connect.protocol",
    "connections.max.idle.ms",
    "group.id",
    "heartbeat.interval.ms",
    "inter.worker.key.generation.algorithm",
    "inter.worker.key.size",
    "inter.worker.key.ttl.ms",
    "inter.worker.signature.algorithm",
    "inter.worker.verification.algorithms",
    "metadata.max.age.ms",
    "metadata.recovery.rebootstrap.trigger.ms",
    "metadata.recovery.strategy",
    "offset.storage.file.filename",
    "offset.storage.partitions",
    "offset.storage.replication.factor",
    "offset.storage.topic",
    "rebalance.timeout.ms",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "sasl.client.callback.handler.class",
    "sasl.jaas.config",
    "sasl.kerberos.kinit.cmd",
    "sasl.kerberos.min.time.before.relogin",
    "sasl.kerberos.service.name",
    "sasl.kerberos.ticket.renew.jitter",
    "sasl.kerberos.ticket.renew.window.factor",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.retry.backoff.ms",
    "sasl.mechanism",
    "sasl.oauthbearer.assertion.algorithm",
    "sasl.oauthbearer.assertion.claim.aud",
    "sasl.oauthbearer.assertion.claim.exp.seconds",
    "sasl.oauthbearer.assertion.claim.iss",
    "sasl.oauthbearer.assertion.claim.jti.include",
    "sasl.oauthbearer.assertion.claim.nbf.seconds",
    "sasl.oauthbearer.assertion.claim.sub",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.template.file",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.clock.skew.seconds",
    "sasl.oauthbearer.expected.audience",
    "sasl.oauthbearer.expected.issuer",
    "sasl.oauthbearer.header.urlencode",
    "sasl.oauthbearer.jwks.endpoint.refresh.ms",
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
    "sasl.oauthbearer.jwks.endpoint.url",
    "sasl.oauthbearer.jwt.retriever.class",
    "sasl.oauthbearer.jwt.validator.class",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.scope.claim.name",
    "sasl.oauthbearer.sub.claim.name",
    "sasl.oauthbearer.token.endpoint.url",
    "scheduled.rebalance.max.delay.ms",
    "security.protocol",
    "send.buffer.bytes",
    "session.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "ssl.cipher.suites",
    "ssl.client.auth",
    "ssl.enabled.protocols",
    "ssl.endpoint.identification.algorithm",
    "ssl.engine.factory.class",
    "ssl.key.password",
    "ssl.keymanager.algorithm",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
    "status.storage.partitions",
    "status.storage.replication.factor",
    "status.storage.topic",
    "worker.sync.timeout.ms",
    "worker.unsync.backoff.ms",
];

/// What happens to a key of Kafka Connect; `None` for a stranger.
pub(super) fn standing(key: &str) -> Option<Standing> {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    if WORKS.iter().any(|(name, ..)| *name == key) {
        return Some(Standing::Works);
    }
    if let Some((_, only)) = ONLY.iter().find(|(name, _)| *name == key) {
        return Some(Standing::Only(only));
    }
    if JVM.contains(&key) {
        return Some(Standing::Jvm);
    }
    if begins(REFUSED_PREFIXES) {
        return Some(Standing::Only(""));
    }
    if begins(CONVERTER_PREFIXES) {
        return Some(Standing::Works);
    }
    (REPLACED.contains(&key) || begins(REPLACED_PREFIXES)).then_some(Standing::Replaced)
}

/// Whether a key is ours.
pub(super) fn is_own(key: &str) -> bool {
    OWN.iter().any(|own| own.name == key)
}

/// Every key that the environment can set.
pub(super) fn known_keys() -> impl Iterator<Item = &'static str> {
    let own = OWN.iter().map(|own| own.name);
    let works = WORKS.iter().map(|(name, ..)| *name);
    let only = ONLY.iter().map(|(name, _)| *name);
    let plain = [CONVERTER_SETTINGS, JVM, REPLACED];
    own.chain(works)
        .chain(only)
        .chain(plain.into_iter().flatten().copied())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::{JVM, ONLY, OWN, REPLACED, WORKS, known_keys};
    use crate::config::layers::variable_name;
    use crate::document;

    #[test]
    fn no_two_keys_share_a_variable() {
        let names: BTreeSet<_> = known_keys().map(variable_name).collect();
        assert_eq!(names.len(), known_keys().count());
    }

    #[test]
    fn the_committed_table_of_keys_is_what_the_code_does() {
        let mut text = "# The worker's configuration\n\n\
            Generated from `runtime/cli/src/config/table.rs`; a test compares the two.\n\n\
            ## Longshore's keys\n\n| Key | Default | Meaning |\n|---|---|---|\n"
            .to_owned();
        for own in OWN {
            row(&mut text, &[&code(own.name), &code(own.default), own.about]);
        }
        text.push_str(
            "\n## Kafka Connect 4.1's keys\n\n\
            *works*: as in Kafka Connect. *refused*: the worker does not start with it, unless it is set to the value\n\
            named here. *refused without `broker=embedded`*: it is about a Kafka cluster; with `--set broker=embedded` the\n\
            worker says that its log takes the cluster's place and starts. *needs a JVM*: one warning, no effect.\n\n\
            | Key | Kafka Connect's default | Here | |\n|---|---|---|---|\n",
        );
        let mut rows: Vec<[String; 4]> = Vec::new();
        for (key, default, about) in WORKS {
            rows.push([
                code(key),
                code(default),
                "works".to_owned(),
                (*about).to_owned(),
            ]);
        }
        for (key, default) in ONLY {
            let only = if default.is_empty() {
                "nothing".to_owned()
            } else {
                code(default)
            };
            rows.push([
                code(key),
                code(default),
                "refused".to_owned(),
                format!("but for {only}"),
            ]);
        }
        for key in JVM {
            rows.push([
                code(key),
                String::new(),
                "needs a JVM".to_owned(),
                String::new(),
            ]);
        }
        for key in REPLACED {
            let here = "refused without `broker=embedded`".to_owned();
            rows.push([code(key), String::new(), here, String::new()]);
        }
        rows.sort();
        for cells in &rows {
            row(&mut text, &cells.each_ref().map(String::as_str));
        }
        text.push_str(
            "\nThe same holds for everything under `producer.`, `consumer.`, `admin.`, `config.storage.`,\n\
            `offset.storage.` and `status.storage.` as for the cluster's keys; `listeners.https.` and `config.providers.`\n\
            are refused. A converter's own settings follow its key and a dot, such as `value.converter.schemas.enable`.\n",
        );
        document::check("docs/worker-config.md", &text);
    }

    fn code(text: &str) -> String {
        if text.is_empty() || text == "null" || text == "<required>" {
            return text.trim_matches(['<', '>']).replace("null", "").clone();
        }
        format!("`{text}`")
    }

    fn row(text: &mut String, cells: &[&str]) {
        writeln!(text, "| {} |", cells.join(" | ")).expect("a string grows");
    }
}
