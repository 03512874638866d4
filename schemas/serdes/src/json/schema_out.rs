//! A schema to the JSON of the envelope, members in Java's order.

use longshore_model::json::write_string;
use longshore_model::schema::{Kind, Schema};

use super::encode::Encoder;
use crate::SerdeError;

impl Encoder<'_> {
    pub(super) fn schema(&mut self, schema: &Schema) -> Result<(), SerdeError> {
        self.schema_of(schema, None)
    }

    /// `field` is the name of the field that has the schema; it comes last.
    fn schema_of(&mut self, schema: &Schema, field: Option<&str>) -> Result<(), SerdeError> {
        self.out.push_str("{\"type\":\"");
        self.out.push_str(type_name(&schema.kind));
        self.out.push('"');
        match &schema.kind {
            Kind::Array(items) => self.inner("items", items)?,
            Kind::Map(entry) => {
                self.inner("keys", &entry.key)?;
                self.inner("values", &entry.value)?;
            }
            Kind::Struct(fields) | Kind::Union(fields) => {
                self.out.push_str(",\"fields\":");
                self.list('[', ']', fields.iter(), |encoder, field| {
                    let written = encoder.schema_of(&field.schema, Some(&field.name));
                    written.map_err(|e| e.within(&field.name))
                })?;
            }
            _ => {}
        }
        self.out.push_str(",\"optional\":");
        self.display(schema.optional);
        if let Some(name) = &schema.name {
            self.text("name", name);
        }
        if let Some(version) = schema.version {
            self.out.push_str(",\"version\":");
            self.display(version);
        }
        if let Some(doc) = &schema.doc {
            self.text("doc", doc);
        }
        if !schema.parameters.is_empty() {
            self.out.push_str(",\"parameters\":");
            self.list('{', '}', &schema.parameters, |encoder, (name, value)| {
                write_string(&mut encoder.out, name);
                encoder.out.push(':');
                write_string(&mut encoder.out, value);
                Ok(())
            })?;
        }
        if let Some(default) = &schema.default {
            self.out.push_str(",\"default\":");
            self.value(schema, default)?;
        }
        if let Some(field) = field {
            self.text("field", field);
        }
        self.out.push('}');
        Ok(())
    }

    fn inner(&mut self, member: &str, schema: &Schema) -> Result<(), SerdeError> {
        self.out.push_str(",\"");
        self.out.push_str(member);
        self.out.push_str("\":");
        self.schema_of(schema, None).map_err(|e| e.within(member))
    }

    fn text(&mut self, member: &str, text: &str) {
        self.out.push_str(",\"");
        self.out.push_str(member);
        self.out.push_str("\":");
        write_string(&mut self.out, text);
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
