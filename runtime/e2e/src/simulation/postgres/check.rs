//! What the topics have to tell, held against all that ever committed.
//!
//! A row's changes stand in its topic in their order, each once, but for those that one snapshot saw, whose sum is the
//! one `r` before them. Which snapshot delivered a row is not known here; that it was one and the same is the claim.
//! Where a table was read again, several snapshots may have told a row, and then no change of it may be missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::event::{Event, Record};
use super::server::{Server, apply};
use super::table::{Key, Row, Shape, TABLES};
use super::view::View;

/// What the checker had to decide, so that a run in which nothing was at stake is noticed.
#[derive(Clone, Debug, Default)]
pub(super) struct Checked {
    events: u64,
    /// Rows whose changes a later snapshot had told.
    told_by_snapshot: u64,
    /// Rows that were told by more than one read.
    read_again: u64,
    key_changes: u64,
}

impl Checked {
    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.told_by_snapshot += other.told_by_snapshot;
        self.read_again += other.read_again;
        self.key_changes += other.key_changes;
    }

    pub(super) fn is_telling(&self) -> bool {
        let Self {
            events,
            told_by_snapshot,
            read_again,
            key_changes,
        } = self;
        [events, told_by_snapshot, read_again, key_changes]
            .into_iter()
            .all(|n| *n > 0)
    }
}

/// Panics at the first thing that is not as it has to be.
pub(super) fn check(server: &Server, topics: &[Vec<Record>]) -> Checked {
    let mut checked = Checked::default();
    for (table, records) in topics.iter().enumerate() {
        let shape = &TABLES[table];
        if shape.excluded {
            assert!(records.is_empty(), "{} is not captured", shape.table);
            continue;
        }
        let told = told(shape, records);
        check_order(server, shape, &told);
        check_rows(server, table, told.clone(), &mut checked);
        check_replay(server, table, &told);
    }
    checked
}

/// The events of a topic; each delete of a table with a key has its tombstone behind it, and nothing else has one.
fn told(shape: &Shape, records: &[Record]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut records = records.iter();
    while let Some(record) = records.next() {
        assert!(
            !record.value.is_null(),
            "{}: a tombstone alone",
            shape.table
        );
        let event = Event::parse(&record.value);
        let row = if event.op == 'd' {
            &event.before
        } else {
            &event.after
        };
        let key = key_of(shape, row);
        assert_eq!(record.key, key, "{}: the key of {event:?}", shape.table);
        if event.op == 'd' && shape.has_key {
            let tombstone = records.next().map(|record| (&record.key, &record.value));
            let wanted = Some((&key, &Value::Null));
            assert_eq!(
                tombstone, wanted,
                "{}: the tombstone of {event:?}",
                shape.table
            );
        }
        events.push(event);
    }
    events
}

fn key_of(shape: &Shape, row: &Value) -> Value {
    if !shape.has_key {
        return Value::Null;
    }
    let column = |column: &super::table::Column| (column.name.to_owned(), row[column.name].clone());
    Value::Object(shape.key.iter().map(column).collect())
}

/// Reads come first, and then transactions as they committed.
fn check_order(server: &Server, shape: &Shape, told: &[Event]) {
    let xids = server.history.iter().enumerate();
    let places: BTreeMap<_, _> = xids.map(|(at, t)| (Some(low(t.xid)), at + 1)).collect();
    let place = |event: &Event| match event.op {
        'r' => 0,
        _ => places[&event.xid],
    };
    for pair in told.windows(2) {
        assert!(
            place(&pair[0]) <= place(&pair[1]),
            "{}: {pair:?}",
            shape.table
        );
    }
}

fn low(xid: u64) -> u64 {
    xid & 0xffff_ffff
}

/// An event that is to be expected, and its transaction's place in the history.
type Expected = (usize, Event);

fn check_rows(server: &Server, table: usize, told: Vec<Event>, checked: &mut Checked) {
    let shape = &TABLES[table];
    let slot = server.slot.as_ref().expect("everything arrived through it");
    checked.events += told.len() as u64;
    let mut told_by_key: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in told {
        let row = if event.op == 'd' {
            &event.before
        } else {
            &event.after
        };
        told_by_key
            .entry(row_name(shape, row))
            .or_default()
            .push(event);
    }
    let (expected, key_changes) = expected(server, table);
    checked.key_changes += key_changes;
    for (name, (key, changes)) in &expected {
        let told = told_by_key.remove(name).unwrap_or_default();
        let views = slot.snapshots.iter();
        let by = views
            .clone()
            .position(|view| told == tells(shape, table, view, key, changes));
        match by {
            Some(0) => {}
            Some(_) => checked.told_by_snapshot += 1,
            None if !shape.is_ordered()
                && is_read_again(shape, table, &slot.snapshots, key, changes, &told) =>
            {
                checked.read_again += 1;
            }
            None => {
                let all: Vec<_> = views
                    .map(|view| tells(shape, table, view, key, changes))
                    .collect();
                panic!(
                    "{}: row {name} is told as {told:#?}, which none of {} snapshots leads to; the first: {:#?}, the last: {:#?}",
                    shape.table,
                    all.len(),
                    all.first(),
                    all.last()
                );
            }
        }
    }
    assert!(
        told_by_key.is_empty(),
        "{}: rows that never were: {told_by_key:?}",
        shape.table
    );
}

