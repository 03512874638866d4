//! Against what Debezium 3.3.1 wrote for the same changes.

use longshore_sdk::Datum;
use longshore_sdk::json::{Json, parse, write_string};
use longshore_sdk::schema::Schema;
use longshore_serdes::{Converter, Serialized};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use super::probe::{self, Probe, column};
use super::{Cell, Change, Op, Shape, SnapshotMark, SourceFields, Tail};
use crate::pg_type::Types;
use crate::schema::{Column, Names, ValueOptions};

const SAMPLE: &str = include_str!("../../tests/fixtures/debezium-3.3.1.json");

const NULL: Cell<'static> = Cell::Null;
const ABSENT: Cell<'static> = Cell::Absent;

/// The sample's table: `id int primary key, v text not null default 'd', n numeric(10,2),
/// at timestamptz, d date, b boolean, u uuid, j jsonb, a int[]`.
fn columns() -> Vec<Column> {
    let mut columns = vec![
        column("id", 23, -1),
        column("v", 25, -1),
        column("n", 1700, ((10 << 16) | 2) + 4),
        column("at", 1184, -1),
        column("d", 1082, -1),
        column("b", 16, -1),
        column("u", 2950, -1),
        column("j", 3802, -1),
        column("a", 1007, -1),
    ];
    columns[0].not_null = true;
    columns[1].not_null = true;
    columns[1].default = Some("'d'::text".to_owned());
    columns
}

fn shape(prefix: &str) -> Shape {
    let names = Names {
        prefix,
        database: "postgres",
        schema: "public",
        table: "t",
    };
    let (types, options) = (Types::default(), ValueOptions::default());
    Shape::compile(&names, &columns(), &[0], &[true; 9], &types, &options).expect("all are mapped")
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(text.as_bytes())
}

fn full_row(v: &'static str) -> [Cell<'static>; 9] {
    [
        text("1"),
        text(v),
        text("1.50"),
        text("2026-01-02 03:04:05.678901+00"),
        text("2026-01-02"),
        text("t"),
        text("00000000-0000-0000-0000-000000000001"),
        text("{\"k\": 1}"),
        text("{1,NULL}"),
    ]
}

fn short_row(id: &'static str, v: &'static str) -> [Cell<'static>; 9] {
    let n = text("2.00");
    [text(id), text(v), n, NULL, NULL, NULL, NULL, NULL, NULL]
}

fn old_key(id: &'static str) -> [Cell<'static>; 9] {
    let mut cells = [ABSENT; 9];
    cells[0] = text(id);
    cells
}

fn print(out: &mut String, json: &Json<'_>) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(digits) => out.push_str(digits),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            let printed: Vec<String> = items.iter().map(printed).collect();
            out.extend(["[", &printed.join(","), "]"]);
        }
        Json::Object(members) => {
            out.push('{');
            for (n, (name, member)) in members.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                write_string(out, name);
                out.push(':');
                print(out, member);
            }
            out.push('}');
        }
    }
}

fn printed(json: &Json<'_>) -> String {
    let mut out = String::new();
    print(&mut out, json);
    out
}

fn member<'j>(json: &'j Json<'j>, path: &str) -> &'j Json<'j> {
    path.split('.').fold(json, |json, name| {
        json.get(name).expect("it is in the sample")
    })
}

fn number(json: &Json<'_>, path: &str) -> Option<i64> {
    member(json, path).as_i64()
}

/// The datum in `JsonConverter`'s words.
fn as_json(schema: &str, datum: &[u8], schemas_enable: bool) -> String {
    let schema = Schema::parse(schema).expect("a shape prints schemas");
    let class = "org.apache.kafka.connect.json.JsonConverter";
    let setting = ("schemas.enable".to_owned(), schemas_enable.to_string());
    let converter = Converter::configure(class, &[setting], false).expect("it is a converter");
    let datum = Datum::Avro {
        schema: 1,
        bytes: datum,
    };
    let mut plan = converter.compile(&schema);
    let mut out = Vec::new();
    let serialized = converter.serialize(datum, Some(&mut plan), &mut out);
    assert_eq!(serialized.expect("it is a datum"), Serialized::Written);
    String::from_utf8(out).expect("JSON is text")
}

/// What Debezium wrote, with our version, and nanoseconds that the server does not have.
fn expected(value: &Json<'_>) -> String {
    let nanos = number(value, "ts_ns").expect("it has one").to_string();
    let micros = number(value, "ts_us").expect("it has one");
    printed(value)
        .replace(
            "\"3.3.1.Final\"",
            &format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        )
        .replace(&nanos, &(micros * 1000).to_string())
}

