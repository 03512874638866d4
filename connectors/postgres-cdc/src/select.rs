//! Which tables, columns and operations are captured, and what keys and topics they get.

use longshore_sdk::Fault;
use regex_lite::{Regex, RegexBuilder};

use crate::config::{Keys, wrong};

/// A table's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    pub(crate) fn new(schema: &str, table: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
        }
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// What a config selects.
#[derive(Debug)]
pub(crate) struct Selection {
    schemas: Filter,
    tables: Filter,
    columns: Filter,
    keys: Vec<(Regex, Vec<String>)>,
    pub(crate) skipped: Skipped,
}

/// Operations that are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) truncate: bool,
}

/// A list of names to take, or of names to leave out.
#[derive(Debug)]
enum Filter {
    All,
    Include(Vec<Regex>),
    Exclude(Vec<Regex>),
}

impl Selection {
    pub(crate) fn new(keys: &Keys) -> Result<Self, Fault> {
        let filter = |object: &str, include: &Option<String>, exclude: &Option<String>| {
            Filter::new(object, include.as_deref(), exclude.as_deref())
        };
        Ok(Self {
            schemas: filter("schema", &keys.schema_include, &keys.schema_exclude)?,
            tables: filter("table", &keys.table_include, &keys.table_exclude)?,
            columns: filter("column", &keys.column_include, &keys.column_exclude)?,
            keys: message_keys(keys.message_key_columns.as_deref())?,
            skipped: Skipped::parse(&keys.skipped_operations)?,
        })
    }

    /// Whether a table is captured. What belongs to the server itself never is.
    pub(crate) fn takes_table(&self, name: &TableName) -> bool {
        let system = matches!(
            &*name.schema,
            "pg_catalog" | "information_schema" | "pg_toast"
        ) || name.schema.starts_with("pg_temp_");
        !system && self.schemas.takes(&name.schema) && self.tables.takes(&name.to_string())
    }

    /// Whether a column of a captured table goes into the value.
    pub(crate) fn takes_column(&self, table: &TableName, column: &str) -> bool {
        match &self.columns {
            Filter::All => true,
            columns => columns.takes(&format!("{table}.{column}")),
        }
    }

    /// The columns that the config says are the table's key.
    pub(crate) fn key_of(&self, table: &TableName) -> Option<&[String]> {
        let name = table.to_string();
        let found = self.keys.iter().find(|(tables, _)| tables.is_match(&name));
        found.map(|(_, columns)| columns.as_slice())
    }

    /// Included tables that are spelled out, so that one that is missing can be named.
    pub(crate) fn named_tables<'a>(&self, include: Option<&'a str>) -> Vec<&'a str> {
        let plain = |name: &&str| {
            let bytes = name.bytes();
            name.contains('.')
                && bytes
                    .into_iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        };
        let names = include.unwrap_or_default().split(',').map(str::trim);
        names.filter(plain).collect()
    }
}

impl Filter {
    fn new(object: &str, include: Option<&str>, exclude: Option<&str>) -> Result<Self, Fault> {
        let include_key = format!("{object}.include.list");
        let exclude_key = format!("{object}.exclude.list");
        let include = expressions(&include_key, include)?;
        let exclude = expressions(&exclude_key, exclude)?;
        match (include.is_empty(), exclude.is_empty()) {
            (true, true) => Ok(Self::All),
            (false, true) => Ok(Self::Include(include)),
            (true, false) => Ok(Self::Exclude(exclude)),
            (false, false) => {
                let message = format!(
                    "{exclude_key} is given beside {include_key}: only one of them can be used"
                );
                Err(wrong(&exclude_key, message))
            }
        }
    }

    fn takes(&self, name: &str) -> bool {
        let any = |expressions: &[Regex]| expressions.iter().any(|e| e.is_match(name));
        match self {
            Self::All => true,
            Self::Include(expressions) => any(expressions),
            Self::Exclude(expressions) => !any(expressions),
        }
    }
}

