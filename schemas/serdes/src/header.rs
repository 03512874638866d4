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
use longshore_model::{Value, avro, json};

use crate::converter::{json_as_text, written};
use crate::json::Plan;
use crate::{Deserialized, SerdeError, Serialized, text};

pub(crate) fn serialize(
    datum: Datum<'_>,
    plan: Option<&mut Plan>,
    out: &mut Vec<u8>,
) -> Result<Serialized, SerdeError> {
    match datum {
        Datum::Null => Ok(Serialized::Null),
        Datum::Text(_) => Ok(Serialized::AsIs),
        Datum::Bytes(bytes) => Ok(written(out, STANDARD.encode(bytes).as_bytes())),
        Datum::Json(json) => json_as_text(json, out),
        Datum::Avro { bytes, .. } => {
            let plan = plan.ok_or(SerdeError::SchemaMissing)?;
            match avro::read(plan.schema(), bytes)? {
                Value::Null => Ok(Serialized::Null),
                Value::String(text) => Ok(written(out, text.as_bytes())),
                value => text::print(plan, &value, bytes, out),
            }
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
