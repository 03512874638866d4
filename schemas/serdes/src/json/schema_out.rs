//! A schema to the JSON of the envelope, members in Java's order.

use longshore_model::json::{JsonBuffer, write_string};
use longshore_model::schema::{Kind, Schema};

use super::JsonFormat;
use super::encode::Encoder;
use super::plan::{Node, as_datum};
use crate::SerdeError;

/// Writes the envelope up to the payload.
pub(super) fn open_envelope(
    format: &JsonFormat,
    schema: &Schema,
    out: &mut Vec<u8>,
) -> Result<(), SerdeError> {
    out.push_str("{\"schema\":");
    Writer { format, out }.schema(schema, None)?;
    out.push_str(",\"payload\":");
    Ok(())
}

struct Writer<'w> {
    format: &'w JsonFormat,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    /// `field` is the name of the field that has the schema; it comes last.
    fn schema(&mut self, schema: &Schema, field: Option<&str>) -> Result<(), SerdeError> {
        self.out.push_str("{\"type\":\"");
        self.out.push_str(type_name(&schema.kind));
        self.out.push_str("\"");
        match &schema.kind {
            Kind::Array(items) => self.inner("items", items)?,
            Kind::Map(entry) => {
                self.inner("keys", &entry.key)?;
                self.inner("values", &entry.value)?;
            }
            Kind::Struct(fields) | Kind::Union(fields) => {
                self.out.push_str(",\"fields\":[");
                for (n, field) in fields.iter().enumerate() {
                    self.comma(n);
                    let written = self.schema(&field.schema, Some(&field.name));
                    written.map_err(|e| e.within(&field.name))?;
                }
                self.out.push_str("]");
            }
            _ => {}
        }
        self.out.push_str(",\"optional\":");
        self.out
            .push_str(if schema.optional { "true" } else { "false" });
        if let Some(name) = &schema.name {
            self.text("name", name);
        }
        if let Some(version) = schema.version {
            self.out.push_str(",\"version\":");
            self.out.push_str(itoa::Buffer::new().format(version));
        }
        if let Some(doc) = &schema.doc {
            self.text("doc", doc);
        }
        if !schema.parameters.is_empty() {
            self.out.push_str(",\"parameters\":{");
            for (n, (name, value)) in schema.parameters.iter().enumerate() {
                self.comma(n);
                write_string(self.out, name);
                self.out.push_str(":");
                write_string(self.out, value);
            }
            self.out.push_str("}");
        }
        if let Some(default) = &schema.default {
            self.out.push_str(",\"default\":");
            let datum = as_datum(schema, default)?;
            Encoder::new(self.out).datum(&Node::new(self.format, schema), &datum)?;
        }
        if let Some(field) = field {
            self.text("field", field);
        }
        self.out.push_str("}");
        Ok(())
    }

    fn inner(&mut self, member: &str, schema: &Schema) -> Result<(), SerdeError> {
        self.out.push_str(",\"");
        self.out.push_str(member);
        self.out.push_str("\":");
        self.schema(schema, None).map_err(|e| e.within(member))
    }

    fn text(&mut self, member: &str, text: &str) {
        self.out.push_str(",\"");
        self.out.push_str(member);
        self.out.push_str("\":");
        write_string(self.out, text);
    }

    fn comma(&mut self, n: usize) {
        if n > 0 {
            self.out.push_str(",");
        }
    }
}

const fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Int8 => "int8",
        Kind::Int16 => "int16",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::String | Kind::Enum { .. } => "string",
        Kind::Bytes | Kind::Fixed { .. } => "bytes",
        Kind::Array(_) => "array",
        Kind::Map(_) => "map",
        Kind::Struct(_) | Kind::Union(_) => "struct",
    }
}
