//! What arrived against what was committed, row by row.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::workload::{Change, History, Keyed, Table};
use crate::postgres::Event;

/// Something that happened to one row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told<'a> {
    Create(&'a Value),
    Update(&'a Value),
    Delete,
}

impl<'a> Told<'a> {
    fn leads_to(self) -> Option<&'a Value> {
        match self {
            Told::Create(row) | Told::Update(row) => Some(row),
            Told::Delete => None,
        }
    }
}

/// What is known of one row and what arrived of it.
#[derive(Default)]
struct Row<'a> {
    before: Option<&'a Value>,
    committed: Vec<Told<'a>>,
    after: Option<&'a Value>,
    /// What snapshots read.
    read: Vec<&'a Value>,
    streamed: Vec<Told<'a>>,
}

/// Every change arrived once and in order, but for those that a snapshot had seen; and what arrived leads to what the
/// table holds.
pub(super) fn table(table: &Table, history: &History, events: &[Event]) -> Result<()> {
    let mut rows: HashMap<String, Row<'_>> = HashMap::new();
    let key = |row: &Value| key_of(table, row);
    for row in &history.before {
        rows.entry(key(row)).or_default().before = Some(row);
    }
    for row in &history.after {
        let twice = rows.entry(key(row)).or_default().after.replace(row);
        ensure!(twice.is_none(), "the workload made a row twice: {row}");
    }
    for Change { old, new } in &history.changes {
        committed(table, &mut rows, old.as_ref(), new.as_ref());
    }
    arrived(table, &mut rows, events)?;
    for (key, row) in &rows {
        let right = row.check(table.keyed);
        right.with_context(|| {
            format!(
                "row {key}: before {:?}, committed {:?}, after {:?}; read {:?}, streamed {:?}",
                row.before, row.committed, row.after, row.read, row.streamed
            )
        })?;
    }
    Ok(())
}

fn committed<'a>(
    table: &Table,
    rows: &mut HashMap<String, Row<'a>>,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
) {
    let mut push = |row: &'a Value, told| {
        let row = rows.entry(key_of(table, row)).or_default();
        row.committed.push(told);
    };
    match (old, new) {
        (Some(old), Some(new)) if key_of(table, old) == key_of(table, new) => {
            push(new, Told::Update(new));
        }
        (old, new) => {
            if let Some(old) = old {
                push(old, Told::Delete);
            }
            if let Some(new) = new {
                push(new, Told::Create(new));
            }
        }
    }
}

fn arrived<'a>(
    table: &Table,
    rows: &mut HashMap<String, Row<'a>>,
    events: &'a [Event],
) -> Result<()> {
    let mut buried = true;
    for event in events {
        if event.value.is_null() {
            ensure!(!buried, "a tombstone of {} without a delete", event.key);
            buried = true;
            continue;
        }
        ensure!(buried, "a delete before {} has no tombstone", event.key);
        let (before, after) = (event.before(), event.after());
        let mut tell = |row: &'a Value, told| {
            let row = rows.entry(key_of(table, row)).or_default();
            row.streamed.push(told);
        };
        match event.op() {
            "r" => {
                let row = rows.entry(key_of(table, after)).or_default();
                row.read.push(after);
            }
            "c" => tell(after, Told::Create(after)),
            "u" if table.keyed == Keyed::Not => {
                if key_of(table, before) == key_of(table, after) {
                    tell(after, Told::Update(after));
                } else {
                    tell(before, Told::Delete);
                    tell(after, Told::Create(after));
                }
            }
            "u" => tell(after, Told::Update(after)),
            "d" => {
                tell(before, Told::Delete);
                buried = table.keyed == Keyed::Not;
            }
            op => bail!("an event of kind {op:?}"),
        }
    }
    Ok(())
}

impl Row<'_> {
    /// What was streamed is everything from some moment on, and what was read is the row at that moment.
    fn check(&self, keyed: Keyed) -> Result<()> {
        let passed = self.committed.len().checked_sub(self.streamed.len());
        let passed = passed.context("more arrived than was committed")?;
        ensure!(
            self.committed[passed..] == *self.streamed,
            "what arrived is not what was committed last"
        );
        let mut moments = vec![self.before];
        for told in &self.committed {
            moments.push(told.leads_to());
        }
        let since = &moments[passed..];
        match (keyed, self.read.as_slice()) {
            (Keyed::Ordered, []) => ensure!(since[0].is_none(), "it was not read"),
            (Keyed::Ordered, [read]) => {
                ensure!(
                    since[0] == Some(read),
                    "what was read is not what it was then"
                );
            }
            (Keyed::Ordered, _) => bail!("a snapshot read it more than once"),
            // A snapshot that was interrupted read it, or a later one, or both.
            (_, []) => ensure!(since.contains(&None), "it was not read"),
            (_, read) => {
                let was = |read: &&Value| since.contains(&Some(*read));
                ensure!(
                    read.iter().all(was),
                    "what was read is not what it was since"
                );
            }
        }
        let streamed = self.streamed.last().map(|told| told.leads_to());
        let replayed = streamed.unwrap_or(self.read.last().copied());
        ensure!(replayed == self.after, "replaying leads to {replayed:?}");
        Ok(())
    }
}

fn key_of(table: &Table, row: &Value) -> String {
    let parts: Vec<String> = table.key.iter().map(|part| row[part].to_string()).collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row<'a>(before: Option<&'a Value>, committed: &[Told<'a>]) -> Row<'a> {
        Row {
            before,
            committed: committed.to_vec(),
            after: committed.last().map_or(before, |told| told.leads_to()),
            ..Row::default()
        }
    }

    #[test]
    fn what_a_snapshot_saw_is_not_streamed_again() {
        let (a, b, c) = (json!("a"), json!("b"), json!("c"));
        let committed = [Told::Update(&b), Told::Delete, Told::Create(&c)];
        for passed in 0..=committed.len() {
            let mut row = row(Some(&a), &committed);
            row.streamed = committed[passed..].to_vec();
            let read = committed[..passed]
                .last()
                .map_or(Some(&a), |told| told.leads_to());
            row.read.extend(read);
            row.check(Keyed::Ordered).unwrap();
            if let Some(first) = row.streamed.first().copied() {
                row.streamed.insert(0, first);
                row.check(Keyed::Ordered).unwrap_err();
                row.streamed.drain(..2);
                row.check(Keyed::Ordered).unwrap_err();
            }
        }
    }

    #[test]
    fn a_row_that_was_read_and_deleted_must_be_told_deleted() {
        let a = json!("a");
        let mut row = row(Some(&a), &[Told::Delete]);
        row.read.push(&a);
        row.check(Keyed::Not).unwrap_err();
        row.streamed.push(Told::Delete);
        row.check(Keyed::Not).unwrap();
        row.read.push(&a);
        row.check(Keyed::Not).unwrap();
        row.check(Keyed::Ordered).unwrap_err();
    }
}
