//! A value to JSON.

use std::fmt::{Display, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::Value;
use longshore_model::json::{write_f32, write_f64, write_string};
use longshore_model::schema::{DECIMAL, Entry, Kind, Schema, Type};

use super::{DEFAULT_BYTES_MAX, DecimalFormat, JsonFormat};
use crate::{SerdeError, decimal};

pub(super) struct Encoder<'f> {
    format: &'f JsonFormat,
    pub(super) out: String,
    /// Bytes that came from defaults.
    defaults: usize,
}

impl<'f> Encoder<'f> {
    pub(super) fn new(format: &'f JsonFormat) -> Self {
        Self {
            format,
            out: String::new(),
            defaults: 0,
        }
    }

    pub(super) fn value(&mut self, schema: &Schema, value: &Value) -> Result<(), SerdeError> {
        match (value, &schema.kind) {
            (Value::Null, _) => return self.null(schema),
            (Value::Boolean(value), Kind::Boolean) => self.display(value),
            (Value::Int8(number), Kind::Int8) => self.display(number),
            (Value::Int16(number), Kind::Int16) => self.display(number),
            (Value::Int32(number), Kind::Int32) => self.display(number),
            (Value::Int64(number), Kind::Int64) => self.display(number),
            (Value::Float32(number), Kind::Float32) => write_f32(&mut self.out, *number),
            (Value::Float64(number), Kind::Float64) => write_f64(&mut self.out, *number),
            (Value::String(text), Kind::String | Kind::Enum { .. }) => {
                write_string(&mut self.out, text);
            }
            (Value::Bytes(bytes), Kind::Bytes | Kind::Fixed { .. }) => {
                return self.bytes(schema, bytes);
            }
            (Value::Array(items), Kind::Array(schema)) => {
                return self.list('[', ']', items, |encoder, item| {
                    encoder.value(schema, item).map_err(|e| e.within("[]"))
                });
            }
            (Value::Map(pairs), Kind::Map(entry)) => return self.map(entry, pairs),
            (Value::Struct(values), Kind::Struct(fields) | Kind::Union(fields))
                if values.len() == fields.len() =>
            {
                let members = fields.iter().zip(values);
                return self.list('{', '}', members, |encoder, (field, value)| {
                    write_string(&mut encoder.out, &field.name);
                    encoder.out.push(':');
                    let written = encoder.value(&field.schema, value);
                    written.map_err(|e| e.within(&field.name))
                });
            }
            _ => return Err(SerdeError::value(schema.connect_type().name())),
        }
        Ok(())
    }

    fn null(&mut self, schema: &Schema) -> Result<(), SerdeError> {
        match &schema.default {
            Some(default) if self.format.replace_null_with_default && *default != Value::Null => {
                let before = self.out.len();
                self.value(schema, default)?;
                self.defaults += self.out.len() - before;
                if self.defaults > DEFAULT_BYTES_MAX {
                    let limit = DEFAULT_BYTES_MAX;
                    return Err(SerdeError::TooLarge { limit });
                }
            }
            _ if schema.optional => self.out.push_str("null"),
            _ => return Err(SerdeError::value("null: it is required and has no default")),
        }
        Ok(())
    }

    fn bytes(&mut self, schema: &Schema, bytes: &[u8]) -> Result<(), SerdeError> {
        if self.format.decimal == DecimalFormat::Numeric && schema.name.as_deref() == Some(DECIMAL)
        {
            let scale = schema.decimal_scale();
            let text = scale.and_then(|scale| decimal::to_text(bytes, scale));
            let text = text.ok_or_else(|| SerdeError::value("a Decimal with a scale"))?;
            self.out.push_str(&text);
            return Ok(());
        }
        self.out.push('"');
        STANDARD.encode_string(bytes, &mut self.out);
        self.out.push('"');
        Ok(())
    }

    /// An object where the keys are text, else a list of pairs.
    fn map(&mut self, entry: &Entry, pairs: &[(Value, Value)]) -> Result<(), SerdeError> {
        if entry.key.connect_type() == Type::String {
            return self.list('{', '}', pairs, |encoder, (key, value)| {
                match key {
                    Value::String(key) => write_string(&mut encoder.out, key),
                    // As Java has it.
                    Value::Null if entry.key.optional => encoder.out.push_str("\"null\""),
                    _ => return Err(SerdeError::value("text, as a map's key")),
                }
                encoder.out.push(':');
                let written = encoder.value(&entry.value, value);
                written.map_err(|e| e.within("[]"))
            });
        }
        self.list('[', ']', pairs, |encoder, (key, value)| {
            encoder.out.push('[');
            encoder.value(&entry.key, key).map_err(|e| e.within("[]"))?;
            encoder.out.push(',');
            encoder
                .value(&entry.value, value)
                .map_err(|e| e.within("[]"))?;
            encoder.out.push(']');
            Ok(())
        })
    }

    pub(super) fn list<T>(
        &mut self,
        open: char,
        close: char,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        self.out.push(open);
        for (n, item) in items.into_iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            write(self, item)?;
        }
        self.out.push(close);
        Ok(())
    }

    pub(super) fn display(&mut self, value: impl Display) {
        write!(self.out, "{value}").expect("a String takes what is written");
    }
}
