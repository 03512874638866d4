//! Values that must come through unchanged, without a copy where there need be none.

use longshore_model::batch::Datum;
use longshore_serdes::{Deserialized, HeaderConverter, SerdeError, Serialized};

use crate::{converter, serialize};

const NULL: (Serialized, Vec<u8>) = (Serialized::Null, Vec::new());
const AS_IS: (Serialized, Vec<u8>) = (Serialized::AsIs, Vec::new());

#[test]
fn text_and_bytes_pass_as_they_are() {
    let string = converter("string", &[]);
    let bytes = converter("bytes", &[]);
    assert_eq!(serialize(&string, Datum::Text("a")), Ok(AS_IS));
    assert_eq!(serialize(&string, Datum::Bytes(b"\xff")), Ok(AS_IS));
    assert_eq!(serialize(&bytes, Datum::Bytes(b"\xff")), Ok(AS_IS));
    assert_eq!(string.deserialize(Some(b"a")), Ok(Deserialized::AsText));
    assert_eq!(string.deserialize(Some(b"\xff")), Ok(Deserialized::AsBytes));
    assert_eq!(bytes.deserialize(Some(b"a")), Ok(Deserialized::AsBytes));
}

#[test]
fn null_is_a_tombstone_for_each_converter() {
    for class in ["json", "string", "bytes"] {
        let converter = converter(class, &[]);
        assert_eq!(serialize(&converter, Datum::Null), Ok(NULL), "{class}");
        assert_eq!(
            converter.deserialize(None),
            Ok(Deserialized::Null),
            "{class}"
        );
    }
}

#[test]
fn json_without_a_schema_is_checked_and_never_built() {
    let plain = converter("json", &["schemas.enable=false"]);
    let exact = r#"{"b":12345678901234567890.10,"a":"\u00e9","b":1}"#;
    assert_eq!(serialize(&plain, Datum::Json(exact)), Ok(AS_IS));
    assert_eq!(
        plain.deserialize(Some(exact.as_bytes())),
        Ok(Deserialized::AsJson)
    );
    let spaced = serialize(&plain, Datum::Json("{ \"a b\": [1, 2] }\n"));
    assert_eq!(
        spaced,
        Ok((Serialized::Written, br#"{"a b":[1,2]}"#.to_vec()))
    );
    assert!(serialize(&plain, Datum::Json("{")).is_err());
    assert_eq!(serialize(&plain, Datum::Json(" null")), Ok(NULL));
    let schemas = converter("json", &[]);
    let wrapped = serialize(&schemas, Datum::Json("{ }"));
    assert_eq!(
        wrapped,
        Ok((
            Serialized::Written,
            br#"{"schema":null,"payload":{}}"#.to_vec()
        ))
    );
}

#[test]
fn other_types_than_bytes_are_refused_by_the_bytes_converter() {
    let bytes = converter("bytes", &[]);
    let error = serialize(&bytes, Datum::Text("secret")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ByteArrayConverter takes BYTES, and this is STRING"
    );
    assert_eq!(error.code(), "wrong-type");
    assert!(matches!(
        serialize(&bytes, Datum::Json("1")),
        Err(SerdeError::Type { .. })
    ));
}

#[test]
fn json_prints_as_text_by_the_string_converter() {
    let string = converter("string", &[]);
    let write = |json| match serialize(&string, Datum::Json(json)).unwrap() {
        (Serialized::Null, _) => None,
        (Serialized::AsIs, _) => Some(json.to_owned()),
        (Serialized::Written, text) => Some(String::from_utf8(text).unwrap()),
    };
    assert_eq!(write(r#""a\n""#).as_deref(), Some("a\n"));
    assert_eq!(write("{ \"a\" : 1 }").as_deref(), Some("{\"a\":1}"));
    assert_eq!(write("12.50").as_deref(), Some("12.50"));
    assert_eq!(write("null"), None);
}

#[test]
fn a_header_is_json_only_where_that_changes_nothing() {
    let simple = HeaderConverter::configure("SimpleHeaderConverter", &[]).unwrap();
    let read = |text: &str| simple.deserialize("h", Some(text.as_bytes())).unwrap();
    for json in [
        "1",
        "-1.5",
        "1e3",
        "true",
        "false",
        "[1,\"a\"]",
        "{\"a\":null}",
        " 7 ",
    ] {
        assert_eq!(read(json), Deserialized::AsJson, "{json}");
    }
    for text in [
        "",
        "a",
        "007",
        "+5",
        "1.",
        "trueish",
        "{a:1}",
        "[1,]",
        "\"quoted\"",
        "2024-01-01",
        "NaN",
        "1 2",
    ] {
        assert_eq!(read(text), Deserialized::AsText, "{text}");
    }
    assert_eq!(read("null"), Deserialized::Null);
    assert_eq!(
        simple.deserialize("h", Some(b"\xff")),
        Ok(Deserialized::AsBytes)
    );
    let mut out = Vec::new();
    let bytes = simple.serialize(Datum::Bytes(b"\xff\x00"), None, &mut out);
    assert_eq!((bytes, out), (Ok(Serialized::Written), b"/wA=".to_vec()));
}