impl Skipped {
    fn parse(text: &str) -> Result<Self, Fault> {
        let mut skipped = Self::default();
        for operation in text.split(',').map(str::trim) {
            match operation {
                "c" => skipped.create = true,
                "u" => skipped.update = true,
                "d" => skipped.delete = true,
                "t" => skipped.truncate = true,
                "" | "none" => {}
                other => {
                    let message = format!(
                        "Invalid value {other} for configuration skipped.operations: it is a list of \
                         c, u, d and t, or none"
                    );
                    return Err(wrong("skipped.operations", message));
                }
            }
        }
        Ok(skipped)
    }
}

/// `schema.table:column,column;...`
fn message_keys(text: Option<&str>) -> Result<Vec<(Regex, Vec<String>)>, Fault> {
    const KEY: &str = "message.key.columns";
    let mut keys = Vec::new();
    for part in text.unwrap_or_default().split(';').map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let columns = part.rsplit_once(':').map(|(tables, columns)| {
            let columns = columns.split(',').map(str::trim);
            (
                tables,
                columns
                    .filter(|c| !c.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )
        });
        match columns {
            Some((tables, columns)) if !columns.is_empty() => {
                keys.push((expression(KEY, tables.trim())?, columns));
            }
            _ => {
                let message = format!(
                    "Invalid value {part} for configuration {KEY}: it is schema.table:column,column;..."
                );
                return Err(wrong(KEY, message));
            }
        }
    }
    Ok(keys)
}

/// Commas separate; one behind a backslash does not.
fn expressions(key: &str, list: Option<&str>) -> Result<Vec<Regex>, Fault> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in list.unwrap_or_default().chars() {
        match c {
            ',' if !escaped => parts.push(String::new()),
            ',' => {
                let part = parts.last_mut().expect("there is always a part");
                part.pop();
                part.push(',');
            }
            c => parts.last_mut().expect("there is always a part").push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    let parts = parts.iter().map(|part| part.trim());
    parts
        .filter(|part| !part.is_empty())
        .map(|part| expression(key, part))
        .collect()
}

/// An expression as Debezium reads it: for the whole name, in any case.
fn expression(key: &str, text: &str) -> Result<Regex, Fault> {
    let whole = format!("^(?:{text})$");
    let built = RegexBuilder::new(&whole).case_insensitive(true).build();
    built.map_err(|e| {
        let message = format!("Invalid value {text} for configuration {key}: {e}");
        wrong(key, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: Option<&str>, exclude: Option<&str>) -> Filter {
        Filter::new("table", include, exclude).unwrap()
    }

    #[test]
    fn expressions_are_for_the_whole_name_in_any_case() {
        let include = filter(Some(r"public\.orders, public.item.*"), None);
        for (name, taken) in [
            ("public.orders", true),
            ("PUBLIC.Orders", true),
            ("public.orders2", false),
            ("public.items", true),
            ("x.public.orders", false),
        ] {
            assert_eq!(include.takes(name), taken, "{name}");
        }
        assert!(!filter(None, Some("a.b")).takes("a.b"));
        assert!(filter(None, Some("a.b")).takes("a.c"));
        assert!(filter(Some(" "), None).takes("anything"));
    }

    #[test]
    fn a_comma_may_belong_to_an_expression() {
        let include = filter(Some(r"a\.t{1\,2}"), None);
        assert!(include.takes("a.tt"));
        assert!(!include.takes("a.ttt"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_key() {
        let both = Filter::new("table", Some("a"), Some("b")).unwrap_err();
        assert_eq!(both.detail("key"), Some("table.exclude.list"));
        let broken = Filter::new("column", Some("a["), None).unwrap_err();
        assert_eq!(broken.detail("key"), Some("column.include.list"));
        assert_eq!(
            message_keys(Some("public.t")).unwrap_err().detail("key"),
            Some("message.key.columns")
        );
        assert!(Skipped::parse("c,x").is_err());
    }

    #[test]
    fn keys_are_found_by_table() {
        let keys = message_keys(Some("public.t:a,b; s.(x|y):c")).unwrap();
        let names = |table: &str| {
            let found = keys.iter().find(|(tables, _)| tables.is_match(table));
            found.map(|(_, columns)| columns.join("+"))
        };
        assert_eq!(names("public.t").as_deref(), Some("a+b"));
        assert_eq!(names("s.y").as_deref(), Some("c"));
        assert_eq!(names("s.z"), None);
    }
}
