use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use expect_test::{Expect, expect};

use super::{DATE, DECIMAL, Entry, Field, InvalidSchema, Kind, Schema, TIME, TIMESTAMP, Type};
use crate::Value;

/// The text reads as the schema, and the schema prints as the text.
fn same(text: &str, schema: &Schema) {
    assert_eq!(&Schema::parse(text).unwrap(), schema);
    assert_eq!(schema.to_avro_json(), text);
}

fn named(kind: Kind, name: &str) -> Schema {
    let mut schema = Schema::new(kind);
    schema.name = Some(name.to_owned());
    schema
}

fn field(name: &str, schema: Schema) -> Field {
    Field {
        name: name.to_owned(),
        schema,
    }
}

#[test]
fn primitive_types_are_avros_and_short_integers_are_marked() {
    same(r#""boolean""#, &Schema::new(Kind::Boolean));
    same(
        r#"{"type":"int","connect.type":"int8"}"#,
        &Schema::new(Kind::Int8),
    );
    same(
        r#"{"type":"int","connect.type":"int16"}"#,
        &Schema::new(Kind::Int16),
    );
    same(
        r#"["null","string"]"#,
        &Schema::new(Kind::String).optional(),
    );
    let schema = Schema::parse(r#"["bytes","null"]"#).unwrap();
    assert!(schema.optional && schema.null_last && schema.connect_type() == Type::Bytes);
}

#[test]
fn logical_types_are_printed_as_avro_data_prints_them() {
    let mut decimal = named(Kind::Bytes, DECIMAL);
    decimal.version = Some(1);
    decimal.set_parameter("scale", "2");
    same(
        r#"{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}"#,
        &decimal,
    );
    assert_eq!(decimal.decimal_scale(), Some(2));
    for (kind, name, avro, logical) in [
        (Kind::Int32, DATE, "int", "date"),
        (Kind::Int32, TIME, "int", "time-millis"),
        (Kind::Int64, TIMESTAMP, "long", "timestamp-millis"),
    ] {
        let mut schema = named(kind, name);
        schema.version = Some(1);
        let text = format!(
            r#"{{"type":"{avro}","connect.version":1,"connect.name":"{name}","logicalType":"{logical}"}}"#
        );
        same(&text, &schema);
        let plain = format!(r#"{{"type":"{avro}","logicalType":"{logical}"}}"#);
        assert_eq!(Schema::parse(&plain).unwrap(), schema);
    }
    let precise = r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}"#;
    let precise = Schema::parse(precise).unwrap();
    assert_eq!(precise.parameter("connect.decimal.precision"), Some("9"));
    let micros = r#"{"type":"long","logicalType":"timestamp-micros"}"#;
    assert_eq!(Schema::parse(micros).unwrap(), Schema::new(Kind::Int64));
}

#[test]
fn a_record_used_twice_is_printed_once() {
    let mut version = Schema::new(Kind::Int32).optional();
    version.doc = Some("how \"many\"".to_owned());
    version.default = Some(Value::Int32(7));
    version.null_last = true;
    let mut row = named(Kind::Struct(Arc::new([field("n", version)])), "db.t.Value");
    row.version = Some(3);
    let envelope = named(
        Kind::Struct(Arc::new([
            field("before", row.clone().optional()),
            field("after", row.optional()),
        ])),
        "db.t.Envelope",
    );
    same(
        r#"{"type":"record","name":"Envelope","namespace":"db.t","fields":[{"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"n","type":[{"type":"int","connect.doc":"how \"many\"","connect.default":7},"null"],"default":7}],"connect.version":3,"connect.name":"db.t.Value"}],"default":null},{"name":"after","type":["null","db.t.Value"],"default":null}],"connect.name":"db.t.Envelope"}"#,
        &envelope,
    );
}

#[test]
fn two_types_of_one_name_keep_their_names() {
    let one = named(
        Kind::Struct(Arc::new([field("a", Schema::new(Kind::Int32))])),
        "n.X",
    );
    let other = named(
        Kind::Struct(Arc::new([field("b", Schema::new(Kind::Int64))])),
        "n.X",
    );
    let unnamed = Schema::new(Kind::Struct(Arc::new([
        field("one", one),
        field("other", other),
    ])));
    let nested = Schema::new(Kind::Struct(Arc::new([field("inner", unnamed)])));
    let text = nested.to_avro_json();
    assert!(
        text.contains("\"X2\"") && text.contains("\"ConnectDefault2\""),
        "{text}"
    );
    assert_eq!(Schema::parse(&text).unwrap(), nested);
}

#[test]
fn maps_are_maps_or_lists_of_entries() {
    let int = Schema::new(Kind::Int32);
    let by_text = Entry {
        key: Schema::new(Kind::String),
        value: int.clone(),
    };
    same(
        r#"{"type":"map","values":"int"}"#,
        &Schema::new(Kind::Map(Arc::new(by_text))),
    );
    let by_number = Entry {
        key: int,
        value: Schema::new(Kind::Bytes).optional(),
    };
    same(
        r#"{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":["null","bytes"]}],"connect.internal.type":"MapEntry"}}"#,
        &Schema::new(Kind::Map(Arc::new(by_number))),
    );
}

#[test]
fn enums_fixed_types_and_unions_keep_how_avro_writes_them() {
    let text = r#"{"type":"record","name":"R","fields":[{"name":"e","type":{"type":"enum","name":"E","namespace":"n","symbols":["A","B"]}},{"name":"f","type":{"type":"fixed","name":"F","size":4}},{"name":"u","type":["null","string","n.E",{"type":"array","items":"long"}]}]}"#;
    let schema = Schema::parse(text).unwrap();
    let Kind::Struct(fields) = &schema.kind else {
        panic!("{schema:?}");
    };
    assert_eq!(fields[0].schema.connect_type(), Type::String);
    assert_eq!(
        fields[0].schema.parameter("io.confluent.connect.avro.Enum"),
        Some("n.E")
    );
    assert_eq!(fields[1].schema.parameter("connect.fixed.size"), Some("4"));
    let Kind::Union(branches) = &fields[2].schema.kind else {
        panic!("{schema:?}");
    };
    let names: Vec<_> = branches.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["string", "E", "array"]);
    assert_eq!(Schema::parse(&schema.to_avro_json()).unwrap(), schema);
}

#[test]
fn defaults_of_every_type_read_and_print() {
    for (avro, default, value) in [
        (r#""long""#, "-5", Value::Int64(-5)),
        (r#""double""#, "1.0E10", Value::Float64(1e10)),
        (r#""float""#, "\"NaN\"", Value::Null),
        (r#""boolean""#, "true", Value::Boolean(true)),
        (r#""bytes""#, "\"ÿ\\u0001\"", Value::Bytes(vec![255, 1])),
        (
            r#"{"type":"array","items":"string"}"#,
            r#"["a"]"#,
            Value::Array(vec![Value::String("a".into())]),
        ),
        (
            r#"{"type":"map","values":"int"}"#,
            r#"{"k":1}"#,
            Value::Map(vec![(Value::String("k".into()), Value::Int32(1))]),
        ),
    ] {
        let text = format!(
            r#"{{"type":"record","name":"R","fields":[{{"name":"f","type":{avro},"default":{default}}}]}}"#
        );
        let schema = Schema::parse(&text).unwrap();
        let Kind::Struct(fields) = &schema.kind else {
            panic!("{schema:?}");
        };
        if value != Value::Null {
            assert_eq!(fields[0].schema.default, Some(value));
        }
        let printed = schema.to_avro_json();
        assert!(
            printed.ends_with(&format!(r#""default":{default}}}],"connect.name":"R"}}"#)),
            "{printed}"
        );
    }
}

fn refused(text: &str, expected: &Expect) {
    let error = Schema::parse(text).unwrap_err();
    expected.assert_eq(&format!("{error}"));
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    refused("{", &expect!["schema is JSON ends early, at byte 1"]);
    refused(
        "1",
        &expect!["schema at the top: type is missing or is not a type"],
    );
    refused(
        r#""null""#,
        &expect!["schema at the top: null alone is no type of Connect"],
    );
    refused(
        r#""Order""#,
        &expect!["schema at the top: no type is named Order"],
    );
    refused(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","R"]}]}"#,
        &expect!["schema at a: recursive types do not work yet"],
    );
    refused(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"x"}}]}"#,
        &expect!["schema at a.items: no type is named x"],
    );
    refused(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
        &expect!["schema at the top: a is defined twice"],
    );
    refused(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#,
        &expect!["schema at a: the default is not a value of the type"],
    );
    refused(
        r#"["int","null","string"]"#,
        &expect!["schema at the top: null stands amid a union"],
    );
    refused(
        r#"{"type":"int","logicalType":"date","connect.version":2}"#,
        &expect![
            "schema at the top: connect.version is missing or is not a number, and that of the logical type"
        ],
    );
}

#[test]
fn hostile_schemas_end_early() {
    let deep = "{\"type\":\"array\",\"items\":".repeat(100) + "\"int\"" + &"}".repeat(100);
    assert!(matches!(
        Schema::parse(&deep),
        Err(InvalidSchema::Depth { .. })
    ));
    // Each record holds the one before twice: 2^40 types when written out.
    let mut doubling = String::from(r#"{"type":"record","name":"R0","fields":[]}"#);
    for n in 1..40 {
        doubling = format!(
            r#"{{"type":"record","name":"R{n}","fields":[{{"name":"a","type":{doubling}}},{{"name":"b","type":"R{}"}}]}}"#,
            n - 1
        );
    }
    assert!(matches!(
        Schema::parse(&doubling),
        Err(InvalidSchema::Nodes { .. })
    ));
    let doc = "d".repeat(500_000);
    let uses = r#","R""#.repeat(50_000);
    let copies = format!(r#"[{{"type":"record","name":"R","doc":"{doc}","fields":[]}}{uses}]"#);
    assert!(Schema::parse(&copies).is_err());
}
