//! The converters against what Java's give, and against hostile bytes.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod compiled;
mod configuration;
mod hostile;
mod java;
mod lossless;

use longshore_model::batch::Datum;
use longshore_serdes::{Converter, Deserialized, HeaderConverter, SerdeError, Serialized};

/// A converter by its alias and `key=value` settings.
fn converter(class: &str, settings: &[&str]) -> Converter {
    let pair = |setting: &&str| {
        let (key, value) = setting.split_once('=').expect("a setting is key=value");
        (key.to_owned(), value.to_owned())
    };
    let settings: Vec<_> = settings.iter().map(pair).collect();
    Converter::configure(class, &settings, false).expect("the settings are right")
}

/// What `to` writes of what was read from `bytes`; `None` for a tombstone.
fn rewrite(
    read: &Deserialized,
    bytes: &[u8],
    to: &Converter,
) -> Result<Option<String>, SerdeError> {
    let text = || std::str::from_utf8(bytes).expect("it was read as UTF-8");
    let mut schema = None;
    let datum = match read {
        Deserialized::Null => Datum::Null,
        Deserialized::AsText => Datum::Text(text()),
        Deserialized::AsJson => Datum::Json(text()),
        Deserialized::AsBytes => Datum::Bytes(bytes),
        Deserialized::Text(text) => Datum::Text(text),
        Deserialized::Json(json) => Datum::Json(json),
        Deserialized::Bytes(bytes) => Datum::Bytes(bytes),
        Deserialized::Avro { schema: s, datum } => {
            schema = Some(&**s);
            Datum::Avro {
                schema: 1,
                bytes: datum,
            }
        }
    };
    let mut plan = schema.map(|schema| to.compile(schema));
    let mut out = Vec::new();
    Ok(match to.serialize(datum, plan.as_mut(), &mut out)? {
        Serialized::Null => None,
        Serialized::AsIs => Some(String::from_utf8_lossy(datum.bytes()).into_owned()),
        Serialized::Written => Some(String::from_utf8_lossy(&out).into_owned()),
    })
}

/// What a converter makes of a datum without a schema.
fn serialize(converter: &Converter, datum: Datum<'_>) -> Result<(Serialized, Vec<u8>), SerdeError> {
    let mut out = Vec::new();
    Ok((converter.serialize(datum, None, &mut out)?, out))
}

/// What a header's converter writes of what was read.
fn rewrite_header(read: &Deserialized, to: &HeaderConverter) -> Option<String> {
    let (datum, schema) = match read {
        Deserialized::Text(text) => (Datum::Text(text), None),
        Deserialized::Avro { schema, datum } => {
            let (schema_handle, bytes) = (1, &**datum);
            let datum = Datum::Avro {
                schema: schema_handle,
                bytes,
            };
            (datum, Some(&**schema))
        }
        _ => panic!("a header's value has a schema: {read:?}"),
    };
    let mut plan = schema.map(|schema| to.compile(schema));
    let mut out = Vec::new();
    match to.serialize(datum, plan.as_mut(), &mut out).unwrap() {
        Serialized::Null => None,
        Serialized::AsIs => Some(String::from_utf8_lossy(datum.bytes()).into_owned()),
        Serialized::Written => Some(String::from_utf8(out).unwrap()),
    }
}
