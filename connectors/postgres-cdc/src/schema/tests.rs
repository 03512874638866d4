//! Schemas as Debezium has them, defaults, and what stands where a value is not known.

use longshore_sdk::schema::{Kind, Schema};
use longshore_sdk::{FaultClass, Value};

use super::{BinaryMode, Column, DecimalMode, HstoreMode, IntervalMode, Names, TimeMode};
use crate::envelope::probe::{Probe, column};
use crate::envelope::{Cell, Shape};
use crate::pg_type::{PgType, TypeKind};

const HSTORE: u32 = 20_000;
const MOOD: u32 = 20_001;

fn probe() -> Probe {
    let labels = vec!["sad".to_owned(), "o'k".to_owned()];
    Probe::default()
        .with(HSTORE, "hstore", TypeKind::Base)
        .with(MOOD, "mood", TypeKind::Enum { labels })
        .with(20_002, "_mood", TypeKind::Array { element: MOOD })
}

fn required(type_oid: u32, modifier: i32) -> Column {
    Column {
        not_null: true,
        ..column("c", type_oid, modifier)
    }
}

fn with_default(type_oid: u32, modifier: i32, default: &str) -> Column {
    Column {
        default: Some(default.to_owned()),
        ..required(type_oid, modifier)
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// In Avro's JSON.
fn schema(probe: &Probe, oid: u32, modifier: i32) -> String {
    probe.schema(required(oid, modifier)).to_avro_json()
}

fn logical(avro: &str, name: &str) -> String {
    format!(r#"{{"type":"{avro}","connect.version":1,"connect.name":"{name}"}}"#)
}

#[test]
fn plain_types_have_plain_schemas() {
    let probe = probe();
    for (oid, expected) in [
        (16, r#""boolean""#),
        (21, r#"{"type":"int","connect.type":"int16"}"#),
        (23, r#""int""#),
        (20, r#""long""#),
        (26, r#""long""#),
        (700, r#""float""#),
        (701, r#""double""#),
        (25, r#""string""#),
        (19, r#""string""#),
        (869, r#""string""#),
        (3910, r#""string""#),
        (17, r#""bytes""#),
        (1007, r#"{"type":"array","items":["null","int"]}"#),
    ] {
        assert_eq!(schema(&probe, oid, -1), expected, "{oid}");
    }
}

#[test]
fn named_types_have_debezium_s_names() {
    let probe = probe();
    for (oid, modifier, avro, name) in [
        (2950, -1, "string", "io.debezium.data.Uuid"),
        (114, -1, "string", "io.debezium.data.Json"),
        (142, -1, "string", "io.debezium.data.Xml"),
        (3614, -1, "string", "io.debezium.data.Tsvector"),
        (HSTORE, -1, "string", "io.debezium.data.Json"),
        (1082, -1, "int", "io.debezium.time.Date"),
        (1083, 3, "int", "io.debezium.time.Time"),
        (1083, 4, "long", "io.debezium.time.MicroTime"),
        (1114, 0, "long", "io.debezium.time.Timestamp"),
        (1114, -1, "long", "io.debezium.time.MicroTimestamp"),
        (1184, -1, "string", "io.debezium.time.ZonedTimestamp"),
        (1266, -1, "string", "io.debezium.time.ZonedTime"),
        (1186, -1, "long", "io.debezium.time.MicroDuration"),
    ] {
        assert_eq!(schema(&probe, oid, modifier), logical(avro, name), "{oid}");
    }
    let allowed = r#"{"type":"string","connect.version":1,"connect.parameters":{"allowed":"sad,o'k"},"connect.name":"io.debezium.data.Enum"}"#;
    assert_eq!(schema(&probe, MOOD, -1), allowed);
    let moods = format!(r#"{{"type":"array","items":["null",{allowed}]}}"#);
    assert_eq!(schema(&probe, 20_002, -1), moods);
    let bits = |length| {
        format!(
            r#"{{"type":"bytes","connect.version":1,"connect.parameters":{{"length":"{length}"}},"connect.name":"io.debezium.data.Bits"}}"#
        )
    };
    assert_eq!(schema(&probe, 1560, 8), bits(8));
    assert_eq!(schema(&probe, 1562, -1), bits(i32::MAX));
    assert_eq!(schema(&probe, 1560, 1), r#""boolean""#);
    assert_eq!(
        schema(&probe, 790, -1),
        r#"{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}"#
    );
    let variable = probe.schema(required(1700, -1));
    assert_eq!(
        variable.name.as_deref(),
        Some("io.debezium.data.VariableScaleDecimal")
    );
    assert_eq!(variable.doc.as_deref(), Some("Variable scaled decimal"));
    let negative = probe.schema(required(1700, ((3 << 16) | (0x7FF & -2)) + 4));
    assert_eq!(negative.parameter("scale"), Some("-2"));
    assert_eq!(negative.parameter("connect.decimal.precision"), Some("3"));
}

#[test]
fn options_choose_other_schemas() {
    let mut probe = probe();
    let options = &mut probe.options;
    options.time = TimeMode::IsoString;
    options.decimal = DecimalMode::String;
    options.binary = BinaryMode::Hex;
    options.interval = IntervalMode::String;
    options.hstore = HstoreMode::Map;
    for (oid, expected) in [
        (1082, logical("string", "io.debezium.time.IsoDate")),
        (1083, logical("string", "io.debezium.time.IsoTime")),
        (1114, logical("string", "io.debezium.time.IsoTimestamp")),
        (1186, logical("string", "io.debezium.time.Interval")),
        (1700, r#""string""#.to_owned()),
        (790, r#""string""#.to_owned()),
        (17, r#""string""#.to_owned()),
        (
            HSTORE,
            r#"{"type":"map","values":["null","string"]}"#.to_owned(),
        ),
    ] {
        assert_eq!(schema(&probe, oid, -1), expected, "{oid}");
    }
    for (mode, time, timestamp) in [
        (TimeMode::Microseconds, "MicroTime", "MicroTimestamp"),
        (TimeMode::Nanoseconds, "NanoTime", "NanoTimestamp"),
    ] {
        probe.options.time = mode;
        let name = |last: &str| logical("long", &format!("io.debezium.time.{last}"));
        assert_eq!(schema(&probe, 1083, 0), name(time));
        assert_eq!(schema(&probe, 1114, 0), name(timestamp));
    }
    probe.options.time = TimeMode::Connect;
    let names = [1082, 1083, 1114].map(|oid| probe.schema(required(oid, -1)).name);
    let connect = ["Date", "Time", "Timestamp"];
    let connect = connect.map(|last| Some(format!("org.apache.kafka.connect.data.{last}")));
    assert_eq!(names, connect);
}

#[test]
fn defaults_that_are_literals_or_made_by_functions_stand_in_the_schema() {
    let probe = probe();
    let decimal = ((10 << 16) | 2) + 4;
    for (oid, modifier, expression, expected) in [
        (23, -1, "nextval('t_id_seq'::regclass)", Value::Int32(0)),
        (23, -1, "42", Value::Int32(42)),
        (23, -1, "'-1'::integer", Value::Int32(-1)),
        (
            20,
            -1,
            "'9223372036854775807'::bigint",
            Value::Int64(i64::MAX),
        ),
        (16, -1, "true", Value::Boolean(true)),
        (16, -1, "false", Value::Boolean(false)),
        (25, -1, "'d'::text", text("d")),
        (1043, 14, "'it''s'::character varying", text("it's")),
        (25, -1, r"E'a\\b'::text", text(r"a\b")),
        (25, -1, "lower('A'::text)", text("")),
        (1700, decimal, "1.5", Value::Bytes(vec![0, 150])),
        (1700, decimal, "0", Value::Bytes(vec![0])),
        (701, -1, "'-1.5'::numeric", Value::Float64(-1.5)),
        (701, -1, "random()", Value::Float64(0.0)),
        (1082, -1, "'2026-01-02'::date", Value::Int32(20_455)),
        (1082, -1, "CURRENT_DATE", Value::Int32(0)),
        (
            1083,
            -1,
            "'01:00:00'::time without time zone",
            Value::Int64(3_600_000_000),
        ),
        (1114, -1, "now()", Value::Int64(0)),
        (1114, -1, "(now() + '1 day'::interval)", Value::Int64(0)),
        (
            1184,
            -1,
            "CURRENT_TIMESTAMP",
            text("1970-01-01T00:00:00.000000Z"),
        ),
        (1184, 0, "now()", text("1970-01-01T00:00:00Z")),
        (
            2950,
            -1,
            "gen_random_uuid()",
            text("00000000-0000-0000-0000-000000000000"),
        ),
        (3802, -1, "'{\"a\": 1}'::jsonb", text("{\"a\": 1}")),
        (1186, -1, "'1 day'::interval", Value::Int64(86_400_000_000)),
        (1560, 1, "'1'::\"bit\"", Value::Boolean(true)),
        (1560, 3, "B'110'::\"bit\"", Value::Bytes(vec![6])),
        (MOOD, -1, "'o''k'::mood", text("o'k")),
    ] {
        let column = with_default(oid, modifier, expression);
        let found = probe.schema(column.clone());
        assert_eq!(found.default, Some(expected.clone()), "{expression}");
        // A row without the value has it.
        assert_eq!(
            probe.cell(column.clone(), Cell::Absent),
            expected,
            "{expression}"
        );
        assert_eq!(probe.cell(column, Cell::Null), expected, "{expression}");
    }
}

#[test]
fn other_defaults_stand_in_no_schema() {
    let probe = probe();
    for (oid, modifier, expression) in [
        (23, -1, "(1 + 2)"),
        (23, -1, "NULL::integer"),
        (23, -1, "'x'::integer"),
        (25, -1, "('a'::text || 'b'::text)"),
        (25, -1, "CURRENT_USER"),
        (25, -1, "'a"),
        (1700, -1, "1.5"),
        (1700, ((10 << 16) | 2) + 4, "1.234"),
        (1082, -1, "('now'::text)::date"),
        (17, -1, "'\\x00'::bytea"),
        (19, -1, "'n'::name"),
        (1007, -1, "'{1}'::integer[]"),
        (MOOD, -1, "'sad'::other.mood"),
        (HSTORE, -1, "''::hstore"),
    ] {
        assert_eq!(
            probe
                .schema(with_default(oid, modifier, expression))
                .default,
            None,
            "{expression}"
        );
    }
}

#[test]
fn an_optional_column_with_a_default_writes_null() {
    let column = Column {
        not_null: false,
        ..with_default(23, -1, "7")
    };
    let schema = probe().schema(column.clone());
    assert_eq!((schema.optional, schema.null_last), (true, true));
    assert_eq!(probe().cell(column.clone(), Cell::Null), Value::Null);
    assert_eq!(probe().cell(column, Cell::Text(b"8")), Value::Int32(8));
}

#[test]
fn a_required_column_without_value_or_default_has_its_type_s_zero() {
    let mut probe = probe();
    let zero_point = {
        let wkb = [&[1, 1, 0, 0, 0][..], &[0; 16]].concat();
        Value::Struct(vec![
            Value::Float64(0.0),
            Value::Float64(0.0),
            Value::Bytes(wkb),
            Value::Null,
        ])
    };
    let variable = Value::Struct(vec![Value::Int32(0), Value::Bytes(vec![0])]);
    for (oid, modifier, expected) in [
        (16, -1, Value::Boolean(false)),
        (21, -1, Value::Int16(0)),
        (700, -1, Value::Float32(0.0)),
        (25, -1, text("")),
        (3802, -1, text("")),
        (HSTORE, -1, text("{}")),
        (1700, ((10 << 16) | 2) + 4, Value::Bytes(vec![0])),
        (1700, -1, variable),
        (790, -1, Value::Bytes(vec![0])),
        (17, -1, Value::Bytes(vec![])),
        (1560, 8, Value::Bytes(vec![])),
        (1082, -1, Value::Int32(0)),
        (1184, -1, text("1970-01-01T00:00:00Z")),
        (1266, -1, text("00:00:00Z")),
        (1186, -1, Value::Int64(0)),
        (1007, -1, Value::Array(vec![])),
        (600, -1, zero_point),
    ] {
        assert_eq!(
            probe.cell(required(oid, modifier), Cell::Absent),
            expected,
            "{oid}"
        );
        assert_eq!(
            probe.cell(column("c", oid, modifier), Cell::Absent),
            Value::Null
        );
    }
    probe.options.decimal = DecimalMode::String;
    probe.options.time = TimeMode::IsoString;
    probe.options.interval = IntervalMode::String;
    probe.options.hstore = HstoreMode::Map;
    for (oid, modifier, expected) in [
        (1700, ((10 << 16) | 2) + 4, text("0.00")),
        (790, -1, text("0.00")),
        (1082, -1, text("1970-01-01Z")),
        (1083, -1, text("00:00:00Z")),
        (1114, -1, text("1970-01-01T00:00:00Z")),
        (1186, -1, text("P0Y0M0DT0H0M0S")),
        (HSTORE, -1, Value::Map(vec![])),
    ] {
        assert_eq!(
            probe.cell(required(oid, modifier), Cell::Null),
            expected,
            "{oid}"
        );
    }
}

#[test]
fn what_was_not_sent_again_has_a_typed_stand_in() {
    let mut probe = probe();
    probe.options.unavailable = "é?".into();
    let word = || text("é?");
    let bytes = || Value::Bytes("é?".as_bytes().to_owned());
    let variable = Value::Struct(vec![Value::Int32(0), bytes()]);
    let numbers = |of: fn(i8) -> Value| Value::Array(vec![of(-61), of(-87), of(63)]);
    // Java's UUID.nameUUIDFromBytes of the placeholder.
    let uuids = Value::Array(vec![text("33fe18ca-23d1-3358-a645-5d9531dd9fa8")]);
    for (oid, modifier, expected) in [
        (25, -1, word()),
        (3802, -1, word()),
        (142, -1, word()),
        (MOOD, -1, word()),
        (17, -1, bytes()),
        (HSTORE, -1, text(r#"{"é?":"é?"}"#)),
        (1700, ((10 << 16) | 2) + 4, bytes()),
        (1700, -1, variable),
        (1009, -1, Value::Array(vec![word()])),
        (3807, -1, Value::Array(vec![word()])),
        (1001, -1, Value::Array(vec![bytes()])),
        (1007, -1, numbers(|n| Value::Int32(n.into()))),
        (1182, -1, numbers(|n| Value::Int32(n.into()))),
        (1016, -1, numbers(|n| Value::Int64(n.into()))),
        (1005, -1, numbers(|n| Value::Int16(n.into()))),
        (1022, -1, numbers(|n| Value::Float64(n.into()))),
        (1000, -1, Value::Array(vec![Value::Null])),
        (2951, -1, uuids),
        (1185, -1, Value::Array(vec![word()])),
    ] {
        for column in [required(oid, modifier), column("c", oid, modifier)] {
            assert_eq!(probe.cell(column, Cell::Unchanged), expected, "{oid}");
        }
    }
    // Never stored apart, but nothing breaks.
    assert_eq!(
        probe.cell(required(23, -1), Cell::Unchanged),
        Value::Int32(0)
    );
    assert_eq!(
        probe.cell(column("c", 23, -1), Cell::Unchanged),
        Value::Null
    );
    probe.options.hstore = HstoreMode::Map;
    probe.options.binary = BinaryMode::Base64;
    let map = Value::Map(vec![(word(), word())]);
    assert_eq!(probe.cell(required(HSTORE, -1), Cell::Unchanged), map);
    assert_eq!(probe.cell(required(17, -1), Cell::Unchanged), word());
}

#[test]
fn an_unknown_type_is_refused_by_name_or_taken_as_text() {
    let mut probe = probe();
    probe.types.insert(PgType {
        oid: 20_010,
        schema: "shop".to_owned(),
        name: "pair".to_owned(),
        kind: TypeKind::Composite,
    });
    let mut probe = probe
        .with(20_011, "_pair", TypeKind::Array { element: 20_010 })
        .with(20_012, "spans", TypeKind::Multirange)
        .with(20_013, "anything", TypeKind::Pseudo)
        .with(20_014, "span", TypeKind::Range)
        .with(20_015, "text", TypeKind::Base)
        .with(
            20_016,
            "loop",
            TypeKind::Domain {
                base: 20_016,
                modifier: -1,
            },
        );
    for oid in [
        20_010, 20_011, 20_012, 20_013, 20_014, 20_015, 20_016, 718, 99_999,
    ] {
        let fault = probe
            .shape(&[required(oid, -1)])
            .expect_err("it has no mapping");
        assert_eq!(
            (fault.class, &*fault.code),
            (FaultClass::Config, "postgres-unknown-type")
        );
        assert_eq!(fault.detail("table"), Some("public.t"));
        assert_eq!(fault.detail("column"), Some("c"));
        assert!(
            fault.message.contains("unknown.types=text"),
            "{}",
            fault.message
        );
    }
    let fault = probe
        .shape(&[required(20_010, -1)])
        .expect_err("it has no mapping");
    assert_eq!(fault.detail("type"), Some("shop.pair"));
    probe.options.unknown_as_text = true;
    let pairs = r#"{"(1,2)"}"#;
    let found = probe
        .value(20_011, -1, pairs.as_bytes())
        .expect("it is taken as text");
    assert_eq!(found, text(pairs));
}

#[test]
fn the_catalog_is_asked_for_what_a_type_is_made_of() {
    let probe = Probe::default()
        .with(
            20_000,
            "d",
            TypeKind::Domain {
                base: 20_001,
                modifier: -1,
            },
        )
        .with(20_002, "_d", TypeKind::Array { element: 20_000 });
    let types = &probe.types;
    assert!(
        [23, 1007, 3910, 3911]
            .iter()
            .all(|oid| !types.missing(*oid))
    );
    assert!(
        [20_000, 20_001, 20_002, 718]
            .iter()
            .all(|oid| types.missing(*oid))
    );
}

#[test]
fn a_row_leaves_out_what_is_not_captured_and_a_key_keeps_it() {
    let names = Names {
        prefix: "a-b",
        database: "db",
        schema: "S ",
        table: "t.\"u\"",
    };
    let columns = [
        required(23, -1),
        column("secret", 718, -1),
        column("v", 25, -1),
    ];
    let Probe { types, options } = Probe::default();
    let shape = Shape::compile(
        &names,
        &columns,
        &[0],
        &[false, false, true],
        &types,
        &options,
    );
    let shape = shape.expect("what is left out needs no mapping");
    let key = Schema::parse(shape.key_schema().expect("there is a key")).expect("it is a schema");
    assert_eq!(key.name.as_deref(), Some("a-b.S_.t._u_.Key"));
    let envelope = Schema::parse(shape.value_schema()).expect("it is a schema");
    assert_eq!(envelope.name.as_deref(), Some("a-b.S_.t._u_.Envelope"));
    let Kind::Struct(fields) = &envelope.kind else {
        panic!("it is a struct")
    };
    assert_eq!(fields[0].schema, fields[1].schema);
    let Kind::Struct(row) = &fields[1].schema.kind else {
        panic!("it is a struct")
    };
    assert_eq!(row.iter().map(|f| &*f.name).collect::<Vec<_>>(), ["v"]);
    let mut datum = Vec::new();
    shape
        .write_key(&[Cell::Text(b"7"), Cell::Null, Cell::Null], &mut datum)
        .expect("it is a key");
    assert_eq!(datum, [14]);
}
