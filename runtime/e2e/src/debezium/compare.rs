//! The records of one topic, theirs beside ours: paired, and walked field by field.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::catalog::Table;
use super::difference::{Difference, Part, Phase};
use super::records::{DeadLetter, Record};

/// A topic of a connector.
pub(super) struct Topic<'a> {
    pub(super) mode: &'static str,
    /// Its name behind the prefix.
    pub(super) name: &'a str,
    pub(super) table: Option<&'a Table>,
}

/// A path of two schemas or payloads that differ, and what stands there.
type Found = (Vec<String>, Option<Value>, Option<Value>);

impl Topic<'_> {
    /// All differences. A snapshot's rows come in any order, of which readers must not depend; everything else in the order
    /// of the log.
    pub(super) fn compare(
        &self,
        theirs: &[Record],
        ours: &[Record],
        letters: &[DeadLetter],
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut letters = self.letters(theirs, letters);
        let in_snapshot = |record: &&Record| record.op() == "r";
        for phase in [Phase::Snapshot, Phase::Stream] {
            let of_phase = |records: &[Record]| {
                let wanted = |record: &&Record| in_snapshot(record) == (phase == Phase::Snapshot);
                let mut named = named(records.iter().filter(wanted));
                if phase == Phase::Snapshot {
                    named.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                named
                    .into_iter()
                    .map(|(name, record)| (name, record.clone()))
                    .collect::<Vec<_>>()
            };
            let (theirs, ours) = (of_phase(theirs), of_phase(ours));
            for (name, theirs, ours) in paired(&theirs, &ours) {
                match (theirs, ours) {
                    (Some(theirs), Some(ours)) => {
                        differences.extend(self.compare_records(phase, name, theirs, ours));
                    }
                    (theirs, ours) => {
                        let whole = |record: &Record| record.value["payload"].clone();
                        let found = (Vec::new(), theirs.map(whole), ours.map(whole));
                        let mut difference =
                            self.difference(phase, Part::Record, name, &Value::Null, found);
                        if ours.is_none() {
                            difference.dead_letter = letters.take(phase, name);
                        }
                        differences.push(difference);
                    }
                }
            }
        }
        differences
    }

    /// The letters of this topic's table.
    fn letters(&self, theirs: &[Record], letters: &[DeadLetter]) -> Letters {
        let streamed = |letter: &&DeadLetter| {
            let is_at = |record: &Record| {
                let source = &record.value["payload"]["source"];
                source["snapshot"] == "false" && source["lsn"] == letter.lsn
            };
            theirs.iter().any(is_at)
        };
        let wanted = |letter: &&DeadLetter| letter.table == self.name;
        let letters = letters.iter().filter(wanted);
        let (stream, snapshot) = letters.partition::<Vec<_>, _>(streamed);
        Letters {
            snapshot: snapshot
                .into_iter()
                .map(|letter| letter.code.clone())
                .collect(),
            stream: stream
                .into_iter()
                .map(|letter| (letter.lsn, letter.code.clone()))
                .collect(),
        }
    }

    fn compare_records(
        &self,
        phase: Phase,
        name: &str,
        theirs: &Record,
        ours: &Record,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        let sides = [
            (Part::KeySchema, Part::Key, &theirs.key, &ours.key),
            (Part::ValueSchema, Part::Value, &theirs.value, &ours.value),
        ];
        for (schema_part, part, theirs, ours) in sides {
            if theirs.is_null() != ours.is_null() {
                let found = (Vec::new(), Some(theirs.clone()), Some(ours.clone()));
                differences.push(self.difference(phase, part, name, &Value::Null, found));
                continue;
            }
            let mut found = Vec::new();
            walk_schema(
                &theirs["schema"],
                &ours["schema"],
                &mut Vec::new(),
                &mut found,
            );
            let found = found.into_iter();
            differences
                .extend(found.map(|found| {
                    self.difference(phase, schema_part, name, &ours["schema"], found)
                }));
            let mut found = Vec::new();
            walk(
                &theirs["payload"],
                &ours["payload"],
                &mut Vec::new(),
                &mut found,
            );
            let found = found.into_iter();
            differences.extend(
                found.map(|found| self.difference(phase, part, name, &ours["schema"], found)),
            );
        }
        let headers = |record: &Record| {
            let headers = record.headers.iter();
            Value::Object(
                headers
                    .map(|(name, text)| (name.clone(), text.clone().into()))
                    .collect(),
            )
        };
        let mut found = Vec::new();
        walk(
            &headers(theirs),
            &headers(ours),
            &mut Vec::new(),
            &mut found,
        );
        let found = found.into_iter();
        differences.extend(
            found.map(|found| self.difference(phase, Part::Headers, name, &Value::Null, found)),
        );
        differences
    }

    fn difference(
        &self,
        phase: Phase,
        part: Part,
        record: &str,
        schema: &Value,
        (path, theirs, ours): Found,
    ) -> Difference {
        let row = match part {
            Part::Key | Part::KeySchema => &path[..],
            Part::Value | Part::ValueSchema => match path.first().map(String::as_str) {
                Some("before" | "after") => &path[1..],
                _ => &[],
            },
            Part::Headers | Part::Record => &[],
        };
        let column = row.first().and_then(|name| self.table?.column(name));
        let outer = &path[..path.len() - row.len()];
        let mut schema = outer
            .iter()
            .fold(schema, |schema, name| field(schema, name));
        if let Some(column) = column {
            schema = field(schema, &column.name);
        }
        Difference {
            mode: self.mode,
            topic: self.name.to_owned(),
            phase,
            part,
            record: record.to_owned(),
            column: column.cloned(),
            schema: schema.clone(),
            dead_letter: None,
            path,
            theirs,
            ours,
        }
    }
}

