//! What differs, and stays so: each by type and condition. The guide lists them all.

use serde_json::Value;

use super::difference::{Difference, Part, Phase};
use super::moment;

/// A kind of difference.
pub(super) struct Rule {
    /// In `EXPLAINED` the first cell of the guide's row.
    pub(super) name: &'static str,
    pub(super) why: &'static str,
    pub(super) applies: fn(&Difference) -> bool,
}

pub(super) const EXPLAINED: &[Rule] = &[
    Rule {
        name: "headers `__debezium.context.*`",
        why: "they say on every record what its topic says; `strings` asks for them, and they are equal",
        applies: |d| {
            let is_context =
                d.part == Part::Headers && d.path[0].starts_with("__debezium.context.");
            is_context && d.ours.is_none() && d.mode != "strings"
        },
    },
    Rule {
        name: "dates and timestamps before 1582-10-15, and infinite dates, in a snapshot; arrays of timestamps from then everywhere",
        why: "the driver's calendar is Julian there, and the stream's is not: the same row would have two values",
        applies: |d| {
            let is_early = |value: &Value| match value {
                Value::Array(all) => {
                    let schema = &d.schema["items"];
                    all.iter()
                        .any(|value| moment::is_before_1582(value, schema))
                }
                value => {
                    moment::is_before_1582(value, &d.schema)
                        || (d.pg_type() == "date" && moment::is_endless_date(value, &d.schema))
                }
            };
            (d.phase == Phase::Snapshot
                || d.pg_type().starts_with("timestamp") && d.pg_type().ends_with("[]"))
                && d.is_value()
                && is_dated(d.pg_type())
                && d.ours.as_ref().is_some_and(is_early)
        },
    },
    Rule {
        name: "infinite dates and timestamps with `nanoseconds` and `isostring`",
        why: "Debezium reckons with numbers of the driver's that stand for infinity, and they overflow",
        applies: |d| {
            let is_endless = match (d.mode, &d.ours) {
                ("nanoseconds", Some(ours)) => matches!(ours.as_i64(), Some(i64::MIN | i64::MAX)),
                ("iso", Some(ours)) => ours == "infinity" || ours == "-infinity",
                _ => false,
            };
            d.is_value() && is_dated(d.pg_type()) && is_endless
        },
    },
    Rule {
        name: "text in headers `__debezium.newkey` and `__debezium.oldkey`",
        why: "Kafka Connect's header converter escapes quotes and nothing else, so that a line break makes it no JSON",
        applies: |d| {
            let is_key = d.is_at(&["__debezium.newkey"]) || d.is_at(&["__debezium.oldkey"]);
            is_key && d.part == Part::Headers && is_same_json(d.their_text(), d.our_text())
        },
    },
    Rule {
        name: "intervals",
        why: "Debezium reckons with a double and cuts, so that the last digit may be one less",
        applies: |d| d.is_value() && d.pg_type() == "interval" && is_short_of_one_digit(d),
    },
    Rule {
        name: "`24:00:00` with `isostring`",
        why: "Debezium takes the last moment of a day for its first",
        applies: |d| {
            d.is_value() && d.pg_type().starts_with("time") && d.our_text().starts_with("24:00:00")
        },
    },
    Rule {
        name: "`time[]`, `timetz[]`",
        why: "Debezium takes elements through a type of Java that has no microseconds",
        applies: |d| {
            let is_time = matches!(
                d.pg_type(),
                "time without time zone[]" | "time with time zone[]"
            );
            d.is_value() && is_time && is_cut(d)
        },
    },
    Rule {
        name: "arrays of enums and of `bit(n)`, columns of type `name` in the stream",
        why: "Debezium has no conversion of these",
        applies: |d| {
            let is_array = d.pg_type().ends_with("[]");
            let is_enum = is_array && d.column.as_ref().is_some_and(|column| column.is_enum);
            let is_bits = is_array && d.pg_type().starts_with("bit(");
            let is_name = d.phase == Phase::Stream && d.pg_type() == "name";
            let schema_of_enum = is_enum
                && d.path
                    .ends_with(&["items".to_owned(), "optional".to_owned()]);
            let is_null = d.is_value() && d.their_null() && (is_enum || is_bits || is_name);
            is_null || (d.is_schema() && (is_bits || schema_of_enum))
        },
    },
    Rule {
        name: "arrays of `money`, `interval`, `varbit`, `xml`, `point`, `name` and of domains",
        why: "Debezium has no schema of these",
        applies: |d| {
            let element = d.pg_type().strip_suffix("[]").unwrap_or_default();
            let is_left_out = matches!(
                element,
                "money" | "interval" | "bit varying" | "xml" | "point" | "name"
            ) || element.starts_with("g.d_");
            is_left_out && d.theirs.is_none() && d.is_whole_column()
        },
    },
    Rule {
        name: "arrays of more than one dimension, intervals and timestamps that no 64 bits hold",
        why: "they are bad records here, so that no value is silently another",
        applies: |d| {
            let codes = ["postgres-value-out-of-range", "postgres-array-dimensions"];
            let code = d.dead_letter.as_deref();
            d.part == Part::Record && code.is_some_and(|code| codes.contains(&code))
        },
    },
    Rule {
        name: "`numeric` with a negative scale",
        why: "Debezium reads the modifier without its sign",
        applies: |d| d.pg_type().contains(",-"),
    },
    Rule {
        name: "large `money` in a snapshot; `money` as string in a snapshot",
        why: "Debezium's snapshot takes money through a double",
        applies: |d| {
            let is_money = d.is(Phase::Snapshot, Part::Value) && d.pg_type() == "money";
            is_money && is_through_a_double(d)
        },
    },
    Rule {
        name: "defaults with a quote (`'it''s'`)",
        why: "Debezium ends the text at the first quote",
        applies: |d| {
            let default = d.column.as_ref().map_or("", |column| &column.default);
            let cut = d.our_text().split('\'').next().unwrap_or_default();
            default.contains("''") && d.our_text().contains('\'') && d.their_text() == cut
        },
    },
    Rule {
        name: "generated columns",
        why: "the server does not stream them, and a column that comes and goes is none",
        applies: |d| {
            let is_generated = d.column.as_ref().is_some_and(|column| column.is_generated);
            is_generated && d.phase == Phase::Snapshot && d.ours.is_none() && d.is_whole_column()
        },
    },
    Rule {
        name: "partitioned tables without `publish_via_partition_root`",
        why: "Debezium's snapshot reads each row twice",
        applies: |d| {
            d.is(Phase::Snapshot, Part::Record) && d.topic == "g.parted" && d.ours.is_none()
        },
    },
    Rule {
        name: "deletes whose old row lacks a column of the key (`REPLICA IDENTITY USING INDEX`, `message.key.columns`)",
        why: "nobody's key is made up here: they are bad records",
        applies: |d| d.part == Part::Record && d.dead_letter.as_deref() == Some("postgres-no-key"),
    },
    Rule {
        name: "an update of an identity that leaves out the key (`REPLICA IDENTITY USING INDEX`, `message.key.columns`)",
        why: "Debezium takes the key for changed that the server did not send",
        applies: |d| {
            let (made_up, is_here) = match (d.mode, &*d.topic) {
                (_, "g.indexed_identity") => ("{\"id\":0}", true),
                ("iso", "g.texts") => ("{\"u\":null,\"v\":null}", true),
                _ => ("", false),
            };
            let is_update = d.record.starts_with("u ") && d.theirs.is_none();
            let is_create = d.record.starts_with("c ") && d.ours.is_none();
            let is_delete = d.record.ends_with(made_up) && d.ours.is_none();
            d.is(Phase::Stream, Part::Record) && is_here && (is_update || is_create || is_delete)
        },
    },
    Rule {
        name: "unchanged large `bytea` with `base64` and `base64-url-safe`",
        why: "Debezium has no placeholder of that type",
        applies: |d| {
            let is_unchanged = d.their_null() && d.our_text() == "__debezium_unavailable_value";
            is_unchanged
                && d.is_value()
                && d.pg_type() == "bytea"
                && matches!(d.mode, "strings" | "nanoseconds")
        },
    },
    Rule {
        name: "which row of a snapshot is `first` and which `last`",
        why: "Debezium reads tables in the order of their names, ours in that in which they were made",
        applies: |d| {
            let ends = [
                "first",
                "last",
                "first_in_data_collection",
                "last_in_data_collection",
                "true",
            ];
            let are_ends = ends.contains(&d.their_text()) && ends.contains(&d.our_text());
            d.is(Phase::Snapshot, Part::Value) && d.is_at(&["source", "snapshot"]) && are_ends
        },
    },
    Rule {
        name: "labels that are added to an enum",
        why: "Debezium learns them with the table's next change",
        applies: |d| {
            let is_labels = d
                .path
                .ends_with(&["parameters".to_owned(), "allowed".to_owned()]);
            is_labels
                && d.is_schema()
                && d.phase == Phase::Stream
                && d.our_text().starts_with(d.their_text())
        },
    },
    Rule {
        name: "columns whose names are not ASCII, in the stream",
        why: "Debezium reads the bytes of the name as letters of Latin-1",
        applies: |d| {
            let is_ascii = d.path.iter().all(|name| name.is_ascii());
            d.phase == Phase::Stream
                && d.topic == "g.texts"
                && !is_ascii
                && d.theirs.is_some() != d.ours.is_some()
        },
    },
];

