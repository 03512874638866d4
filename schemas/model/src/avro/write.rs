//! A value to bytes.

use alloc::string::String;
use alloc::vec::Vec;

use super::Mismatch;
use crate::Value;
use crate::schema::{Field, Kind, Schema};

/// Writes one datum. What stands in `out` when it fails is to be thrown away.
///
/// # Errors
/// When the value is not one of the schema.
pub fn write(schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    if let Kind::Union(branches) = &schema.kind {
        return union(schema, branches, value, out);
    }
    if *value == Value::Null {
        if !schema.optional {
            let path = String::new();
            return Err(Mismatch::Null { path });
        }
        long(out, i64::from(schema.null_last));
        return Ok(());
    }
    if schema.optional {
        long(out, i64::from(!schema.null_last));
    }
    required(schema, value, out)
}

fn required(schema: &Schema, value: &Value, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    match (&schema.kind, value) {
        (Kind::Boolean, Value::Boolean(value)) => out.push(u8::from(*value)),
        (Kind::Int8, Value::Int8(number)) => long(out, i64::from(*number)),
        (Kind::Int16, Value::Int16(number)) => long(out, i64::from(*number)),
        (Kind::Int32, Value::Int32(number)) => long(out, i64::from(*number)),
        (Kind::Int64, Value::Int64(number)) => long(out, *number),
        (Kind::Float32, Value::Float32(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Kind::Float64, Value::Float64(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Kind::String, Value::String(text)) => bytes(out, text.as_bytes()),
        (Kind::Enum { symbols, .. }, Value::String(text)) => {
            match symbols.iter().position(|symbol| symbol == text) {
                Some(symbol) => length(out, symbol),
                None => return Err(refused("one of the enum's symbols")),
            }
        }
        (Kind::Bytes, Value::Bytes(value)) => bytes(out, value),
        (Kind::Fixed { size, .. }, Value::Bytes(value)) => {
            if value.len() != *size {
                return Err(refused("of the fixed length"));
            }
            out.extend_from_slice(value);
        }
        (Kind::Array(schema), Value::Array(items)) => block(out, items, |out, item| {
            write(schema, item, out).map_err(|e| e.within("[]"))
        })?,
        (Kind::Map(entry), Value::Map(pairs)) => block(out, pairs, |out, (key, value)| {
            write(&entry.key, key, out).map_err(|e| e.within("[].key"))?;
            write(&entry.value, value, out).map_err(|e| e.within("[].value"))
        })?,
        (Kind::Struct(fields), Value::Struct(values)) => {
            if fields.len() != values.len() {
                return Err(refused("of the struct's fields"));
            }
            for (field, value) in fields.iter().zip(values) {
                write(&field.schema, value, out).map_err(|e| e.within(&field.name))?;
            }
        }
        _ => {
            return Err(Mismatch::Type {
                path: String::new(),
                expected: schema.connect_type(),
            });
        }
    }
    Ok(())
}

fn union(
    schema: &Schema,
    branches: &[Field],
    value: &Value,
    out: &mut Vec<u8>,
) -> Result<(), Mismatch> {
    let values = match value {
        Value::Null if schema.optional => {
            length(out, if schema.null_last { branches.len() } else { 0 });
            return Ok(());
        }
        Value::Struct(values) if values.len() == branches.len() => values,
        Value::Null => {
            let path = String::new();
            return Err(Mismatch::Null { path });
        }
        _ => return Err(refused("of the union's branches")),
    };
    let mut set = (0..branches.len()).filter(|branch| values[*branch] != Value::Null);
    let (Some(branch), None) = (set.next(), set.next()) else {
        return Err(refused("exactly one of the union's branches"));
    };
    length(
        out,
        branch + usize::from(schema.optional && !schema.null_last),
    );
    let Field { name, schema } = &branches[branch];
    required(schema, &values[branch], out).map_err(|e| e.within(name))
}

/// One block with all items, and the end.
fn block<T>(
    out: &mut Vec<u8>,
    items: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T) -> Result<(), Mismatch>,
) -> Result<(), Mismatch> {
    if !items.is_empty() {
        length(out, items.len());
        for item in items {
            write(out, item)?;
        }
    }
    out.push(0);
    Ok(())
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn length(out: &mut Vec<u8>, length: usize) {
    long(
        out,
        i64::try_from(length).expect("what is in memory is shorter than 2^63"),
    );
}

fn long(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

fn refused(expected: &'static str) -> Mismatch {
    Mismatch::Value {
        path: String::new(),
        expected,
    }
}
