//! Bytes to a value.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::Malformed;
use super::cursor::Cursor;
use crate::Value;
use crate::schema::{Field, Kind, Schema};

/// Reads one datum.
///
/// # Errors
/// When the bytes are not exactly one datum of the schema.
pub fn read(schema: &Schema, bytes: &[u8]) -> Result<Value, Malformed> {
    let mut cursor = Cursor::new(bytes);
    let value = value(&mut cursor, schema)?;
    cursor.end()?;
    Ok(value)
}

fn value(cursor: &mut Cursor<'_>, schema: &Schema) -> Result<Value, Malformed> {
    cursor.spend(1)?;
    if let Kind::Union(branches) = &schema.kind {
        return union(cursor, schema, branches);
    }
    if schema.optional {
        let null = usize::from(schema.null_last);
        if cursor.choice(2)? == null {
            return Ok(Value::Null);
        }
    }
    required(cursor, schema)
}

/// A value that stands there for certain: the choice of a union is behind the cursor.
fn required(cursor: &mut Cursor<'_>, schema: &Schema) -> Result<Value, Malformed> {
    Ok(match &schema.kind {
        Kind::Boolean => Value::Boolean(cursor.boolean()?),
        Kind::Int8 => Value::Int8(cursor.narrow()?),
        Kind::Int16 => Value::Int16(cursor.narrow()?),
        Kind::Int32 => Value::Int32(cursor.narrow()?),
        Kind::Int64 => Value::Int64(cursor.long()?),
        Kind::Float32 => Value::Float32(f32::from_le_bytes(cursor.array()?)),
        Kind::Float64 => Value::Float64(f64::from_le_bytes(cursor.array()?)),
        Kind::String => Value::String(cursor.text()?.to_owned()),
        Kind::Enum { symbols, .. } => {
            let symbol = cursor.choice(symbols.len())?;
            Value::String(symbols[symbol].clone())
        }
        Kind::Bytes => Value::Bytes(cursor.bytes()?.to_owned()),
        Kind::Fixed { size, .. } => Value::Bytes(cursor.take(*size)?.to_owned()),
        Kind::Array(items) => Value::Array(blocks(cursor, |cursor| value(cursor, items))?),
        Kind::Map(entry) => Value::Map(blocks(cursor, |cursor| {
            let key = value(cursor, &entry.key)?;
            Ok((key, value(cursor, &entry.value)?))
        })?),
        Kind::Struct(fields) => {
            let values = fields.iter().map(|field| value(cursor, &field.schema));
            Value::Struct(values.collect::<Result<_, _>>()?)
        }
        Kind::Union(branches) => union(cursor, schema, branches)?,
    })
}

fn union(cursor: &mut Cursor<'_>, schema: &Schema, branches: &[Field]) -> Result<Value, Malformed> {
    let choice = cursor.choice(branches.len() + usize::from(schema.optional))?;
    let null = if schema.null_last { branches.len() } else { 0 };
    if schema.optional && choice == null {
        return Ok(Value::Null);
    }
    let branch = choice - usize::from(schema.optional && !schema.null_last);
    cursor.spend(branches.len())?;
    let mut values = Vec::new();
    values.resize(branches.len(), Value::Null);
    values[branch] = required(cursor, &branches[branch].schema)?;
    Ok(Value::Struct(values))
}

fn blocks<'a, T>(
    cursor: &mut Cursor<'a>,
    mut item: impl FnMut(&mut Cursor<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut items = Vec::new();
    loop {
        let count = cursor.block()?;
        if count == 0 {
            return Ok(items);
        }
        items.reserve(count.min(cursor.left()));
        for _ in 0..count {
            items.push(item(cursor)?);
        }
    }
}
