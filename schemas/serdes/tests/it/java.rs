//! `fixtures/kafka-4.1.0.json` says what it is and how it was made.

use longshore_serdes::{Converter, HeaderConverter};
use serde_json::Value;

use crate::{converter, rewrite};

fn rows(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/kafka-4.1.0.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn text<'r>(row: &'r Value, member: &str) -> &'r str {
    row[member].as_str().unwrap()
}

/// Reads what Java wrote with schemas and writes it in another form.
fn convert(row: &Value, from: &str, reader: &Converter, to: &Converter) -> Option<String> {
    let bytes = text(row, from).as_bytes();
    let read = reader.deserialize(Some(bytes)).unwrap();
    rewrite(&read, bytes, to).unwrap()
}

#[test]
fn what_java_wrote_is_read_and_written_byte_for_byte() {
    let envelope = converter("json", &[]);
    let plain = converter("json", &["schemas.enable=false"]);
    let numeric = converter("json", &["schemas.enable=false", "decimal.format=numeric"]);
    for row in rows("written") {
        let name = text(&row, "name");
        let again = |to| convert(&row, "envelope", &envelope, to);
        // At the top text is text whether optional or not, and null a tombstone whatever its schema.
        let java = match name {
            "optional string" => text(&row, "envelope").replace("true", "false"),
            _ => text(&row, "envelope").to_owned(),
        };
        if text(&row, "plain") == "null" {
            assert_eq!(again(&envelope), None, "{name}");
            continue;
        }
        assert_eq!(again(&envelope), Some(java), "{name}");
        assert_eq!(
            again(&plain).as_deref(),
            Some(text(&row, "plain")),
            "{name}"
        );
        assert_eq!(
            again(&numeric).as_deref(),
            Some(text(&row, "numeric")),
            "{name}"
        );
    }
}

#[test]
fn nulls_stay_nulls_where_defaults_are_not_wanted() {
    let envelope = converter("json", &["replace.null.with.default=false"]);
    let kept = converter(
        "json",
        &["schemas.enable=false", "replace.null.with.default=false"],
    );
    let replaced = converter("json", &["schemas.enable=false"]);
    for row in rows("written") {
        let name = text(&row, "name");
        let again = |to| convert(&row, "envelope_without_defaults", &envelope, to);
        if text(&row, "without_defaults") == "null" {
            assert_eq!(again(&kept), None, "{name}");
            continue;
        }
        assert_eq!(
            again(&kept).as_deref(),
            Some(text(&row, "without_defaults")),
            "{name}"
        );
        assert_eq!(
            again(&replaced).as_deref(),
            Some(text(&row, "plain")),
            "{name}"
        );
    }
}

/// Inputs of which Java makes another value without a word, and that are refused or kept here.
const KEPT: [(&str, &str); 1] = [(
    // Java makes it a double.
    "{\"schema\":null,\"payload\":123456789012345678901234567890}",
    "{\"schema\":null,\"payload\":123456789012345678901234567890}",
)];

#[test]
fn what_java_reads_is_read_and_what_it_refuses_is_refused() {
    let schemas = converter("json", &[]);
    let plain = converter("json", &["schemas.enable=false"]);
    for row in rows("read") {
        let converter = match text(&row, "settings") {
            "schemas" => &schemas,
            _ => &plain,
        };
        let input = text(&row, "input");
        let read = converter.deserialize(Some(input.as_bytes()));
        if row["error"] == true {
            assert!(read.is_err(), "{input}: {read:?}");
            continue;
        }
        let output = rewrite(&read.unwrap(), input.as_bytes(), converter).unwrap();
        let null = |text: &&str| text.ends_with("\"payload\":null}") || *text == "null";
        let expected = row["output"].as_str().filter(|text| !null(text));
        assert_eq!(output.as_deref(), expected, "{input}");
    }
    for (input, output) in KEPT {
        let read = schemas.deserialize(Some(input.as_bytes())).unwrap();
        let written = rewrite(&read, input.as_bytes(), &schemas).unwrap();
        assert_eq!(written.as_deref(), Some(output));
    }
}

#[test]
fn headers_and_strings_are_javas_but_for_lists_and_maps_of_strings() {
    let envelope = converter("json", &[]);
    let string = converter("string", &[]);
    let simple = HeaderConverter::configure("SimpleHeaderConverter", &[]).unwrap();
    for row in rows("headers") {
        let written = convert(&row, "envelope", &envelope, &string).unwrap();
        // `[1, 2]` and `{k=v}` are compact JSON here.
        let java = text(&row, "string");
        if java.starts_with(['[', '{']) {
            assert_eq!(written, text(&row, "simple"));
        } else {
            assert_eq!(written, java);
        }
        let bytes = text(&row, "envelope").as_bytes();
        let read = envelope.deserialize(Some(bytes)).unwrap();
        let header = crate::rewrite_header(&read, &simple);
        assert_eq!(header.as_deref(), Some(text(&row, "simple")));
    }
}
