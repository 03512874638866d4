//! The connectors that both deploy: one JSON for the two of them, but for the slot.

use serde_json::{Value, json};

use crate::postgres::Database;

/// A way to configure the connector.
#[derive(Debug)]
pub(super) struct Mode {
    /// Topic prefix, and the beginning of the slots' names.
    pub(super) name: &'static str,
    keys: &'static str,
}

pub(super) const MODES: &[Mode] = &[
    Mode {
        name: "plain",
        keys: "{}",
    },
    Mode {
        name: "strings",
        keys: r#"{"decimal.handling.mode": "string", "time.precision.mode": "connect",
            "binary.handling.mode": "base64", "hstore.handling.mode": "map", "interval.handling.mode": "string",
            "skipped.operations": "none", "tombstones.on.delete": "false", "extended.headers.enabled": "true"}"#,
    },
    Mode {
        name: "doubles",
        keys: r#"{"decimal.handling.mode": "double", "time.precision.mode": "microseconds",
            "binary.handling.mode": "hex"}"#,
    },
    Mode {
        name: "nanoseconds",
        keys: r#"{"time.precision.mode": "nanoseconds", "binary.handling.mode": "base64-url-safe",
            "money.fraction.digits": "4"}"#,
    },
    Mode {
        name: "iso",
        keys: r#"{"time.precision.mode": "isostring", "message.key.columns": "g.nokey:a;g.texts:u,v"}"#,
    },
    Mode {
        name: "adaptive_us",
        keys: r#"{"time.precision.mode": "adaptive_time_microseconds", "column.exclude.list": "g.numbers.i4",
            "publish.via.partition.root": "true"}"#,
    },
];

impl Mode {
    /// The connector for one of the two.
    pub(super) fn connector(&self, database: &Database, side: &str) -> Value {
        let name = self.name;
        let mut body = database.connector(&json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "tasks.max": "1",
            "topic.prefix": name,
            "slot.name": self.slot(side),
            "publication.name": "compared",
            "publication.autocreate.mode": "disabled",
            "snapshot.mode": "initial",
            "schema.include.list": "g",
            "key.converter.schemas.enable": "true",
            "value.converter.schemas.enable": "true",
            "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": self.dead_letters(),
        }));
        let keys: Value = serde_json::from_str(self.keys).expect("the keys of a mode are JSON");
        for (key, value) in keys.as_object().into_iter().flatten() {
            body["config"][key] = value.clone();
        }
        body["name"] = json!(name);
        body
    }

    /// The slot of one of the two.
    pub(super) fn slot(&self, side: &str) -> String {
        format!("{}_{side}", self.name)
    }

    /// Where ours puts what it refuses to write.
    pub(super) fn dead_letters(&self) -> String {
        format!("{}-dead", self.name)
    }
}
