//! `SimpleHeaderConverter`.
//!
//! To bytes: text as it is, bytes in base64, numbers and booleans as Java prints them, the rest as
//! compact JSON (dates and times too as their numbers, which Java prints by a format).
//!
//! From bytes Java guesses a type from the text. Here `null` is null; what is a JSON number, boolean,
//! list or map is JSON, which is read as the same value; anything else is text. So what Java would
//! change stays as it is: `007` and `+5`, dates and times, lists that are not JSON. What is not UTF-8
//! is bytes, where Java puts U+FFFD.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::batch::Datum;
use longshore_model::schema::Schema;
use longshore_model::{Value, avro, json};

use crate::converter::json_as_text;
use crate::{Deserialized, SerdeError, Serialized, text};

pub(crate) fn serialize(
    datum: Datum<'_>,
    schema: Option<&Schema>,
) -> Result<Serialized, SerdeError> {
    match datum {
        Datum::Null => Ok(Serialized::Null),
        Datum::Text(_) => Ok(Serialized::AsIs),
        Datum::Bytes(bytes) => Ok(Serialized::Bytes(STANDARD.encode(bytes).into_bytes())),
        Datum::Json(json) => json_as_text(json),
        Datum::Avro { bytes, .. } => {
            let schema = schema.ok_or(SerdeError::SchemaMissing)?;
            Ok(match avro::read(schema, bytes)? {
                Value::Null => Serialized::Null,
                Value::String(text) => Serialized::Bytes(text.into_bytes()),
                value => Serialized::Bytes(text::print(schema, &value)?.into_bytes()),
            })
        }
    }
}

pub(crate) fn deserialize(bytes: &[u8]) -> Deserialized {
    if std::str::from_utf8(bytes).is_err() {
        return Deserialized::AsBytes;
    }
    match bytes.trim_ascii() {
        b"null" => Deserialized::Null,
        [b'[' | b'{' | b't' | b'f' | b'-' | b'0'..=b'9', ..] if json::check(bytes).is_ok() => {
            Deserialized::AsJson
        }
        _ => Deserialized::AsText,
    }
}
