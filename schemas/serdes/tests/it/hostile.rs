//! Malformed and hostile bytes: an error with its place, without what the bytes held.

use expect_test::{Expect, expect};
use longshore_model::FaultClass;
use longshore_model::batch::Datum;
use longshore_model::schema::Schema;
use longshore_serdes::{Converter, SerdeError};
use proptest::prelude::*;

use crate::{converter, rewrite};

fn refused(schema: &str, payload: &str, expected: &Expect) {
    let envelope = format!("{{\"schema\":{schema},\"payload\":{payload}}}");
    let read = converter("json", &[]).deserialize(Some(envelope.as_bytes()));
    let error = read.unwrap_err();
    expected.assert_eq(&format!("{}: {error}", error.code()));
    assert_eq!(error.class(), FaultClass::BadRecord);
}

#[test]
fn what_java_would_change_is_an_error_with_its_path() {
    let field = |t: &str| format!(r#"{{"type":"struct","fields":[{{"type":"{t}","field":"f"}}]}}"#);
    refused(
        &field("int8"),
        r#"{"f":200}"#,
        &expect!["value-not-of-schema: value at $.payload.f is not INT8"],
    );
    refused(
        &field("int32"),
        r#"{"f":"5"}"#,
        &expect!["value-not-of-schema: value at $.payload.f is not INT32"],
    );
    refused(
        &field("int64"),
        r#"{"f":1.5}"#,
        &expect!["value-not-of-schema: value at $.payload.f is not INT64"],
    );
    refused(
        &field("boolean"),
        r#"{"f":1}"#,
        &expect!["value-not-of-schema: value at $.payload.f is not BOOLEAN"],
    );
    refused(
        &field("string"),
        r#"{"f":5}"#,
        &expect!["value-not-of-schema: value at $.payload.f is not STRING"],
    );
    refused(
        &field("double"),
        r#"{"f":"secret"}"#,
        &expect!["value-not-of-schema: value at $.payload.f is not FLOAT64"],
    );
    refused(
        r#"{"type":"map","keys":{"type":"string"},"values":{"type":"array","items":{"type":"int8"}}}"#,
        r#"{"secret":[1,"x"]}"#,
        &expect!["value-not-of-schema: value at $.payload[][] is not INT8"],
    );
    refused(
        r#"{"type":"struct","fields":[{"type":"struct","field":"f","fields":[{"field":"g"}]}]}"#,
        "{}",
        &expect!["malformed-schema: schema at $.schema.f.g is not an object with a type"],
    );
}

#[test]
fn nesting_and_defaults_have_limits() {
    let json = converter("json", &[]);
    let deep = |depth: usize| {
        let schema =
            r#"{"type":"array","items":"#.repeat(depth) + r#"{"type":"int8"}"# + &"}".repeat(depth);
        let payload = "[".repeat(depth) + &"]".repeat(depth);
        format!("{{\"schema\":{schema},\"payload\":{payload}}}")
    };
    assert!(json.deserialize(Some(deep(40).as_bytes())).is_ok());
    let error = json.deserialize(Some(deep(70).as_bytes())).unwrap_err();
    assert_eq!(error.code(), "malformed-schema");
    let error = json
        .deserialize(Some("[".repeat(1_000_000).as_bytes()))
        .unwrap_err();
    assert_eq!(error.code(), "not-json");
    let default = "d".repeat(100_000);
    let nulls = "null,".repeat(1000);
    let amplified = format!(
        r#"{{"schema":{{"type":"array","items":{{"type":"string","default":"{default}"}}}},"payload":[{nulls}null]}}"#
    );
    let error = json.deserialize(Some(amplified.as_bytes())).unwrap_err();
    assert!(matches!(error, SerdeError::TooLarge { .. }), "{error}");
}

#[test]
fn exponents_that_would_fill_memory_are_refused() {
    let decimal = r#"{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}}"#;
    for number in [
        "1e1000000000",
        "1e-1000000000",
        "1e9223372036854775807",
        "0.001",
    ] {
        refused(
            decimal,
            number,
            &expect![
                "value-not-of-schema: value at $.payload is not a Decimal of its schema's scale"
            ],
        );
    }
}

#[test]
fn an_avro_datum_is_checked_against_its_schema() {
    let json = converter("json", &["schemas.enable=false"]);
    let datum = Datum::Avro {
        schema: 1,
        bytes: &[0x80],
    };
    let mut out = Vec::new();
    let error = json.serialize(datum, None, &mut out).unwrap_err();
    assert_eq!(error, SerdeError::SchemaMissing);
    let mut plan = json.compile(&Schema::parse("\"long\"").unwrap());
    let error = json
        .serialize(datum, Some(&mut plan), &mut out)
        .unwrap_err();
    assert_eq!(error.code(), "malformed-datum");
}

fn all() -> [Converter; 4] {
    let plain = ["schemas.enable=false"];
    [
        converter("json", &[]),
        converter("json", &plain),
        converter("string", &[]),
        converter("bytes", &[]),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for converter in all() {
            if let Ok(read) = converter.deserialize(Some(&bytes)) {
                prop_assert!(rewrite(&read, &bytes, &converter).is_ok());
            }
        }
    }

    #[test]
    fn any_damage_to_an_envelope_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = r#"{"schema":{"type":"struct","fields":[{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"a"},{"type":"map","keys":{"type":"int8"},"values":{"type":"double","default":1.5},"field":"m"}],"optional":false,"name":"n.R"},"payload":{"a":12.5,"m":[[1,2.5]]}}"#;
        let mut bytes = good.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let json = converter("json", &[]);
        if let Ok(read) = json.deserialize(Some(&bytes)) {
            let written = rewrite(&read, &bytes, &json);
            prop_assert!(written.is_ok(), "{written:?}");
        }
    }
}
