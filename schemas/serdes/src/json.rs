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
mod last;
mod plan;
mod schema_in;
mod schema_out;

use std::borrow::Cow;

use longshore_model::Value;
use longshore_model::avro;
use longshore_model::batch::Datum;
use longshore_model::json::{Json, JsonBuffer, Spacing, check, compact, parse, write_string};
use longshore_model::schema::{Kind, Schema};

use self::cache::SchemaCache;
use self::decode::Decoder;
use self::encode::write_bytes;
pub(crate) use self::plan::Plan;
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

    /// A schema, compiled to write its data.
    pub(crate) fn compile(&self, schema: &Schema) -> Plan {
        Plan::new(self, schema)
    }

    pub(crate) fn serialize(
        &self,
        datum: Datum<'_>,
        plan: Option<&mut Plan>,
        out: &mut Vec<u8>,
    ) -> Result<Serialized, SerdeError> {
        match datum {
            Datum::Null => return Ok(Serialized::Null),
            Datum::Json(json) => return self.pass(json, out),
            Datum::Text(text) => {
                self.unadorned(Kind::String, out, |out| write_string(out, text))?;
            }
            Datum::Bytes(bytes) => {
                self.unadorned(Kind::Bytes, out, |out| write_bytes(out, bytes))?;
            }
            Datum::Avro { bytes, .. } => {
                let plan = plan.ok_or(SerdeError::SchemaMissing)?;
                plan.write(bytes, out)?;
            }
        }
        Ok(Serialized::Written)
    }

    /// JSON that has no schema: checked, never built.
    fn pass(&self, json: &str, out: &mut Vec<u8>) -> Result<Serialized, SerdeError> {
        let (text, spacing) = check(json.as_bytes())?;
        if text.trim_ascii() == "null" {
            return Ok(Serialized::Null);
        }
        let compacted = match spacing {
            Spacing::Compact if !self.schemas_enable => return Ok(Serialized::AsIs),
            Spacing::Compact => Cow::Borrowed(text),
            Spacing::Spaced => Cow::Owned(compact(text)),
        };
        if self.schemas_enable {
            out.push_str("{\"schema\":null,\"payload\":");
            out.push_str(&compacted);
            out.push_str("}");
        } else {
            out.push_str(&compacted);
        }
        Ok(Serialized::Written)
    }

    /// A value that came without a schema, under the plain one of its type.
    fn unadorned(
        &self,
        kind: Kind,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), SerdeError> {
        if !self.schemas_enable {
            write(out);
            return Ok(());
        }
        schema_out::open_envelope(self, &Schema::new(kind), out)?;
        write(out);
        out.push_str("}");
        Ok(())
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
