//! JSON to a value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::Value;
use longshore_model::json::Json;
use longshore_model::schema::{DECIMAL, Entry, Field, Kind, Schema, Type};

use super::{DEFAULT_BYTES_MAX, JsonFormat};
use crate::{SerdeError, decimal};

pub(super) struct Decoder<'f> {
    format: &'f JsonFormat,
    /// Bytes that came from defaults.
    defaults: usize,
}

impl<'f> Decoder<'f> {
    pub(super) fn new(format: &'f JsonFormat) -> Self {
        Self {
            format,
            defaults: 0,
        }
    }

    pub(super) fn value(&mut self, schema: &Schema, json: &Json<'_>) -> Result<Value, SerdeError> {
        if *json == Json::Null {
            return self.null(schema);
        }
        let wrong = || SerdeError::value(schema.connect_type().name());
        match &schema.kind {
            Kind::Boolean => match json {
                Json::Bool(value) => Ok(Value::Boolean(*value)),
                _ => Err(wrong()),
            },
            Kind::Int8 => integer(json).map(Value::Int8).ok_or_else(wrong),
            Kind::Int16 => integer(json).map(Value::Int16).ok_or_else(wrong),
            Kind::Int32 => integer(json).map(Value::Int32).ok_or_else(wrong),
            Kind::Int64 => integer(json).map(Value::Int64).ok_or_else(wrong),
            Kind::Float32 => float(json).map(Value::Float32).ok_or_else(wrong),
            Kind::Float64 => float(json).map(Value::Float64).ok_or_else(wrong),
            Kind::String | Kind::Enum { .. } => match json {
                Json::String(text) => Ok(Value::String(text.clone().into_owned())),
                _ => Err(wrong()),
            },
            Kind::Bytes | Kind::Fixed { .. } => bytes(schema, json),
            Kind::Array(items) => {
                let list = json.as_array().ok_or_else(wrong)?;
                let values = list.iter().map(|item| self.value(items, item));
                let values = values.collect::<Result<_, _>>();
                values.map(Value::Array).map_err(|e| e.within("[]"))
            }
            Kind::Map(entry) => {
                let pairs = self.map(entry, json).map_err(|e| e.within("[]"))?;
                Ok(Value::Map(pairs))
            }
            Kind::Struct(fields) | Kind::Union(fields) => self.structure(fields, json),
        }
    }

    fn null(&mut self, schema: &Schema) -> Result<Value, SerdeError> {
        match &schema.default {
            Some(default) if self.format.replace_null_with_default => {
                self.defaults += size(default);
                if self.defaults > DEFAULT_BYTES_MAX {
                    let limit = DEFAULT_BYTES_MAX;
                    return Err(SerdeError::TooLarge { limit });
                }
                Ok(default.clone())
            }
            _ if schema.optional => Ok(Value::Null),
            _ => Err(SerdeError::value("there, and it is required")),
        }
    }

    fn structure(&mut self, fields: &[Field], json: &Json<'_>) -> Result<Value, SerdeError> {
        let Json::Object(members) = json else {
            return Err(SerdeError::value("an object, for a STRUCT"));
        };
        let mut values = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            // Members mostly come in the order of the fields.
            let member = match members.get(at) {
                Some((name, member)) if *name == field.name && members.len() == fields.len() => {
                    member
                }
                _ => json.get(&field.name).unwrap_or(&Json::Null),
            };
            let value = self.value(&field.schema, member);
            values.push(value.map_err(|e| e.within(&field.name))?);
        }
        Ok(Value::Struct(values))
    }

    fn map(&mut self, entry: &Entry, json: &Json<'_>) -> Result<Vec<(Value, Value)>, SerdeError> {
        if entry.key.connect_type() == Type::String {
            let Json::Object(members) = json else {
                return Err(SerdeError::value("an object, for a MAP with text as keys"));
            };
            let pairs = members.iter().map(|(key, value)| {
                let key = Value::String(key.clone().into_owned());
                Ok((key, self.value(&entry.value, value)?))
            });
            return pairs.collect();
        }
        let Some(list) = json.as_array() else {
            return Err(SerdeError::value("a list of pairs, for a MAP"));
        };
        let pairs = list.iter().map(|pair| match pair.as_array() {
            Some([key, value]) => {
                let key = self.value(&entry.key, key)?;
                Ok((key, self.value(&entry.value, value)?))
            }
            _ => Err(SerdeError::value("a pair, for an entry of a MAP")),
        });
        pairs.collect()
    }
}

/// Bytes are base64; a Decimal may be a number.
fn bytes(schema: &Schema, json: &Json<'_>) -> Result<Value, SerdeError> {
    let bytes = match json {
        Json::String(text) => {
            let bytes = STANDARD.decode(text.as_bytes()).ok();
            bytes.ok_or_else(|| SerdeError::value("base64, for BYTES"))?
        }
        Json::Number(number) if schema.name.as_deref() == Some(DECIMAL) => {
            let scale = schema.decimal_scale();
            let unscaled = scale.and_then(|scale| decimal::from_number(number, scale));
            unscaled.ok_or_else(|| SerdeError::value("a Decimal of its schema's scale"))?
        }
        _ => return Err(SerdeError::value("BYTES")),
    };
    match schema.kind {
        Kind::Fixed { size, .. } if size != bytes.len() => {
            Err(SerdeError::value("of the fixed length"))
        }
        _ => Ok(Value::Bytes(bytes)),
    }
}

fn integer<N: TryFrom<i64>>(json: &Json<'_>) -> Option<N> {
    N::try_from(json.as_i64()?).ok()
}

fn float<N: std::str::FromStr>(json: &Json<'_>) -> Option<N> {
    match json {
        Json::Number(digits) => digits.parse().ok(),
        Json::String(name) if matches!(&**name, "NaN" | "Infinity" | "-Infinity") => {
            name.parse().ok()
        }
        _ => None,
    }
}

/// About the memory of a value.
fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(values) | Value::Struct(values) => values.iter().map(size).sum(),
            Value::Map(pairs) => pairs.iter().map(|(k, v)| size(k) + size(v)).sum(),
            _ => 0,
        }
}