/// Dead letters of a table. Those of a snapshot all stand at its place in the log: each is one row's, whichever it is.
struct Letters {
    snapshot: Vec<String>,
    stream: HashMap<u64, String>,
}

impl Letters {
    fn take(&mut self, phase: Phase, record: &str) -> Option<String> {
        if phase == Phase::Snapshot {
            return self.snapshot.pop();
        }
        let mut words = record.split(' ');
        let lsn = words.nth(1)?.parse().ok()?;
        self.stream.get(&lsn).cloned()
    }
}

/// What tells a record from all others of its topic: operation, place in the log, and key. A tombstone is at the place of
/// the delete before it.
fn named<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<(String, &'a Record)> {
    let mut lsn = Value::Null;
    let mut named = Vec::new();
    for record in records {
        let source = &record.value["payload"]["source"];
        if record.op() == "r" {
            named.push((format!("r {}", record.identity()), record));
            continue;
        }
        if !record.value.is_null() {
            lsn = source["lsn"].clone();
        }
        named.push((
            format!("{} {lsn} {}", record.op(), record.identity()),
            record,
        ));
    }
    named
}

type Pair<'a> = (&'a str, Option<&'a Record>, Option<&'a Record>);

/// Pairs in order: whoever comes out of order is paired with nobody.
fn paired<'a>(theirs: &'a [(String, Record)], ours: &'a [(String, Record)]) -> Vec<Pair<'a>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, (name, _)) in ours.iter().enumerate().rev() {
        places.entry(name).or_default().push(place);
    }
    let mut pairs = Vec::new();
    let mut next = 0;
    for (name, record) in theirs {
        let later = places.get_mut(&**name).and_then(|places| {
            while places.last().is_some_and(|place| *place < next) {
                places.pop();
            }
            places.pop()
        });
        let Some(place) = later else {
            pairs.push((&**name, Some(record), None));
            continue;
        };
        let between = ours[next..place].iter();
        pairs.extend(between.map(|(name, ours)| (&**name, None, Some(ours))));
        pairs.push((&**name, Some(record), Some(&ours[place].1)));
        next = place + 1;
    }
    let rest = ours[next..].iter();
    pairs.extend(rest.map(|(name, ours)| (&**name, None, Some(ours))));
    pairs
}

fn walk(theirs: &Value, ours: &Value, path: &mut Vec<String>, found: &mut Vec<Found>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            walk_members(theirs, ours, path, found, walk);
        }
        _ if theirs != ours => found.push((path.clone(), Some(theirs.clone()), Some(ours.clone()))),
        _ => {}
    }
}

/// Fields go by their names, and by their order among those that both have.
fn walk_schema(theirs: &Value, ours: &Value, path: &mut Vec<String>, found: &mut Vec<Found>) {
    let (Value::Object(theirs), Value::Object(ours)) = (theirs, ours) else {
        return walk(theirs, ours, path, found);
    };
    let (mut theirs, mut ours) = (theirs.clone(), ours.clone());
    if let (Some(Value::Array(their_fields)), Some(Value::Array(our_fields))) =
        (theirs.get("fields").cloned(), ours.get("fields").cloned())
    {
        theirs.remove("fields");
        ours.remove("fields");
        let (their_fields, our_fields) = (by_name(&their_fields), by_name(&our_fields));
        let order = |fields: &[(String, Value)], others: &[(String, Value)]| -> Vec<Value> {
            let common = fields
                .iter()
                .filter(|(name, _)| others.iter().any(|(other, _)| other == name));
            common.map(|(name, _)| name.clone().into()).collect()
        };
        let orders = [
            order(&their_fields, &our_fields),
            order(&our_fields, &their_fields),
        ];
        if orders[0] != orders[1] {
            let [theirs, ours] = orders.map(|order| Some(Value::Array(order)));
            found.push((path.clone(), theirs, ours));
        }
        let (a, b) = (Map::from_iter(their_fields), Map::from_iter(our_fields));
        walk_members(&a, &b, path, found, walk_schema);
    }
    walk_members(&theirs, &ours, path, found, walk_schema);
}

