//! What holds other values: hstore, points, arrays; and types made of others.

use longshore_sdk::Value;

use super::{becomes, bytes, refused, text};
use crate::envelope::probe::Probe;
use crate::pg_type::TypeKind;
use crate::schema::{BinaryMode, HstoreMode, IntervalMode};

#[test]
fn hstore_as_json_and_as_a_map() {
    let json = Probe::default().with(20_000, "hstore", TypeKind::Base);
    let cases = [
        ("", text("{}")),
        (r#""a"=>"1", "b"=>NULL"#, text(r#"{"a":"1","b":null}"#)),
        (r#""q\"\\"=>"NULL""#, text(r#"{"q\"\\":"NULL"}"#)),
        ("\"n\"=>\"\n\u{1}ü\"", text("{\"n\":\"\\n\\u0001ü\"}")),
    ];
    becomes(&json, 20_000, -1, &cases);
    let mut map = Probe::default().with(20_000, "hstore", TypeKind::Base);
    map.options.hstore = HstoreMode::Map;
    let pair = |key, value| (text(key), value);
    let cases = [
        ("", Value::Map(vec![])),
        (
            r#""a"=>"1", "b"=>NULL"#,
            Value::Map(vec![pair("a", text("1")), pair("b", Value::Null)]),
        ),
    ];
    becomes(&map, 20_000, -1, &cases);
    let long = format!("\"k\"=>\"{}\"", "x".repeat(300));
    let expected = format!("{{\"k\":\"{}\"}}", "x".repeat(300));
    becomes(&json, 20_000, -1, &[(&long, text(&expected))]);
    refused(
        &json,
        20_000,
        -1,
        "postgres-invalid-value",
        &["\"a\"", "\"a\"=>1", "a=>b"],
    );
}

#[test]
fn what_is_longer_than_its_text_has_room() {
    let array = TypeKind::Array { element: 20_000 };
    let mut probe = Probe::default()
        .with(20_000, "hstore", TypeKind::Base)
        .with(20_001, "_hstore", array);
    probe.options.money_fraction_digits = 18;
    let items = |item: &str| format!("{{{}}}", vec![item; 500].join(","));
    let arrays = [
        (1000, "t"),
        (1007, "0"),
        (1009, "a"),
        (1009, "\"\""),
        (1017, "\"(0,0)\""),
        (1021, "0"),
        (1022, "0"),
        (1182, "1970-01-01"),
        (1185, "\"2026-01-02 03:04:05+00\""),
        (791, "$1.00"),
        (20_001, "\"\\\"\u{1}\\\"=>NULL\""),
        (1187, "00:00:00"),
        (1231, "0"),
        (1231, "NULL"),
    ];
    for (oid, item) in arrays {
        probe.value(oid, -1, items(item).as_bytes()).unwrap();
    }
    probe.options.interval = IntervalMode::String;
    probe
        .value(1187, -1, items("\"1 day\"").as_bytes())
        .unwrap();
    let long = "x".repeat(20_000);
    probe.value(1009, -1, items(&long).as_bytes()).unwrap();
    let controls = format!("\"k\"=>\"{}\"", "\u{1}".repeat(500));
    probe.value(20_000, -1, controls.as_bytes()).unwrap();
    let bytes = format!("\\x{}", "00".repeat(1000));
    for binary in [BinaryMode::Bytes, BinaryMode::Base64, BinaryMode::Hex] {
        let mut probe = Probe::default();
        probe.options.binary = binary;
        probe.value(17, -1, bytes.as_bytes()).unwrap();
    }
}

#[test]
fn points() {
    let wkb = |x: f64, y: f64| {
        let mut bytes = vec![1, 1, 0, 0, 0];
        bytes.extend(x.to_le_bytes());
        bytes.extend(y.to_le_bytes());
        Value::Bytes(bytes)
    };
    let point = |x, y| {
        Value::Struct(vec![
            Value::Float64(x),
            Value::Float64(y),
            wkb(x, y),
            Value::Null,
        ])
    };
    becomes(
        &Probe::default(),
        600,
        -1,
        &[("(1.5,-2)", point(1.5, -2.0))],
    );
    refused(
        &Probe::default(),
        600,
        -1,
        "postgres-invalid-value",
        &["1,2", "(1)", "(1,2,3)"],
    );
}

#[test]
fn arrays_of_every_kind_of_item() {
    let probe = Probe::default();
    let list = |items: &[Value]| Value::Array(items.to_vec());
    let cases = [
        ("{}", list(&[])),
        (
            "{1,NULL,-3}",
            list(&[Value::Int32(1), Value::Null, Value::Int32(-3)]),
        ),
        ("[0:1]={7,8}", list(&[Value::Int32(7), Value::Int32(8)])),
    ];
    becomes(&probe, 1007, -1, &cases);
    let cases = [
        (
            "{a,\"\",\"NULL\",NULL}",
            list(&[text("a"), text(""), text("NULL"), Value::Null]),
        ),
        (
            r#"{"a,b","{c}","d\"e\\f"}"#,
            list(&[text("a,b"), text("{c}"), text("d\"e\\f")]),
        ),
    ];
    becomes(&probe, 1009, -1, &cases);
    becomes(
        &probe,
        1001,
        -1,
        &[(r#"{"\\x01ff"}"#, list(&[bytes(&[1, 255])]))],
    );
    becomes(
        &probe,
        1000,
        -1,
        &[(
            "{t,f}",
            list(&[Value::Boolean(true), Value::Boolean(false)]),
        )],
    );
    let zoned = [(
        "{\"2026-01-02 03:04:05+00\"}",
        list(&[text("2026-01-02T03:04:05.000Z")]),
    )];
    becomes(&probe, 1185, 3, &zoned);
    let scaled = ((10 << 16) | 1) + 4;
    becomes(
        &probe,
        1231,
        scaled,
        &[("{1.5,NULL}", list(&[bytes(&[15]), Value::Null]))],
    );
    becomes(
        &probe,
        3807,
        -1,
        &[(r#"{"{\"a\": 1}"}"#, list(&[text("{\"a\": 1}")]))],
    );
    becomes(
        &probe,
        791,
        -1,
        &[(r#"{"$1,000.00"}"#, list(&[bytes(&[1, 0x86, 0xA0])]))],
    );
    becomes(
        &probe,
        1182,
        -1,
        &[("{infinity}", list(&[Value::Int32(-2_147_472_692)]))],
    );
    refused(
        &probe,
        1007,
        -1,
        "postgres-array-dimensions",
        &["{{1,2},{3,4}}", "[1:1][1:1]={{1}}"],
    );
    let wrong = [
        "", "{", "{1", "1}", "{1,}", "{,1}", "{\"1}", "{\"1\"2}", "[0:1]", "{1}2",
    ];
    refused(&probe, 1007, -1, "postgres-invalid-value", &wrong);
}

#[test]
fn enums_and_domains() {
    let probe = Probe::default()
        .with(
            20_000,
            "mood",
            TypeKind::Enum {
                labels: vec!["sad".into(), "ok".into()],
            },
        )
        .with(20_001, "_mood", TypeKind::Array { element: 20_000 })
        .with(
            20_002,
            "price",
            TypeKind::Domain {
                base: 1700,
                modifier: ((6 << 16) | 2) + 4,
            },
        )
        .with(
            20_003,
            "dear",
            TypeKind::Domain {
                base: 20_002,
                modifier: -1,
            },
        )
        .with(20_004, "_dear", TypeKind::Array { element: 20_003 })
        .with(
            20_005,
            "numbers",
            TypeKind::Domain {
                base: 1007,
                modifier: -1,
            },
        );
    becomes(&probe, 20_000, -1, &[("sad", text("sad"))]);
    let moods = Value::Array(vec![text("ok"), Value::Null]);
    becomes(&probe, 20_001, -1, &[("{ok,NULL}", moods)]);
    becomes(&probe, 20_003, -1, &[("1.00", bytes(&[100]))]);
    becomes(
        &probe,
        20_004,
        -1,
        &[("{1.00}", Value::Array(vec![bytes(&[100])]))],
    );
    becomes(
        &probe,
        20_005,
        -1,
        &[("{1}", Value::Array(vec![Value::Int32(1)]))],
    );
}