/// The same once control characters are escaped in theirs.
fn is_same_json(theirs: &str, ours: &str) -> bool {
    let escape = |letter: char| match letter.is_ascii_control() {
        true => format!("\\u{:04x}", u32::from(letter)),
        false => letter.to_string(),
    };
    let theirs: String = theirs.chars().map(escape).collect();
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    parse(&theirs).is_some() && parse(&theirs) == parse(ours)
}

/// A microsecond less, or as text a nanosecond.
fn is_short_of_one_digit(d: &Difference) -> bool {
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_i64);
    if let (Some(theirs), Some(ours)) = (number(&d.theirs), number(&d.ours)) {
        return theirs.abs_diff(ours) == 1;
    }
    let seconds = |text: &str| {
        let (rest, seconds) = text.strip_suffix('S')?.rsplit_once(['M', 'H', 'T'])?;
        Some((rest.to_owned(), seconds.parse::<f64>().ok()?))
    };
    match (seconds(d.their_text()), seconds(d.our_text())) {
        (Some(theirs), Some(ours)) => theirs.0 == ours.0 && (theirs.1 - ours.1).abs() < 2e-9,
        _ => false,
    }
}

/// Elements that are the same but for their fractions of a second.
fn is_cut(d: &Difference) -> bool {
    let (Some(Value::Array(theirs)), Some(Value::Array(ours))) = (&d.theirs, &d.ours) else {
        return false;
    };
    let is_cut = |(theirs, ours): (&Value, &Value)| match (theirs, ours) {
        (Value::String(theirs), Value::String(ours)) => theirs.get(..8) == ours.get(..8),
        (Value::Number(_), Value::Number(_)) => {
            let lost = ours
                .as_i64()
                .zip(theirs.as_i64())
                .map(|(ours, theirs)| ours - theirs);
            lost.is_some_and(|lost| (0..1_000_000).contains(&lost))
        }
        (theirs, ours) => theirs == ours,
    };
    theirs.len() == ours.len() && theirs.iter().zip(ours).all(is_cut)
}