type Walk = fn(&Value, &Value, &mut Vec<String>, &mut Vec<Found>);

fn walk_members(
    theirs: &Map<String, Value>,
    ours: &Map<String, Value>,
    path: &mut Vec<String>,
    found: &mut Vec<Found>,
    walk: Walk,
) {
    let only_ours = ours.keys().filter(|name| !theirs.contains_key(*name));
    for name in theirs.keys().chain(only_ours) {
        path.push(name.clone());
        match (theirs.get(name), ours.get(name)) {
            (Some(theirs), Some(ours)) => walk(theirs, ours, path, found),
            (theirs, ours) => found.push((path.clone(), theirs.cloned(), ours.cloned())),
        }
        path.pop();
    }
}

fn by_name(fields: &[Value]) -> Vec<(String, Value)> {
    let name = |field: &Value| field["field"].as_str().unwrap_or_default().to_owned();
    fields
        .iter()
        .map(|field| (name(field), field.clone()))
        .collect()
}

/// The schema of a field.
fn field<'a>(schema: &'a Value, name: &str) -> &'a Value {
    let mut fields = schema["fields"].as_array().into_iter().flatten();
    let found = fields.find(|field| field["field"] == name);
    found.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Topic, walk_schema};
    use crate::debezium::difference::{Difference, Part};
    use crate::debezium::records::Record;

    fn event(op: &str, id: u64, lsn: u64, value: u64) -> Record {
        Record {
            key: json!({"schema": null, "payload": {"id": id}}),
            value: json!({"schema": null, "payload":
                {"op": op, "after": {"v": value}, "source": {"lsn": lsn}}}),
            headers: Vec::new(),
        }
    }

    fn compare(theirs: &[Record], ours: &[Record]) -> Vec<Difference> {
        let topic = Topic {
            mode: "plain",
            name: "g.t",
            table: None,
        };
        topic.compare(theirs, ours, &[])
    }

    #[test]
    fn a_record_that_is_missing_or_out_of_order_is_a_difference() {
        let [a, b, c] = [
            event("c", 1, 10, 0),
            event("u", 1, 11, 0),
            event("u", 1, 12, 0),
        ];
        let all = [a.clone(), b.clone(), c.clone()];
        assert!(compare(&all, &all).is_empty());
        let n_whole = |ours: &[Record]| {
            let differences = compare(&all, ours);
            assert!(differences.iter().all(|d| d.part == Part::Record));
            differences.len()
        };
        assert_eq!(n_whole(&[a.clone(), c.clone()]), 1);
        assert_eq!(n_whole(&[a.clone(), b.clone(), b.clone(), c.clone()]), 1);
        assert_eq!(n_whole(&[a, c, b]), 2);
    }

    #[test]
    fn rows_of_a_snapshot_come_in_any_order_and_are_compared_each() {
        let theirs = [event("r", 1, 5, 1), event("r", 2, 5, 2)];
        let ours = [event("r", 2, 5, 2), event("r", 1, 5, 7)];
        let differences = compare(&theirs, &ours);
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(differences[0].is_at(&["after", "v"]));
    }

    #[test]
    fn fields_of_a_schema_are_told_apart_by_name_and_order() {
        let schema = |names: &[&str]| {
            let fields: Vec<_> = names
                .iter()
                .map(|name| json!({"field": name, "type": "int32"}))
                .collect();
            json!({"type": "struct", "fields": fields})
        };
        let n = |ours: &[&str]| {
            let mut found = Vec::new();
            walk_schema(
                &schema(&["a", "b"]),
                &schema(ours),
                &mut Vec::new(),
                &mut found,
            );
            found.len()
        };
        assert_eq!(n(&["a", "b"]), 0);
        assert_eq!(n(&["b", "a"]), 1);
        assert_eq!(n(&["a", "c"]), 2);
    }
}
