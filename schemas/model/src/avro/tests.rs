use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{Cursor, Malformed, read, write};
use crate::Value;
use crate::schema::{Kind, Schema};

const EVERYTHING: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"b","type":"boolean"},{"name":"i8","type":{"type":"int","connect.type":"int8"}},
    {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},
    {"name":"d","type":"double"},{"name":"s","type":"string"},{"name":"y","type":["null","bytes"]},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
    {"name":"x","type":{"type":"fixed","name":"X","size":2}},
    {"name":"a","type":{"type":"array","items":["string","null"]}},
    {"name":"m","type":{"type":"map","values":"long"}},
    {"name":"u","type":["null","string","long"]}]}"#;

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn everything() -> Value {
    Value::Struct(vec![
        Value::Boolean(true),
        Value::Int8(-128),
        Value::Int32(i32::MAX),
        Value::Int64(i64::MIN),
        Value::Float32(1.5),
        Value::Float64(-0.0),
        text("é"),
        Value::Bytes(vec![0, 255]),
        text("B"),
        Value::Bytes(vec![7, 8]),
        Value::Array(vec![Value::Null, text("")]),
        Value::Map(vec![(text("k"), Value::Int64(-1))]),
        Value::Struct(vec![Value::Null, Value::Int64(64)]),
    ])
}

#[test]
fn every_type_is_written_as_the_specification_says() {
    let schema = Schema::parse(EVERYTHING).unwrap();
    let mut bytes = Vec::new();
    write(&schema, &everything(), &mut bytes).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    expect!["01ff01feffffff0fffffffffffffffffff010000c03f000000000000008004c3a9020400ff020708040200000002026b0100048001"]
        .assert_eq(&hex);
    assert_eq!(read(&schema, &bytes).unwrap(), everything());
}