/// More digits than a double has, or the same number written otherwise.
fn is_through_a_double(d: &Difference) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    if d.mode == "strings" {
        return number(d.our_text()).is_some() && number(d.our_text()) == number(d.their_text());
    }
    // Base64 of at least 7 bytes.
    d.our_text().len() >= 12
}

fn is_dated(pg_type: &str) -> bool {
    pg_type.starts_with("date") || pg_type.starts_with("timestamp")
}

/// The rule of a table that a difference falls under.
pub(super) fn rule<'a>(rules: &'a [Rule], difference: &Difference) -> Option<&'a Rule> {
    rules.iter().find(|rule| (rule.applies)(difference))
}

#[cfg(test)]
mod tests {
    use super::EXPLAINED;
    use crate::program;

    #[test]
    fn the_guide_lists_every_explained_difference_and_no_other() {
        let guide = program::root().join("docs/guides/postgres.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let (_, section) = guide
            .split_once("## Where events differ from Debezium's")
            .unwrap();
        let rows = section
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| Where |"));
        let mut listed: Vec<&str> = rows
            .filter_map(|row| row[2..].split(" | ").next())
            .collect();
        // Which field of a record says so is no difference of events.
        listed.retain(|row| *row != "`source.version`");
        let mut explained: Vec<&str> = EXPLAINED.iter().map(|rule| rule.name).collect();
        listed.sort_unstable();
        explained.sort_unstable();
        assert_eq!(listed, explained);
    }
}
