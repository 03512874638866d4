//! `JsonConverter`, both ways, with and without schemas.
//!
//! What goes out is Java's byte for byte. What comes in is read as Java reads it, but for this, where
//! Java goes on with another value and here is an error: numbers out of their type's range or with
//! decimal places for an integer, values of another type, text behind the value, leading zeros.
//! `"NaN"` and the infinities are numbers in both directions, where Java reads them as 0.
//! JSON without a schema is passed on as the text that it is, so numbers of any length survive.

mod cache;
mod decode;
mod encode;
mod schema_in;
mod schema_out;

use longshore_model::Value;
use longshore_model::avro;
use longshore_model::batch::Datum;
use longshore_model::json::{Json, Spacing, check, compact, parse, write_string};
use longshore_model::schema::{Kind, Schema};

use self::cache::SchemaCache;
use self::decode::Decoder;
use self::encode::Encoder;
use crate::settings::{ConfigProblem, Settings};
use crate::{Deserialized, SerdeError, Serialized};

/// How decimals are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalFormat {
    /// The unscaled number's bytes.
    Base64,
    /// A JSON number.
    Numeric,
}

/// Most bytes that defaults in place of nulls may add to a value.
const DEFAULT_BYTES_MAX: usize = 16 << 20;
const SCHEMAS_CACHE_SIZE: usize = 1000;

#[derive(Clone, Debug)]
pub(crate) struct JsonFormat {
    schemas_enable: bool,
    decimal: DecimalFormat,
    replace_null_with_default: bool,
    cache: SchemaCache,
}

impl JsonFormat {
    pub(crate) fn configure(settings: &mut Settings<'_>) -> Result<Self, ConfigProblem> {
        let decimal = settings.take("decimal.format").unwrap_or("BASE64");
        let decimal = match decimal.to_ascii_uppercase().as_str() {
            "BASE64" => DecimalFormat::Base64,
            "NUMERIC" => DecimalFormat::Numeric,
            _ => {
                return Err(ConfigProblem::new(
                    "decimal.format",
                    "must be BASE64 or NUMERIC",
                ));
            }
        };
        Ok(Self {
            schemas_enable: settings.boolean("schemas.enable", true)?,
            decimal,
            replace_null_with_default: settings.boolean("replace.null.with.default", true)?,
            cache: SchemaCache::new(settings.count("schemas.cache.size", SCHEMAS_CACHE_SIZE)?),
        })
    }

    /// Without schemas, for converters that print what they have no form for as JSON.
    pub(crate) fn plain(decimal: DecimalFormat) -> Self {
        Self {
            schemas_enable: false,
            decimal,
            replace_null_with_default: true,
            cache: SchemaCache::new(0),
        }
    }

    pub(crate) fn serialize(
        &self,
        datum: Datum<'_>,
        schema: Option<&Schema>,
    ) -> Result<Serialized, SerdeError> {
        match datum {
            Datum::Null => Ok(Serialized::Null),
            Datum::Json(json) => self.pass(json),
            Datum::Text(text) => {
                let value = Value::String(text.to_owned());
                self.with_schema(&Schema::new(Kind::String), &value)
            }
            Datum::Bytes(bytes) => {
                let value = Value::Bytes(bytes.to_owned());
                self.with_schema(&Schema::new(Kind::Bytes), &value)
            }
            Datum::Avro { bytes, .. } => {
                let schema = schema.ok_or(SerdeError::SchemaMissing)?;
                self.with_schema(schema, &avro::read(schema, bytes)?)
            }
        }
    }

    /// JSON that has no schema: checked, never built.
    fn pass(&self, json: &str) -> Result<Serialized, SerdeError> {
        let (text, spacing) = check(json.as_bytes())?;
        if text.trim_ascii() == "null" {
            return Ok(Serialized::Null);
        }
        let compacted = match spacing {
            Spacing::Compact if !self.schemas_enable => return Ok(Serialized::AsIs),
            Spacing::Compact => text.to_owned(),
            Spacing::Spaced => compact(text),
        };
        Ok(Serialized::Bytes(if self.schemas_enable {
            format!("{{\"schema\":null,\"payload\":{compacted}}}").into_bytes()
        } else {
            compacted.into_bytes()
        }))
    }

    fn with_schema(&self, schema: &Schema, value: &Value) -> Result<Serialized, SerdeError> {
        let mut encoder = Encoder::new(self);
        if self.schemas_enable {
            encoder.out.push_str("{\"schema\":");
            encoder.schema(schema)?;
            encoder.out.push_str(",\"payload\":");
            encoder.value(schema, value)?;
            encoder.out.push('}');
        } else {
            encoder.value(schema, value)?;
        }
        Ok(Serialized::Bytes(encoder.out.into_bytes()))
    }

    /// The value alone.
    pub(crate) fn payload(&self, schema: &Schema, value: &Value) -> Result<String, SerdeError> {
        let mut encoder = Encoder::new(self);
        encoder.value(schema, value)?;
        Ok(encoder.out)
    }

    pub(crate) fn deserialize(&self, bytes: &[u8]) -> Result<Deserialized, SerdeError> {
        if self.schemas_enable {
            return self.open(&parse(bytes)?);
        }
        match bytes.trim_ascii() {
            b"" | b"null" => Ok(Deserialized::Null),
            _ => {
                check(bytes)?;
                Ok(Deserialized::AsJson)
            }
        }
    }

    /// Opens the envelope of schema and payload.
    fn open(&self, envelope: &Json<'_>) -> Result<Deserialized, SerdeError> {
        let (Some([_, _]), Some(schema), Some(payload)) = (
            envelope.as_object(),
            envelope.get("schema"),
            envelope.get("payload"),
        ) else {
            return Err(SerdeError::Envelope);
        };
        match (schema, payload) {
            (Json::Null, Json::Null) => return Ok(Deserialized::Null),
            (Json::Null, _) => return Ok(Deserialized::Json(print(payload))),
            _ => {}
        }
        let mut decoder = Decoder::new(self);
        let schema = self.cache.get(schema, |json| {
            schema_in::read(&mut decoder, json).map_err(|error| error.within("schema"))
        })?;
        let value = decoder
            .value(&schema, payload)
            .map_err(|error| error.within("payload"))?;
        let unadorned = schema.name.is_none()
            && schema.version.is_none()
            && schema.doc.is_none()
            && schema.parameters.is_empty()
            && schema.default.is_none();
        Ok(match value {
            Value::Null => Deserialized::Null,
            Value::String(text) if unadorned => Deserialized::Text(text),
            Value::Bytes(bytes) if unadorned => Deserialized::Bytes(bytes),
            value => {
                let mut datum = Vec::new();
                avro::write(&schema, &value, &mut datum)?;
                Deserialized::Avro { schema, datum }
            }
        })
    }
}

/// A JSON tree as compact text, numbers as they were written.
fn print(json: &Json<'_>) -> String {
    let mut out = String::new();
    write(&mut out, json);
    out
}

fn write(out: &mut String, json: &Json<'_>) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(digits) => out.push_str(digits),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (n, (name, member)) in members.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_string(out, name);
                out.push(':');
                write(out, member);
            }
            out.push('}');
        }
    }
}
