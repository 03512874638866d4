//! `StringConverter`.
//!
//! Java prints a struct, a map or a list by `toString`, which nobody can read back; here it is
//! compact JSON. Bytes, which Java prints as an address, pass as they are, and so does text that is
//! not UTF-8 on its way back, where Java puts U+FFFD: it is read as bytes (invariant 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::batch::Datum;
use longshore_model::schema::Schema;
use longshore_model::{Value, avro};

use crate::converter::json_as_text;
use crate::json::{DecimalFormat, JsonFormat};
use crate::settings::{ConfigProblem, Settings};
use crate::{Deserialized, SerdeError, Serialized};

pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<(), ConfigProblem> {
    let Some(encoding) = settings.take("converter.encoding") else {
        return Ok(());
    };
    if ["utf-8", "utf8"].contains(&encoding.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    let message = format!("the encoding {encoding} does not work yet; UTF-8 does");
    Err(ConfigProblem::new("converter.encoding", message))
}

pub(crate) fn serialize(
    datum: Datum<'_>,
    schema: Option<&Schema>,
) -> Result<Serialized, SerdeError> {
    match datum {
        Datum::Null => Ok(Serialized::Null),
        Datum::Text(_) | Datum::Bytes(_) => Ok(Serialized::AsIs),
        Datum::Json(json) => json_as_text(json),
        Datum::Avro { bytes, .. } => {
            let schema = schema.ok_or(SerdeError::SchemaMissing)?;
            Ok(match avro::read(schema, bytes)? {
                Value::Null => Serialized::Null,
                Value::String(text) => Serialized::Bytes(text.into_bytes()),
                Value::Bytes(bytes) if schema.decimal_scale().is_none() => Serialized::Bytes(bytes),
                value => Serialized::Bytes(print(schema, &value)?.into_bytes()),
            })
        }
    }
}

pub(crate) fn deserialize(bytes: &[u8]) -> Deserialized {
    if std::str::from_utf8(bytes).is_ok() {
        Deserialized::AsText
    } else {
        Deserialized::AsBytes
    }
}

/// Anything but text as text: numbers as Java prints them, the rest as compact JSON.
pub(crate) fn print(schema: &Schema, value: &Value) -> Result<String, SerdeError> {
    if let (Value::Bytes(bytes), None) = (value, schema.decimal_scale()) {
        return Ok(STANDARD.encode(bytes));
    }
    let json = JsonFormat::plain(DecimalFormat::Numeric).payload(schema, value)?;
    // Of what has no quotes in Java, only NaN and the infinities have them in JSON.
    Ok(match value {
        Value::Float32(_) | Value::Float64(_) => json.trim_matches('"').to_owned(),
        _ => json,
    })
}
