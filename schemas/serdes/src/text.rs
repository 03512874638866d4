//! `StringConverter`.
//!
//! Java prints a struct, a map or a list by `toString`, which nobody can read back; here it is
//! compact JSON. Bytes, which Java prints as an address, pass as they are, and so does text that is
//! not UTF-8 on its way back, where Java puts U+FFFD: it is read as bytes (invariant 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::batch::Datum;
use longshore_model::json::JsonBuffer;
use longshore_model::{Value, avro};

use crate::converter::{json_as_text, written};
use crate::json::Plan;
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
    plan: Option<&mut Plan>,
    out: &mut Vec<u8>,
) -> Result<Serialized, SerdeError> {
    match datum {
        Datum::Null => Ok(Serialized::Null),
        Datum::Text(_) | Datum::Bytes(_) => Ok(Serialized::AsIs),
        Datum::Json(json) => json_as_text(json, out),
        Datum::Avro { bytes, .. } => {
            let plan = plan.ok_or(SerdeError::SchemaMissing)?;
            match avro::read(plan.schema(), bytes)? {
                Value::Null => Ok(Serialized::Null),
                Value::String(text) => Ok(written(out, text.as_bytes())),
                Value::Bytes(bytes) if plan.schema().decimal_scale().is_none() => {
                    Ok(written(out, &bytes))
                }
                value => print(plan, &value, bytes, out),
            }
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
pub(crate) fn print(
    plan: &mut Plan,
    value: &Value,
    datum: &[u8],
    out: &mut Vec<u8>,
) -> Result<Serialized, SerdeError> {
    match value {
        Value::Bytes(bytes) if plan.schema().decimal_scale().is_none() => {
            return Ok(written(out, STANDARD.encode(bytes).as_bytes()));
        }
        // Of what has no quotes in Java, only these have them in JSON.
        Value::Float32(number) if !number.is_finite() => out.push_str(name(f64::from(*number))),
        Value::Float64(number) if !number.is_finite() => out.push_str(name(*number)),
        _ => plan.write(datum, out)?,
    }
    Ok(Serialized::Written)
}

/// Java's name of what is no number.
fn name(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}
