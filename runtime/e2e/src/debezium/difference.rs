//! One thing that stands in what one of the two wrote and not in what the other did.

use std::fmt;

use serde_json::Value;

use super::catalog::Column;

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Snapshot,
    Stream,
}

/// Which part of a record differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    KeySchema,
    Value,
    ValueSchema,
    Headers,
    /// All of it: it stands in one of the two topics only, or out of order.
    Record,
}

/// A difference.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// Name of the connector.
    pub(super) mode: &'static str,
    /// What the topic is called behind the prefix.
    pub(super) topic: String,
    pub(super) phase: Phase,
    pub(super) part: Part,
    /// Which record: its operation and key.
    pub(super) record: String,
    /// Names from the outermost field inwards.
    pub(super) path: Vec<String>,
    /// The column that it is about.
    pub(super) column: Option<Column>,
    /// Our schema of that column.
    pub(super) schema: Value,
    /// Why ours put this record of theirs among the dead letters.
    pub(super) dead_letter: Option<String>,
    pub(super) theirs: Option<Value>,
    pub(super) ours: Option<Value>,
}

impl Difference {
    pub(super) fn is(&self, phase: Phase, part: Part) -> bool {
        self.phase == phase && self.part == part
    }

    /// Whether it is about this field, from the outermost inwards.
    pub(super) fn is_at(&self, path: &[&str]) -> bool {
        self.path
            .iter()
            .map(String::as_str)
            .eq(path.iter().copied())
    }

    /// The type of its column, empty where it is about none.
    pub(super) fn pg_type(&self) -> &str {
        self.column.as_ref().map_or("", |column| &column.pg_type)
    }

    /// A value of a column, and not its schema.
    pub(super) fn is_value(&self) -> bool {
        self.column.is_some() && matches!(self.part, Part::Value | Part::Key)
    }

    /// The schema of a column.
    pub(super) fn is_schema(&self) -> bool {
        self.column.is_some() && matches!(self.part, Part::ValueSchema | Part::KeySchema)
    }

    /// The column as a whole, and nothing in it.
    pub(super) fn is_whole_column(&self) -> bool {
        let name = self.column.as_ref().map(|column| &column.name);
        self.path.last() == name && name.is_some()
    }

    pub(super) fn our_text(&self) -> &str {
        let ours = self.ours.as_ref().and_then(Value::as_str);
        ours.unwrap_or_default()
    }

    pub(super) fn their_text(&self) -> &str {
        let theirs = self.theirs.as_ref().and_then(Value::as_str);
        theirs.unwrap_or_default()
    }

    pub(super) fn their_null(&self) -> bool {
        self.theirs == Some(Value::Null)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = |value: &Option<Value>| match value {
            None => "nothing".to_owned(),
            Some(value) => value.to_string().chars().take(300).collect(),
        };
        write!(
            f,
            "{} {} {:?} {:?} {} of {} ({}, {:?}): Debezium {}, here {}",
            self.mode,
            self.topic,
            self.phase,
            self.part,
            self.path.join("."),
            self.record,
            self.pg_type(),
            self.dead_letter,
            cut(&self.theirs),
            cut(&self.ours)
        )
    }
}
