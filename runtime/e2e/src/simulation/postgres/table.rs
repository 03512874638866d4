//! The tables of the server, and what stands in them. Rows have a key, a version that no other row ever had, and a note.

use serde_json::{Map, Value, json};

pub(super) struct Shape {
    pub(super) oid: u32,
    pub(super) schema: &'static str,
    pub(super) table: &'static str,
    /// What tells rows apart, first among the columns.
    pub(super) key: &'static [Column],
    /// Whether there is an index that says so.
    pub(super) has_key: bool,
    /// `d` or `f`, as the catalog has it.
    pub(super) identity: u8,
    /// Published, and left out by the connector's config.
    pub(super) excluded: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) type_oid: u32,
    pub(super) collation_is_c: bool,
}

pub(super) const INT4: u32 = 23;
pub(super) const INT8: u32 = 20;
pub(super) const TEXT: u32 = 25;

const fn column(name: &'static str, type_oid: u32) -> Column {
    Column {
        name,
        type_oid,
        collation_is_c: false,
    }
}

const fn in_c(name: &'static str) -> Column {
    Column {
        name,
        type_oid: TEXT,
        collation_is_c: true,
    }
}

/// Behind the key's columns.
const REST: [Column; 2] = [column("v", INT8), column("note", TEXT)];

/// Places in [`TABLES`].
pub(super) const ITEMS: usize = 0;
pub(super) const PAIRS: usize = 1;
pub(super) const WORDS: usize = 2;
pub(super) const NAMES: usize = 3;
pub(super) const FACTS: usize = 4;
pub(super) const IGNORED: usize = 5;

pub(super) const TABLES: &[Shape] = &[
    table(16_401, "public", "items", &[column("id", INT4)], b'd'),
    table(
        16_402,
        "public",
        "pairs",
        &[column("a", INT4), in_c("b")],
        b'd',
    ),
    table(16_403, "app", "words", &[in_c("word")], b'f'),
    // Of another collation: the server alone knows the order of its keys.
    table(16_404, "app", "names", &[column("name", TEXT)], b'd'),
    Shape {
        has_key: false,
        ..table(16_405, "public", "facts", &[column("id", INT8)], b'f')
    },
    Shape {
        excluded: true,
        ..table(16_406, "public", "ignored", &[column("id", INT8)], b'd')
    },
];

const fn table(
    oid: u32,
    schema: &'static str,
    table: &'static str,
    key: &'static [Column],
    identity: u8,
) -> Shape {
    Shape {
        oid,
        schema,
        table,
        key,
        has_key: true,
        identity,
        excluded: false,
    }
}

impl Shape {
    pub(super) fn columns(&self) -> impl Iterator<Item = Column> {
        self.key.iter().copied().chain(REST)
    }

    pub(super) fn topic(&self, prefix: &str) -> String {
        format!("{prefix}.{}.{}", self.schema, self.table)
    }

    /// Whether reading it can go on behind a key.
    pub(super) fn is_ordered(&self) -> bool {
        let ordered = |column: &Column| column.type_oid != TEXT || column.collation_is_c;
        self.has_key && self.key.iter().all(ordered)
    }

    /// The key's columns as events have them.
    pub(super) fn key_json(&self, key: &[Part]) -> Map<String, Value> {
        let columns = self.key.iter().zip(key);
        columns
            .map(|(column, part)| (column.name.to_owned(), part.json()))
            .collect()
    }

    /// A row as events have it.
    pub(super) fn row_json(&self, row: &Row) -> Value {
        let mut json = self.key_json(&row.key);
        json.insert("v".to_owned(), json!(row.version));
        json.insert("note".to_owned(), json!(row.note));
        Value::Object(json)
    }

    /// An old row as events have it: its identity, and null for what that does not hold.
    pub(super) fn old_json(&self, row: &Row) -> Value {
        if self.identity == b'f' {
            return self.row_json(row);
        }
        let mut json = self.key_json(&row.key);
        json.insert("v".to_owned(), Value::Null);
        json.insert("note".to_owned(), Value::Null);
        Value::Object(json)
    }
}

/// A part of a key, in the order of its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Int(i64),
    Text(String),
}

pub(super) type Key = Vec<Part>;

impl Part {
    pub(super) fn parse(column: &Column, text: &str) -> Self {
        if column.type_oid == TEXT {
            Self::Text(text.to_owned())
        } else {
            Self::Int(text.parse().unwrap())
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Int(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) version: i64,
    pub(super) note: Option<String>,
}

impl Row {
    /// Its columns in PostgreSQL's text form.
    pub(super) fn cells(&self) -> Vec<Option<String>> {
        let key = self.key.iter().map(|part| Some(part.text()));
        key.chain([Some(self.version.to_string()), self.note.clone()])
            .collect()
    }
}
