//! To Avro's JSON, by the rules of Confluent's `AvroData`, attributes in the order of its output.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use core::mem;

use super::defaults::{self, list};
use super::{
    DATE, DECIMAL, DEFAULT_NAME, Field, Kind, MAP_ENTRY, PRECISION_DEFAULT, PRECISION_PARAMETER,
    Schema, TIME, TIMESTAMP,
};
use crate::json::write_string;

impl Schema {
    /// The schema in Avro's JSON; [`Schema::parse`] reads it back.
    #[must_use]
    pub fn to_avro_json(&self) -> String {
        let mut printer = Printer::default();
        printer.schema(self);
        printer.out
    }
}

#[derive(Default)]
struct Printer<'s> {
    out: String,
    /// The namespace of the type around.
    namespace: &'s str,
    /// The named types written so far, by full name.
    written: BTreeMap<String, &'s Schema>,
}

impl<'s> Printer<'s> {
    fn schema(&mut self, schema: &'s Schema) {
        if let Kind::Union(branches) = &schema.kind {
            self.union(schema, branches);
        } else if !schema.optional {
            self.required(schema);
        } else if schema.null_last {
            self.out.push('[');
            self.required(schema);
            self.out.push_str(",\"null\"]");
        } else {
            self.out.push_str("[\"null\",");
            self.required(schema);
            self.out.push(']');
        }
    }