fn source(value: &Json<'_>) -> SourceFields {
    let sequence = member(value, "source.sequence")
        .as_str()
        .expect("it is text");
    let sequence = parse(sequence.as_bytes()).expect("it is JSON");
    let lsn = |n: usize| {
        let text = sequence.as_array().expect("it is a list")[n].as_str();
        text.map(|text| text.parse().expect("it is a number"))
    };
    SourceFields {
        at_us: number(value, "source.ts_us").expect("it has one"),
        snapshot: match member(value, "source.snapshot").as_str() {
            Some("last") => SnapshotMark::Last,
            _ => SnapshotMark::False,
        },
        last_commit: lsn(0),
        lsn: lsn(1),
        txid: number(value, "source.txId"),
        xmin: number(value, "source.xmin"),
    }
}

fn check(
    shape: &Shape,
    record: &Json<'_>,
    op: Op,
    before: Option<[Cell<'_>; 9]>,
    after: Option<[Cell<'_>; 9]>,
) {
    let cells = after.or(before).expect("there is a row");
    let mut key = Vec::new();
    shape.write_key(&cells, &mut key).expect("it is a key");
    let key_schema = shape.key_schema().expect("there is a key");
    assert_eq!(
        as_json(key_schema, &key, false),
        printed(member(record, "key"))
    );
    let value = member(record, "value");
    if *value == Json::Null {
        return;
    }
    let mut datum = Vec::new();
    let change = Change {
        op,
        before: before.as_ref().map(<[_; 9]>::as_slice),
        after: after.as_ref().map(<[_; 9]>::as_slice),
        source: &source(value),
        now_us: number(value, "ts_us").expect("it has one"),
    };
    shape
        .write_envelope(&change, &mut Tail::default(), &mut datum)
        .expect("it is a row");
    assert_eq!(
        as_json(shape.value_schema(), &datum, false),
        expected(value)
    );
}

#[test]
fn the_sample_s_changes_become_debezium_s_records() {
    let sample = parse(SAMPLE.as_bytes()).expect("it is JSON");
    let records = member(&sample, "records_schemas_off")
        .as_array()
        .expect("it is a list");
    let shape = shape("plain");
    let snap = full_row("snap");
    check(&shape, &records[0], Op::Read, None, Some(snap));
    check(
        &shape,
        &records[1],
        Op::Create,
        None,
        Some(short_row("2", "d")),
    );
    check(
        &shape,
        &records[2],
        Op::Update,
        None,
        Some(short_row("2", "new")),
    );
    check(&shape, &records[3], Op::Delete, Some(old_key("2")), None);
    check(&shape, &records[4], Op::Delete, Some(old_key("2")), None);
    check(
        &shape,
        &records[5],
        Op::Create,
        None,
        Some(short_row("3", "new")),
    );
    check(&shape, &records[6], Op::Delete, Some(old_key("3")), None);
    check(&shape, &records[7], Op::Delete, Some(old_key("3")), None);
    check(
        &shape,
        &records[8],
        Op::Update,
        Some(snap),
        Some(full_row("full")),
    );
    assert_eq!(records.len(), 9);
}

#[test]
fn the_sample_s_schemas_are_debezium_s() {
    let sample = parse(SAMPLE.as_bytes()).expect("it is JSON");
    let record = member(&sample, "first_record_schemas_on");
    let shape = shape("schemas");
    let snap = full_row("snap");
    let mut key = Vec::new();
    shape.write_key(&snap, &mut key).expect("it is a key");
    let key_schema = shape.key_schema().expect("there is a key");
    assert_eq!(
        as_json(key_schema, &key, true),
        printed(member(record, "key"))
    );
    let value = member(record, "value");
    let payload = member(value, "payload");
    let mut datum = Vec::new();
    let change = Change {
        op: Op::Read,
        before: None,
        after: Some(&snap),
        source: &source(payload),
        now_us: number(payload, "ts_us").expect("it has one"),
    };
    shape
        .write_envelope(&change, &mut Tail::default(), &mut datum)
        .expect("it is a row");
    let both = format!(
        "{{\"schema\":{},\"payload\":{}}}",
        printed(member(value, "schema")),
        expected(payload)
    );
    assert_eq!(as_json(shape.value_schema(), &datum, true), both);
}

#[test]
fn a_truncation_has_no_rows() {
    let shape = shape("p");
    let (mut datum, source) = (Vec::new(), probe::source());
    let change = Change {
        op: Op::Truncate,
        before: None,
        after: None,
        source: &source,
        now_us: 1,
    };
    let written = shape.write_envelope(&change, &mut Tail::default(), &mut datum);
    written.expect("there is nothing to refuse");
    let json = as_json(shape.value_schema(), &datum, false);
    assert!(
        json.starts_with(r#"{"before":null,"after":null,"source":{"#),
        "{json}"
    );
    assert!(json.contains(r#""sequence":"[null,null]""#), "{json}");
    assert!(json.contains(r#""op":"t""#), "{json}");
}

#[test]
fn the_longest_fields_have_room() {
    let shape = shape("p");
    for number in [i64::MIN, -1, i64::MAX] {
        for snapshot in [
            SnapshotMark::True,
            SnapshotMark::First,
            SnapshotMark::FirstInDataCollection,
            SnapshotMark::LastInDataCollection,
            SnapshotMark::Last,
            SnapshotMark::False,
        ] {
            let source = SourceFields {
                at_us: number,
                snapshot,
                last_commit: Some(u64::MAX),
                lsn: Some(u64::MAX),
                txid: Some(number),
                xmin: Some(number),
            };
            let change = Change {
                op: Op::Delete,
                before: None,
                after: None,
                source: &source,
                now_us: number,
            };
            let mut datum = Vec::new();
            let written = shape.write_envelope(&change, &mut Tail::default(), &mut datum);
            written.expect("there is nothing to refuse");
            let json = as_json(shape.value_schema(), &datum, false);
            let sequence = format!(r#"[\"{0}\",\"{0}\"]"#, u64::MAX);
            assert!(json.contains(&sequence), "{json}");
            assert!(json.contains(&format!(r#""xmin":{number}"#)), "{json}");
            let mark = format!(r#""snapshot":"{}""#, snapshot.name());
            assert!(json.contains(&mark), "{json}");
            assert!(
                shape.value_schema().contains(snapshot.name()),
                "it is allowed"
            );
        }
    }
}

/// Mostly the first.
fn mostly<T: Clone + std::fmt::Debug + 'static>(first: T, other: T) -> impl Strategy<Value = T> {
    prop_oneof![12 => Just(first), 1 => Just(other)]
}

/// What tails differ in, and LSNs of about as many digits or bytes.
fn tails() -> impl Strategy<Value = Vec<(Op, SourceFields, i64)>> {
    let edges = (select(vec![2_u64, 10]), 0..19_u32).prop_map(|(base, n)| base.pow(n));
    let edges = prop_oneof![edges, (45..64_u32).prop_map(|bit| 1 << bit)];
    edges.prop_flat_map(|edge| {
        let lsn = (0..3_u64).prop_map(move |more| Some(edge - 1 + more));
        let source = (
            mostly(0, 1),
            mostly(SnapshotMark::True, SnapshotMark::Last),
            mostly(Some(1), None),
            prop_oneof![8 => lsn, 1 => Just(None), 1 => any::<u64>().prop_map(Some)],
            mostly(Some(1), None),
            mostly(None, Some(1)),
        );
        let source =
            source.prop_map(
                |(at_us, snapshot, last_commit, lsn, txid, xmin)| SourceFields {
                    at_us,
                    snapshot,
                    last_commit,
                    lsn,
                    txid,
                    xmin,
                },
            );
        vec(
            (mostly(Op::Create, Op::Update), source, mostly(0, 1)),
            1..30,
        )
    })
}

proptest! {
    #[test]
    fn a_tail_is_the_same_whatever_came_before(changes in tails()) {
        let shape = shape("p");
        let mut tail = Tail::default();
        for (op, source, now_us) in changes {
            let change = Change { op, before: None, after: None, source: &source, now_us };
            let written = [&mut tail, &mut Tail::default()].map(|tail| {
                let mut datum = Vec::new();
                let written = shape.write_envelope(&change, tail, &mut datum);
                written.map(|()| datum).expect("there is nothing to refuse")
            });
            prop_assert_eq!(&written[0], &written[1]);
        }
    }
}

#[test]
fn a_table_of_1600_columns_has_a_schema() {
    let oids = [20, 25, 1700, 1184, 1009, 3802, 600, 1562];
    let columns: Vec<Column> = (0..1600)
        .map(|n| column(&format!("c{n}"), oids[n % oids.len()], -1))
        .collect();
    let cells = vec![Cell::Null; columns.len()];
    let row = Probe::default().row(&columns, &cells);
    assert_eq!(row.expect("it is written").len(), 1600);
}