/// What tells rows apart, with or without an index.
fn row_name(shape: &Shape, row: &Value) -> String {
    let parts = shape.key.iter().map(|column| row[column.name].to_string());
    parts.collect::<Vec<_>>().join(" ")
}

/// What a row's topic tells where this snapshot delivered it.
fn tells(shape: &Shape, table: usize, view: &View, key: &Key, changes: &[Expected]) -> Vec<Event> {
    let read = view.rows(table).get(key).map(|row| read(shape, row));
    let unseen = changes.iter().filter(|(at, _)| !view.sees(*at));
    read.into_iter()
        .chain(unseen.map(|(_, event)| event.clone()))
        .collect()
}

fn read(shape: &Shape, row: &Row) -> Event {
    Event {
        op: 'r',
        xid: None,
        before: Value::Null,
        after: shape.row_json(row),
    }
}

/// Several snapshots told the row: reads that one of them saw each, and then all changes since the slot.
fn is_read_again(
    shape: &Shape,
    table: usize,
    snapshots: &[std::rc::Rc<View>],
    key: &Key,
    changes: &[Expected],
    told: &[Event],
) -> bool {
    let n_reads = told.iter().take_while(|event| event.op == 'r').count();
    let (reads, rest) = told.split_at(n_reads);
    let unseen = changes.iter().filter(|(at, _)| !snapshots[0].sees(*at));
    let all_changes = unseen.map(|(_, event)| event).eq(rest);
    // In the order of the snapshots, and of each at most one.
    let mut views = snapshots.iter();
    let all_reads = reads.iter().all(|event| {
        views.any(|view| {
            view.rows(table)
                .get(key)
                .is_some_and(|row| read(shape, row) == *event)
        })
    });
    all_changes && all_reads
}

/// All that ever happened to each row of a table, and how often a key changed.
fn expected(server: &Server, table: usize) -> (BTreeMap<String, (Key, Vec<Expected>)>, u64) {
    let shape = &TABLES[table];
    let mut rows: BTreeMap<String, (Key, Vec<Expected>)> = BTreeMap::new();
    let mut key_changes = 0;
    for (at, transaction) in server.history.iter().enumerate() {
        let changes = transaction.changes.iter();
        for change in changes.filter(|change| change.table == table) {
            let mut tell = |row: &Row, op, before, after| {
                let xid = Some(low(transaction.xid));
                let name = row_name(shape, &shape.row_json(row));
                let (_, told) = rows
                    .entry(name)
                    .or_insert_with(|| (row.key.clone(), Vec::new()));
                told.push((
                    at,
                    Event {
                        op,
                        xid,
                        before,
                        after,
                    },
                ));
            };
            match (&change.old, &change.new) {
                (Some(old), Some(new)) if old.key == new.key => {
                    let before = match shape.identity {
                        b'f' => shape.row_json(old),
                        _ => Value::Null,
                    };
                    tell(new, 'u', before, shape.row_json(new));
                }
                (old, new) => {
                    if let Some(old) = old {
                        tell(old, 'd', shape.old_json(old), Value::Null);
                    }
                    if let Some(new) = new {
                        tell(new, 'c', Value::Null, shape.row_json(new));
                    }
                    key_changes += u64::from(old.is_some() && new.is_some());
                }
            }
        }
    }
    (rows, key_changes)
}

/// Whoever replays the topic has the table: by key, or as the set of its rows where it has none.
fn check_replay(server: &Server, table: usize, told: &[Event]) {
    let shape = &TABLES[table];
    let mut rows = BTreeMap::new();
    for transaction in &server.history {
        for change in transaction
            .changes
            .iter()
            .filter(|change| change.table == table)
        {
            apply(&mut rows, change);
        }
    }
    let wanted: BTreeSet<_> = rows
        .values()
        .map(|row| shape.row_json(row).to_string())
        .collect();
    let replayed: BTreeSet<String> = if shape.has_key {
        let mut rows = BTreeMap::new();
        for event in told {
            match event.op {
                'd' => rows.remove(&row_name(shape, &event.before)),
                _ => rows.insert(row_name(shape, &event.after), event.after.to_string()),
            };
        }
        rows.into_values().collect()
    } else {
        let mut rows = BTreeSet::new();
        for event in told {
            rows.remove(&event.before.to_string());
            if event.op != 'd' {
                rows.insert(event.after.to_string());
            }
        }
        rows
    };
    assert_eq!(replayed, wanted, "{}: what a replay leads to", shape.table);
}