    fn union(&mut self, schema: &'s Schema, branches: &'s [Field]) {
        self.out.push('[');
        if schema.optional && !schema.null_last {
            self.out.push_str("\"null\",");
        }
        for (n, branch) in branches.iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            self.required(&branch.schema);
        }
        if schema.optional && schema.null_last {
            self.out.push_str(",\"null\"");
        }
        self.out.push(']');
    }

    /// The type without the union with null.
    fn required(&mut self, schema: &'s Schema) {
        match &schema.kind {
            Kind::Boolean => self.plain(schema, "boolean"),
            Kind::Int8 | Kind::Int16 | Kind::Int32 => self.plain(schema, "int"),
            Kind::Int64 => self.plain(schema, "long"),
            Kind::Float32 => self.plain(schema, "float"),
            Kind::Float64 => self.plain(schema, "double"),
            Kind::String => self.plain(schema, "string"),
            Kind::Bytes => self.plain(schema, "bytes"),
            Kind::Enum { name, symbols } => {
                if self.define(schema, "enum", name) {
                    self.out.push_str(",\"symbols\":");
                    list(&mut self.out, '[', ']', symbols.iter(), |out, symbol| {
                        write_string(out, symbol);
                    });
                    self.close(schema);
                }
            }
            Kind::Fixed { name, size } => {
                if self.define(schema, "fixed", name) {
                    self.number("size", i64::try_from(*size).unwrap_or(i64::MAX));
                    self.close(schema);
                }
            }
            Kind::Array(items) => {
                self.out.push_str("{\"type\":\"array\",\"items\":");
                self.schema(items);
                self.close(schema);
            }
            Kind::Map(entry) if entry.has_text_keys() => {
                self.out.push_str("{\"type\":\"map\",\"values\":");
                self.schema(&entry.value);
                self.close(schema);
            }
            Kind::Map(entry) => {
                let name = self.free_name(MAP_ENTRY);
                self.out
                    .push_str("{\"type\":\"array\",\"items\":{\"type\":\"record\"");
                self.name(&name);
                self.out
                    .push_str(",\"fields\":[{\"name\":\"key\",\"type\":");
                let around = mem::replace(&mut self.namespace, split(MAP_ENTRY).0);
                self.schema(&entry.key);
                self.out.push_str("},{\"name\":\"value\",\"type\":");
                self.schema(&entry.value);
                self.namespace = around;
                self.out
                    .push_str("}],\"connect.internal.type\":\"MapEntry\"}");
                self.written.insert(name, schema);
                self.close(schema);
            }
            Kind::Struct(fields) => self.record(schema, fields),
            // A union's branch is no union: `Schema::parse` and the converters make none.
            Kind::Union(branches) => self.union(schema, branches),
        }
    }

    /// A primitive type: its name alone where nothing else is to be said.
    fn plain(&mut self, schema: &Schema, avro_type: &str) {
        let bare = matches!(schema.kind, Kind::Int8 | Kind::Int16)
            || schema.name.is_some()
            || schema.version.is_some()
            || schema.doc.is_some()
            || !schema.parameters.is_empty()
            || schema.default.is_some();
        if !bare {
            write_string(&mut self.out, avro_type);
            return;
        }
        self.out.push_str("{\"type\":");
        write_string(&mut self.out, avro_type);
        self.close(schema);
    }

    fn record(&mut self, schema: &'s Schema, fields: &'s [Field]) {
        let name = schema.name.as_deref().unwrap_or(DEFAULT_NAME);
        if !self.define(schema, "record", name) {
            return;
        }
        let around = mem::replace(&mut self.namespace, split(name).0);
        self.out.push_str(",\"fields\":[");
        for (n, field) in fields.iter().enumerate() {
            if n > 0 {
                self.out.push(',');
            }
            self.out.push_str("{\"name\":");
            write_string(&mut self.out, &field.name);
            self.out.push_str(",\"type\":");
            self.schema(&field.schema);
            self.field_default(&field.schema);
            self.out.push('}');
        }
        self.out.push(']');
        self.namespace = around;
        self.close(schema);
    }

    /// Avro's own default, where it can be one: it must be of the union's first branch.
    fn field_default(&mut self, schema: &Schema) {
        match &schema.default {
            Some(value) if !schema.optional || schema.null_last => {
                self.out.push_str(",\"default\":");
                defaults::write(&mut self.out, schema, value);
            }
            _ if schema.optional && !schema.null_last => self.out.push_str(",\"default\":null"),
            _ => {}
        }
    }

    /// Opens the definition of a named type; false when the same one was written before, and its
    /// name alone is now. Another type of that name gets a name with a number; `connect.name` keeps
    /// the right one.
    fn define(&mut self, schema: &'s Schema, avro_type: &str, name: &str) -> bool {
        if let Some(written) = self.written.get(name)
            && same(written, schema)
        {
            write_string(&mut self.out, name);
            return false;
        }
        let name = self.free_name(name);
        self.out.push_str("{\"type\":");
        write_string(&mut self.out, avro_type);
        self.name(&name);
        self.written.insert(name, schema);
        true
    }

    fn free_name(&self, name: &str) -> String {
        let mut free = String::from(name);
        let mut n = 1;
        while self.written.contains_key(&free) {
            n += 1;
            free = format!("{name}{n}");
        }
        free
    }

    fn name(&mut self, full: &str) {
        let (namespace, name) = split(full);
        self.text("name", name);
        if namespace != self.namespace {
            self.text("namespace", namespace);
        }
    }

    /// Writes what stands beside the type, and closes it.
    fn close(&mut self, schema: &Schema) {
        let name = schema.name.as_deref();
        if name == Some(DECIMAL) {
            let precision = schema
                .parameter(PRECISION_PARAMETER)
                .and_then(|p| p.parse().ok());
            self.number("scale", i64::from(schema.decimal_scale().unwrap_or(0)));
            self.number("precision", precision.unwrap_or(PRECISION_DEFAULT));
        }
        if let Some(doc) = &schema.doc {
            self.text("connect.doc", doc);
        }
        if let Some(version) = schema.version {
            self.number("connect.version", i64::from(version));
        }
        if !schema.parameters.is_empty() {
            self.out.push_str(",\"connect.parameters\":");
            list(
                &mut self.out,
                '{',
                '}',
                &schema.parameters,
                |out, (name, value)| {
                    write_string(out, name);
                    out.push(':');
                    write_string(out, value);
                },
            );
        }
        if let Some(default) = &schema.default {
            self.out.push_str(",\"connect.default\":");
            defaults::write(&mut self.out, schema, default);
        }
        if let Some(name) = name {
            self.text("connect.name", name);
        }
        match schema.kind {
            Kind::Int8 => self.text("connect.type", "int8"),
            Kind::Int16 => self.text("connect.type", "int16"),
            _ => {}
        }
        let logical = match (name, &schema.kind) {
            (Some(DECIMAL), Kind::Bytes | Kind::Fixed { .. }) => Some("decimal"),
            (Some(DATE), Kind::Int32) => Some("date"),
            (Some(TIME), Kind::Int32) => Some("time-millis"),
            (Some(TIMESTAMP), Kind::Int64) => Some("timestamp-millis"),
            _ => None,
        };
        if let Some(logical) = logical {
            self.text("logicalType", logical);
        }
        self.out.push('}');
    }

    fn text(&mut self, attribute: &str, value: &str) {
        write!(self.out, ",\"{attribute}\":").expect("a String takes what is written");
        write_string(&mut self.out, value);
    }

    fn number(&mut self, attribute: &str, value: i64) {
        write!(self.out, ",\"{attribute}\":{value}").expect("a String takes what is written");
    }
}

/// The namespace and the last part of a full name.
fn split(full: &str) -> (&str, &str) {
    full.rsplit_once('.').unwrap_or(("", full))
}

/// Whether two types are one but for taking null.
fn same(a: &Schema, b: &Schema) -> bool {
    a.kind == b.kind
        && a.name == b.name
        && a.version == b.version
        && a.doc == b.doc
        && a.parameters == b.parameters
        && a.default == b.default
}
