//! `COPY (SELECT ...) TO STDOUT`, as far as a snapshot uses it.

use super::table::{Key, Part, Row, Shape, TABLES};
use super::view::View;
use crate::seed::Random;

/// A copy's statement, taken apart.
pub(super) struct Statement {
    table: usize,
    /// Places of the columns.
    columns: Vec<usize>,
    behind: Option<Key>,
    in_order: bool,
}

impl Statement {
    /// Panics where it is another statement than the ones that it knows.
    pub(super) fn parse(sql: &str) -> Self {
        let known = || {
            let select = sql
                .strip_prefix("COPY (SELECT ")?
                .strip_suffix(") TO STDOUT")?;
            let (columns, rest) = select.split_once(" FROM ONLY ")?;
            let (rest, order) = match rest.split_once(" ORDER BY ") {
                Some((rest, order)) => (rest, Some(order)),
                None => (rest, None),
            };
            let (name, condition) = match rest.split_once(" WHERE ") {
                Some((name, condition)) => (name, Some(condition)),
                None => (rest, None),
            };
            let of_name =
                |table: &Shape| format!("\"{}\".\"{}\"", table.schema, table.table) == name;
            let table = TABLES.iter().position(of_name)?;
            let shape = &TABLES[table];
            let key = names(shape.key.iter().map(|column| column.name));
            if let Some(order) = order {
                assert!(order == key && shape.is_ordered(), "{sql}");
            }
            let place = |name: &str| {
                shape
                    .columns()
                    .position(|column| format!("\"{}\"", column.name) == name)
            };
            let columns = columns.split(", ").map(place).collect::<Option<_>>()?;
            let behind = match condition {
                Some(condition) => {
                    let literals = condition.strip_prefix(&format!("({key}) > ("))?;
                    Some(key_of(shape, literals.strip_suffix(')')?)?)
                }
                None => None,
            };
            Some(Self {
                table,
                columns,
                behind,
                in_order: order.is_some(),
            })
        };
        known().unwrap_or_else(|| panic!("the simulated server does not know: {sql}"))
    }

    /// The rows as the view has them, in COPY's text form; in no order where none was asked for.
    pub(super) fn rows(&self, view: &View, random: &mut Random) -> Vec<Vec<u8>> {
        let behind = |row: &&Row| self.behind.as_ref().is_none_or(|key| row.key > *key);
        let rows = view.rows(self.table).values().filter(behind);
        let mut rows: Vec<_> = rows.map(|row| self.line(row)).collect();
        if !self.in_order {
            for at in (1..rows.len()).rev() {
                let other = random.within(0..at as u64 + 1);
                rows.swap(at, usize::try_from(other).unwrap());
            }
        }
        rows
    }

    fn line(&self, row: &Row) -> Vec<u8> {
        let cells = row.cells();
        let texts = self.columns.iter().map(|at| match &cells[*at] {
            None => "\\N".to_owned(),
            Some(text) => escaped(text),
        });
        let mut line = texts.collect::<Vec<_>>().join("\t");
        line.push('\n');
        line.into_bytes()
    }
}

fn names<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = columns.map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// Literals, comma-separated; the keys here hold no backslash.
fn key_of(shape: &Shape, literals: &str) -> Option<Key> {
    let mut key = Key::new();
    let mut rest = literals;
    for column in shape.key {
        let mut text = String::new();
        let mut chars = rest.strip_prefix('\'')?.char_indices().peekable();
        let end = loop {
            match chars.next()? {
                (_, '\'') if chars.next_if(|(_, c)| *c == '\'').is_some() => text.push('\''),
                (at, '\'') => break at,
                (_, c) => text.push(c),
            }
        };
        key.push(Part::parse(column, &text));
        rest = rest[1..][end + 1..].trim_start_matches(", ");
    }
    rest.is_empty().then_some(key)
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}
