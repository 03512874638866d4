//! A change event as a test looks at it.

use serde_json::Value;

/// A record of a captured table.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its key; null where it has none.
    pub key: Value,
    /// Its envelope; null is a tombstone.
    pub value: Value,
    /// Its headers by name, but for those of every record.
    pub headers: Vec<(String, Value)>,
}

impl Event {
    /// Reads what REST says of a record.
    #[must_use]
    pub fn parse(record: &Value) -> Self {
        let headers = record["headers"].as_array().into_iter().flatten();
        let headers = headers.map(|header| {
            let name = header["key"].as_str().unwrap_or_default();
            (name.to_owned(), json_in(&header["value"]))
        });
        Self {
            key: json_in(&record["key"]),
            value: json_in(&record["value"]),
            headers: headers
                .filter(|(name, _)| !name.starts_with("__debezium.context."))
                .collect(),
        }
    }

    /// `c`, `u`, `d`, `r`, `t`, or nothing for a tombstone.
    #[must_use]
    pub fn op(&self) -> &str {
        self.value["op"].as_str().unwrap_or_default()
    }

    /// The row before.
    #[must_use]
    pub fn before(&self) -> &Value {
        &self.value["before"]
    }

    /// The row after.
    #[must_use]
    pub fn after(&self) -> &Value {
        &self.value["after"]
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&Value> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map(|(_, value)| value)
    }
}

/// REST gives what is text as text.
fn json_in(payload: &Value) -> Value {
    match payload {
        Value::String(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        other => other.clone(),
    }
}