#[test]
fn blocks_with_their_size_are_read() {
    let schema = Schema::parse(r#"{"type":"array","items":"int"}"#).unwrap();
    let value = read(&schema, &[3, 4, 2, 4, 2, 6, 0]).unwrap();
    let numbers = [1, 2, 3].map(Value::Int32);
    assert_eq!(value, Value::Array(numbers.to_vec()));
}

fn malformed(schema: &str, bytes: &[u8], expected: &Expect) {
    let schema = Schema::parse(schema).unwrap();
    let error = read(&schema, bytes).unwrap_err();
    expected.assert_eq(&format!("{error}"));
}

#[test]
fn hostile_bytes_are_an_error_with_their_place() {
    let array = r#"{"type":"array","items":"int"}"#;
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    malformed(
        r#""string""#,
        &[0x06, b'a'],
        &expect!["datum ends early: 3 bytes are wanted at byte 1, 1 are left"],
    );
    malformed(
        r#""string""#,
        &huge,
        &expect!["datum ends early: 9223372036854775807 bytes are wanted at byte 10, 0 are left"],
    );
    malformed(
        r#""string""#,
        &[0x01],
        &expect!["datum has a negative length at byte 0"],
    );
    malformed(
        r#""string""#,
        &[0x04, b'a', 0xff],
        &expect!["datum has text that is not UTF-8 at byte 2"],
    );
    malformed(
        r#""long""#,
        &[0x80; 11],
        &expect!["datum has a number at byte 0 that is out of its type's range"],
    );
    malformed(
        r#""int""#,
        &[0x80, 0x80, 0x80, 0x80, 0x10],
        &expect!["datum has a number at byte 0 that is out of its type's range"],
    );
    malformed(
        r#""boolean""#,
        &[2],
        &expect!["datum has a boolean at byte 0 that is neither 0 nor 1"],
    );
    malformed(
        r#"["null","int"]"#,
        &[4],
        &expect!["datum has a number at byte 0 that none of the schema's branches or symbols has"],
    );
    malformed(
        r#""boolean""#,
        &[1, 1],
        &expect!["datum ends at byte 1, and more follows"],
    );
    malformed(
        array,
        &huge,
        &expect!["datum has more values than its bytes can hold, at byte 0"],
    );
    malformed(
        array,
        &[0x02],
        &expect!["datum ends early: 1 bytes are wanted at byte 1, 0 are left"],
    );
}

/// Numbers are read eight bytes at once where there are so many, which nobody is to notice.
#[test]
fn numbers_are_the_same_whatever_follows() {
    let edges = (0..63).flat_map(|bit| {
        let power = 1_i64 << bit;
        [power - 1, power, -power, !power, power | 0x55]
    });
    for number in edges.chain([i64::MIN, i64::MAX]) {
        let mut bytes = Vec::new();
        write(&Schema::new(Kind::Int64), &Value::Int64(number), &mut bytes).unwrap();
        for behind in 0..10 {
            let mut followed = bytes.clone();
            followed.resize(bytes.len() + behind, 0xff);
            let mut cursor = Cursor::new(&followed);
            assert_eq!(cursor.long(), Ok(number), "{behind} bytes behind");
            assert_eq!(cursor.take(behind).map(<[u8]>::len), Ok(behind), "{number}");
        }
        for cut in 0..bytes.len() {
            Cursor::new(&bytes[..cut]).long().unwrap_err();
        }
    }
    for too_long in [
        [0xff; 10],
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
    ] {
        let number = Cursor::new(&too_long).long();
        assert_eq!(number, Err(Malformed::Number { at: 0 }));
    }
}

#[test]
fn items_without_bytes_are_counted() {
    let empty = r#"{"name":"f","type":{"type":"record","name":"E","fields":[]}}"#;
    let fields: String = (0..1000)
        .map(|n| format!(r#",{{"name":"f{n}","type":"E"}}"#))
        .collect();
    let schema = format!(
        r#"{{"type":"array","items":{{"type":"record","name":"R","fields":[{empty}{fields}]}}}}"#
    );
    let schema = Schema::parse(&schema).unwrap();
    let error = read(&schema, &[0x80, 0x80, 0x04, 0]).unwrap_err();
    assert!(matches!(error, Malformed::Items { .. }), "{error}");
}

#[test]
fn a_value_of_another_type_is_refused_with_its_path() {
    let check = |schema: &str, value: &Value, expected: &Expect| {
        let schema = Schema::parse(schema).unwrap();
        let error = write(&schema, value, &mut Vec::new()).unwrap_err();
        expected.assert_eq(&format!("{error}"));
    };
    let lines = r#"{"type":"record","name":"R","fields":[{"name":"lines","type":{"type":"array","items":{"type":"record","name":"L","fields":[{"name":"price","type":"long"}]}}}]}"#;
    let line = |price| Value::Struct(vec![Value::Array(vec![Value::Struct(vec![price])])]);
    check(
        lines,
        &line(Value::Null),
        &expect!["null at lines[].price, which is required"],
    );
    check(
        lines,
        &line(Value::Int32(1)),
        &expect!["value at lines[].price is not INT64"],
    );
    check(
        r#"["string","int"]"#,
        &Value::Struct(vec![Value::Null, Value::Null]),
        &expect!["value at the top is not exactly one of the union's branches"],
    );
    check(
        r#"{"type":"fixed","name":"F","size":2}"#,
        &Value::Bytes(vec![1]),
        &expect!["value at the top is not of the fixed length"],
    );
    check(
        r#"{"type":"enum","name":"E","symbols":["A"]}"#,
        &text("B"),
        &expect!["value at the top is not one of the enum's symbols"],
    );
}

#[test]
fn it_agrees_with_apache_avro() {
    let schema = Schema::parse(EVERYTHING).unwrap();
    let theirs = apache_avro::Schema::parse_str(EVERYTHING).unwrap();
    let mut bytes = Vec::new();
    write(&schema, &everything(), &mut bytes).unwrap();
    let reader = apache_avro::reader::datum::GenericDatumReader::builder(&theirs)
        .build()
        .unwrap();
    let datum = reader.read_value(&mut bytes.as_slice()).unwrap();
    let apache_avro::types::Value::Record(fields) = &datum else {
        panic!("{datum:?}");
    };
    assert_eq!(fields[3].1, apache_avro::types::Value::Long(i64::MIN));
    assert_eq!(fields[8].1, apache_avro::types::Value::Enum(1, "B".into()));
    let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&theirs)
        .build()
        .unwrap();
    let again = writer.write_value_to_vec(datum).unwrap();
    assert_eq!(again, bytes);
}

fn values() -> impl Strategy<Value = Value> {
    let items = prop::collection::vec(prop::option::of(any::<String>()), 0..5);
    let pairs = prop::collection::btree_map(any::<String>(), any::<i64>(), 0..5);
    let numbers = (
        any::<i8>(),
        any::<i32>(),
        any::<i64>(),
        -1e30_f32..1e30,
        -1e300_f64..1e300,
    );
    let rest = (
        any::<bool>(),
        any::<[u8; 2]>(),
        prop::option::of(any::<Vec<u8>>()),
        any::<String>(),
    );
    (numbers, rest, items, pairs).prop_map(|((i8, i, l, f, d), (b, x, y, s), items, pairs)| {
        Value::Struct(vec![
            Value::Boolean(b),
            Value::Int8(i8),
            Value::Int32(i),
            Value::Int64(l),
            Value::Float32(f),
            Value::Float64(d),
            text(&s),
            y.map_or(Value::Null, Value::Bytes),
            text(if b { "A" } else { "B" }),
            Value::Bytes(x.to_vec()),
            Value::Array(
                items
                    .into_iter()
                    .map(|s| s.map_or(Value::Null, Value::String))
                    .collect(),
            ),
            Value::Map(
                pairs
                    .into_iter()
                    .map(|(k, v)| (Value::String(k), Value::Int64(v)))
                    .collect(),
            ),
            if b {
                Value::Null
            } else {
                Value::Struct(vec![text(&s), Value::Null])
            },
        ])
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in values()) {
        let schema = Schema::parse(EVERYTHING).unwrap();
        let mut bytes = Vec::new();
        write(&schema, &value, &mut bytes).unwrap();
        prop_assert_eq!(read(&schema, &bytes).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let schema = Schema::parse(EVERYTHING).unwrap();
        if let Ok(value) = read(&schema, &bytes) {
            prop_assert!(write(&schema, &value, &mut Vec::new()).is_ok());
        }
    }

    #[test]
    fn a_damaged_datum_is_a_value_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let schema = Schema::parse(EVERYTHING).unwrap();
        let mut bytes = Vec::new();
        write(&schema, &everything(), &mut bytes).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(value) = read(&schema, &bytes) {
            prop_assert!(write(&schema, &value, &mut Vec::new()).is_ok());
        }
    }
}
