//! A record's value as a line: text and bytes as they are (also text that came as JSON), anything
//! else as compact JSON, null as an empty line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longshore_sdk::json::{check, compact, write_f32, write_f64, write_string};
use longshore_sdk::schema::{Field, Kind, Schema};
use longshore_sdk::{Ctx, Datum, Fault, FaultClass, Value, avro};

/// Writes lines; keeps the schemas that values come with.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    schemas: HashMap<u32, Schema>,
}

impl Lines {
    /// Writes one line, or nothing where the value is bad.
    pub(crate) fn write(
        &mut self,
        ctx: &Ctx,
        out: &mut Vec<u8>,
        value: Datum<'_>,
    ) -> Result<(), Fault> {
        match value {
            Datum::Null => {}
            Datum::Bytes(bytes) => out.extend_from_slice(bytes),
            Datum::Text(text) => out.extend_from_slice(text.as_bytes()),
            Datum::Json(text) => {
                check(text.as_bytes()).map_err(|e| bad("invalid-json", e.to_string()))?;
                match string(text) {
                    Some(string) => out.extend_from_slice(string.as_bytes()),
                    None => out.extend_from_slice(compact(text).as_bytes()),
                }
            }
            Datum::Avro { schema, bytes } => {
                let schema = self.schema(ctx, schema)?;
                let value = avro::read(schema, bytes);
                let value = value.map_err(|e| bad("invalid-avro", e.to_string()))?;
                match value {
                    Value::Null => {}
                    Value::String(text) => out.extend_from_slice(text.as_bytes()),
                    Value::Bytes(bytes) => out.extend_from_slice(&bytes),
                    value => {
                        let mut json = String::new();
                        write_json(&mut json, schema, &value);
                        out.extend_from_slice(json.as_bytes());
                    }
                }
            }
        }
        out.push(b'\n');
        Ok(())
    }

    fn schema(&mut self, ctx: &Ctx, handle: u32) -> Result<&Schema, Fault> {
        match self.schemas.entry(handle) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let schema = Schema::parse(&ctx.lookup_schema(handle)?);
                let schema = schema.map_err(|e| bad("invalid-schema", e.to_string()))?;
                Ok(vacant.insert(schema))
            }
        }
    }
}

fn bad(code: &str, message: String) -> Fault {
    Fault::new(FaultClass::BadRecord, code, message)
}

/// The text of JSON that is a string: to Kafka Connect it is the string, not its JSON.
fn string(json: &str) -> Option<String> {
    let quoted = json.trim_ascii_start().starts_with('"');
    quoted.then(|| serde_json::from_str(json).ok()).flatten()
}

/// As Kafka's `JsonConverter` without schemas writes it.
fn write_json(out: &mut String, schema: &Schema, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int8(number) => out.push_str(&number.to_string()),
        Value::Int16(number) => out.push_str(&number.to_string()),
        Value::Int32(number) => out.push_str(&number.to_string()),
        Value::Int64(number) => out.push_str(&number.to_string()),
        Value::Float32(number) => write_f32(out, *number),
        Value::Float64(number) => write_f64(out, *number),
        Value::String(text) => write_string(out, text),
        Value::Bytes(bytes) => write_string(out, &STANDARD.encode(bytes)),
        Value::Array(items) => {
            let Kind::Array(schema) = &schema.kind else {
                unreachable!("a value was read by its schema");
            };
            write_list(out, '[', ']', items, |out, item| {
                write_json(out, schema, item);
            });
        }
        Value::Map(entries) => {
            let Kind::Map(schema) = &schema.kind else {
                unreachable!("a value was read by its schema");
            };
            if schema.has_text_keys() {
                write_list(out, '{', '}', entries, |out, (key, value)| {
                    write_json(out, &schema.key, key);
                    out.push(':');
                    write_json(out, &schema.value, value);
                });
            } else {
                write_list(out, '[', ']', entries, |out, (key, value)| {
                    out.push('[');
                    write_json(out, &schema.key, key);
                    out.push(',');
                    write_json(out, &schema.value, value);
                    out.push(']');
                });
            }
        }
        Value::Struct(values) => {
            let (Kind::Struct(fields) | Kind::Union(fields)) = &schema.kind else {
                unreachable!("a value was read by its schema");
            };
            let members: Vec<(&Field, &Value)> = fields.iter().zip(values).collect();
            write_list(out, '{', '}', &members, |out, (field, value)| {
                write_string(out, &field.name);
                out.push(':');
                write_json(out, &field.schema, value);
            });
        }
    }
}

fn write_list<T>(
    out: &mut String,
    open: char,
    close: char,
    items: &[T],
    mut write: impl FnMut(&mut String, &T),
) {
    out.push(open);
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use longshore_sdk::host::Host;
    use longshore_testkit::FakeHost;

    use super::*;

    fn line(value: Datum<'_>) -> Result<String, String> {
        let host = FakeHost::default();
        let mut out = Vec::new();
        let written = Lines::default().write(&host.ctx(), &mut out, value);
        written.map_err(|fault| fault.code)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn values_become_lines() {
        assert_eq!(line(Datum::Null).unwrap(), "\n");
        assert_eq!(line(Datum::Text("a b\r")).unwrap(), "a b\r\n");
        assert_eq!(line(Datum::Bytes(b"\xFF")).unwrap(), "\u{fffd}\n");
        let json = "{ \"a b\" : [ 1.0, 12345678901234567890, \"\\\" x\" ] }";
        assert_eq!(
            line(Datum::Json(json)).unwrap(),
            "{\"a b\":[1.0,12345678901234567890,\"\\\" x\"]}\n"
        );
        assert_eq!(line(Datum::Json(" \"a \\u00e9\"")).unwrap(), "a é\n");
        assert_eq!(line(Datum::Json("{")).unwrap_err(), "invalid-json");
    }

    #[test]
    fn avro_becomes_compact_json() {
        let host = FakeHost::default();
        let record = r#"{"type": "record", "name": "order", "fields": [
            {"name": "id", "type": "long"},
            {"name": "note", "type": ["null", "string"]},
            {"name": "tags", "type": {"type": "map", "values": "boolean"}},
            {"name": "raw", "type": "bytes"}
        ]}"#;
        let text = r#""string""#;
        let handles = [record, text].map(|schema| host.declare_schema(schema).unwrap());
        let mut lines = Lines::default();
        let mut write = |schema: u32, bytes: &[u8]| {
            let mut out = Vec::new();
            let written = lines.write(&host.ctx(), &mut out, Datum::Avro { schema, bytes });
            written
                .map(|()| String::from_utf8(out).unwrap())
                .map_err(|fault| fault.code)
        };
        let datum = b"\x54\x02\x04hi\x02\x02k\x01\x00\x04\x00\xFF";
        assert_eq!(
            write(handles[0], datum).unwrap(),
            "{\"id\":42,\"note\":\"hi\",\"tags\":{\"k\":true},\"raw\":\"AP8=\"}\n"
        );
        assert_eq!(write(handles[1], b"\x04hi").unwrap(), "hi\n");
        assert_eq!(write(handles[0], &datum[1..]).unwrap_err(), "invalid-avro");
    }
}
