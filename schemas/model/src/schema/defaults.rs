//! Defaults, in the JSON that Avro and `connect.default` have for values.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::{Field, Kind, Schema};
use crate::Value;
use crate::json::{Json, write_f32, write_f64, write_string};

/// The value that the JSON stands for; `None` when it is not one of the schema.
pub(super) fn read(schema: &Schema, json: &Json<'_>) -> Option<Value> {
    if *json == Json::Null {
        return schema.optional.then_some(Value::Null);
    }
    match &schema.kind {
        Kind::Boolean => match json {
            Json::Bool(value) => Some(Value::Boolean(*value)),
            _ => None,
        },
        Kind::Int8 => i8::try_from(json.as_i64()?).ok().map(Value::Int8),
        Kind::Int16 => i16::try_from(json.as_i64()?).ok().map(Value::Int16),
        Kind::Int32 => i32::try_from(json.as_i64()?).ok().map(Value::Int32),
        Kind::Int64 => json.as_i64().map(Value::Int64),
        Kind::Float32 => float(json)?.parse().ok().map(Value::Float32),
        Kind::Float64 => float(json)?.parse().ok().map(Value::Float64),
        Kind::String => json.as_str().map(|text| Value::String(text.to_owned())),
        Kind::Enum { symbols, .. } => {
            let symbol = json.as_str()?;
            let known = symbols.iter().any(|s| s == symbol);
            known.then(|| Value::String(symbol.to_owned()))
        }
        Kind::Bytes => latin1(json.as_str()?).map(Value::Bytes),
        Kind::Fixed { size, .. } => {
            let bytes = latin1(json.as_str()?)?;
            (bytes.len() == *size).then_some(Value::Bytes(bytes))
        }
        Kind::Array(items) => {
            let values = json.as_array()?.iter().map(|item| read(items, item));
            values.collect::<Option<_>>().map(Value::Array)
        }
        Kind::Map(entry) => entries(&entry.key, &entry.value, json).map(Value::Map),
        Kind::Struct(fields) => structure(fields, json),
        Kind::Union(branches) => first_branch(branches, json),
    }
}

fn float<'j>(json: &'j Json<'_>) -> Option<&'j str> {
    match json {
        Json::Number(digits) => Some(digits),
        Json::String(name) if matches!(&**name, "NaN" | "Infinity" | "-Infinity") => Some(name),
        _ => None,
    }
}

/// The bytes whose text has a character for each.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

fn entries(key: &Schema, value: &Schema, json: &Json<'_>) -> Option<Vec<(Value, Value)>> {
    if let Json::Object(members) = json {
        let pairs = members.iter().map(|(name, member)| {
            let name = read(key, &Json::String(name.clone()))?;
            Some((name, read(value, member)?))
        });
        return pairs.collect();
    }
    let pairs = json.as_array()?.iter().map(|pair| match pair.as_array()? {
        [k, v] => Some((read(key, k)?, read(value, v)?)),
        _ => None,
    });
    pairs.collect()
}

fn structure(fields: &[Field], json: &Json<'_>) -> Option<Value> {
    json.as_object()?;
    let values = fields.iter().map(|field| match json.get(&field.name) {
        Some(member) => read(&field.schema, member),
        None => field.schema.optional.then_some(Value::Null),
    });
    values.collect::<Option<_>>().map(Value::Struct)
}

/// Avro's default of a union is a value of its first branch.
fn first_branch(branches: &[Field], json: &Json<'_>) -> Option<Value> {
    let first = read(&branches.first()?.schema, json)?;
    let mut values = Vec::from([first]);
    values.resize(branches.len(), Value::Null);
    Some(Value::Struct(values))
}

/// Writes a value of the schema.
pub(super) fn write(out: &mut String, schema: &Schema, value: &Value) {
    match (value, &schema.kind) {
        (Value::Null, _) => out.push_str("null"),
        (Value::Boolean(value), _) => display(out, value),
        (Value::Int8(number), _) => display(out, number),
        (Value::Int16(number), _) => display(out, number),
        (Value::Int32(number), _) => display(out, number),
        (Value::Int64(number), _) => display(out, number),
        (Value::Float32(number), _) => write_f32(out, *number),
        (Value::Float64(number), _) => write_f64(out, *number),
        (Value::String(text), _) => write_string(out, text),
        (Value::Bytes(bytes), _) => {
            let text: String = bytes.iter().copied().map(char::from).collect();
            write_string(out, &text);
        }
        (Value::Array(items), Kind::Array(schema)) => {
            list(out, '[', ']', items, |out, item| write(out, schema, item));
        }
        (Value::Map(pairs), Kind::Map(entry)) if entry.has_text_keys() => {
            list(out, '{', '}', pairs, |out, (key, value)| {
                write(out, &entry.key, key);
                out.push(':');
                write(out, &entry.value, value);
            });
        }
        (Value::Map(pairs), Kind::Map(entry)) => {
            list(out, '[', ']', pairs, |out, (key, value)| {
                out.push('[');
                write(out, &entry.key, key);
                out.push(',');
                write(out, &entry.value, value);
                out.push(']');
            });
        }
        (Value::Struct(values), Kind::Struct(fields)) => {
            let members = fields.iter().zip(values);
            list(out, '{', '}', members, |out, (field, value)| {
                write_string(out, &field.name);
                out.push(':');
                write(out, &field.schema, value);
            });
        }
        (Value::Struct(values), Kind::Union(branches)) => {
            let mut set = branches.iter().zip(values);
            match set.find(|(_, value)| **value != Value::Null) {
                Some((branch, value)) => write(out, &branch.schema, value),
                None => out.push_str("null"),
            }
        }
        // A default is checked where it enters the tree.
        (Value::Array(_) | Value::Map(_) | Value::Struct(_), _) => out.push_str("null"),
    }
}

fn display(out: &mut String, value: impl core::fmt::Display) {
    write!(out, "{value}").expect("a String takes what is written");
}

/// Writes items with commas between.
pub(super) fn list<T>(
    out: &mut String,
    open: char,
    close: char,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}
