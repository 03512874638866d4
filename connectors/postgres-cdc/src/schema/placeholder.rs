//! What stands where a value is not known: Debezium's values for a required column that came without
//! one, and for a large value that the server did not send again.

use longshore_sdk::Value;
use longshore_sdk::schema::{DECIMAL, Kind, Schema};

use super::logical;
use super::mapping::Mapped;
use crate::value::Encoder;

/// The value of a required column that came without one and has no default.
pub(super) fn zero(mapped: &Mapped, money_digits: i32) -> Value {
    let name = mapped.schema.name.as_deref();
    match &mapped.schema.kind {
        Kind::Boolean => Value::Boolean(false),
        Kind::Int16 => Value::Int16(0),
        Kind::Int32 => Value::Int32(0),
        Kind::Int64 => Value::Int64(0),
        Kind::Float32 => Value::Float32(0.0),
        Kind::Float64 => Value::Float64(0.0),
        Kind::Bytes if name == Some(DECIMAL) => Value::Bytes(vec![0]),
        Kind::Bytes => Value::Bytes(Vec::new()),
        Kind::Array(_) => Value::Array(Vec::new()),
        Kind::Map(_) => Value::Map(Vec::new()),
        Kind::Struct(_) if name == Some(logical::VARIABLE_SCALE_DECIMAL) => variable(vec![0]),
        Kind::Struct(fields) => {
            // A point at the origin, as its encoder has it.
            let mut origin = Vec::new();
            let written = mapped.encoder.write(b"(0,0)", &mut origin);
            let read = written
                .ok()
                .and_then(|()| longshore_sdk::avro::read(&mapped.schema, &origin).ok());
            read.unwrap_or_else(|| Value::Struct(vec![Value::Null; fields.len()]))
        }
        _ => Value::String(zero_text(name, &mapped.encoder, money_digits)),
    }
}

fn zero_text(name: Option<&str>, encoder: &Encoder, money_digits: i32) -> String {
    let decimal = |digits: usize| format!("{:.digits$}", 0.0);
    let text = match (encoder, name) {
        (Encoder::HstoreJson, _) => "{}",
        (Encoder::DecimalText { scale }, _) => return decimal(*scale),
        (Encoder::MoneyText, _) => return decimal(usize::try_from(money_digits).unwrap_or(0)),
        (_, Some(logical::ZONED_TIMESTAMP | logical::ISO_TIMESTAMP)) => "1970-01-01T00:00:00Z",
        (_, Some(logical::ZONED_TIME | logical::ISO_TIME)) => "00:00:00Z",
        (_, Some(logical::ISO_DATE)) => "1970-01-01Z",
        (_, Some(logical::INTERVAL)) => "P0Y0M0DT0H0M0S",
        _ => "",
    };
    text.to_owned()
}

/// The stand-in for a value that was not sent again; `None` of what is never stored apart.
pub(super) fn unavailable(mapped: &Mapped, placeholder: &[u8]) -> Option<Value> {
    // Whatever bytes they are, as Java reads them.
    let word = || String::from_utf8_lossy(placeholder).into_owned();
    let text = || Value::String(word());
    let bytes = || placeholder.to_owned();
    match &mapped.schema.kind {
        Kind::String if mapped.encoder == Encoder::HstoreJson => {
            let quoted = serde_json::Value::from(word()).to_string();
            Some(Value::String(format!("{{{quoted}:{quoted}}}")))
        }
        Kind::String => Some(text()),
        Kind::Bytes => Some(Value::Bytes(bytes())),
        Kind::Map(_) => Some(Value::Map(vec![(text(), text())])),
        Kind::Array(items) => Some(Value::Array(items_unavailable(
            items,
            placeholder,
            &mapped.encoder,
        ))),
        Kind::Struct(_) if mapped.encoder == Encoder::VariableDecimal => Some(variable(bytes())),
        // A long `numeric`: no number could be told from a true one.
        Kind::Float64 => Some(Value::Float64(f64::NAN)),
        _ => None,
    }
}

/// Numbers get the placeholder's bytes, one a number; all else the placeholder as one item.
fn items_unavailable(items: &Schema, placeholder: &[u8], encoder: &Encoder) -> Vec<Value> {
    let bytes = placeholder.iter().copied().map(u8::cast_signed);
    match &items.kind {
        Kind::Int16 => bytes.map(|byte| Value::Int16(byte.into())).collect(),
        Kind::Int32 => bytes.map(|byte| Value::Int32(byte.into())).collect(),
        Kind::Int64 => bytes.map(|byte| Value::Int64(byte.into())).collect(),
        Kind::Float32 => bytes.map(|byte| Value::Float32(byte.into())).collect(),
        Kind::Float64 => bytes.map(|byte| Value::Float64(byte.into())).collect(),
        Kind::String if items.name.as_deref() == Some(logical::UUID) => {
            vec![Value::String(named_uuid(placeholder))]
        }
        _ => {
            let Encoder::Array(item) = encoder else {
                return Vec::new();
            };
            let item = Mapped {
                schema: items.clone(),
                encoder: (**item).clone(),
            };
            vec![unavailable(&item, placeholder).unwrap_or(Value::Null)]
        }
    }
}

fn variable(value: Vec<u8>) -> Value {
    Value::Struct(vec![Value::Int32(0), Value::Bytes(value)])
}

/// Java's `UUID.nameUUIDFromBytes`: version 3 without a namespace.
fn named_uuid(name: &[u8]) -> String {
    let mut digest = md5(name);
    digest[6] = digest[6] & 0x0F | 0x30;
    digest[8] = digest[8] & 0x3F | 0x80;
    let mut text = String::with_capacity(36);
    for (n, byte) in digest.iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(nibble.into(), 16));
        }
    }
    text
}

/// RFC 1321, for the one name above.
fn md5(message: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut padded = message.to_owned();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    let bits = u64::try_from(message.len()).expect("a length fits 64 bits") * 8;
    padded.extend_from_slice(&bits.to_le_bytes());
    let mut state: [u32; 4] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let words: Vec<u32> = (block.chunks_exact(4))
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect();
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64_usize {
            let (mixed, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let sum = (a.wrapping_add(mixed))
                .wrapping_add(sine(step))
                .wrapping_add(words[word]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 16];
    for (place, word) in digest.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// The constant of a step: the sine of its number, 32 bits behind the point.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sine without its sign is below 1, so the product is below 2^32"
)]
fn sine(step: usize) -> u32 {
    let angle = f64::from(u32::try_from(step + 1).expect("there are 64 steps"));
    (angle.sin().abs() * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_uuid_is_java_s() {
        // UUID.nameUUIDFromBytes("".getBytes()) and of "a": the well-known digests with their marks.
        assert_eq!(named_uuid(b""), "d41d8cd9-8f00-3204-a980-0998ecf8427e");
        assert_eq!(named_uuid(b"a"), "0cc175b9-c0f1-36a8-b1c3-99e269772661");
        let long = [b'x'; 120];
        assert_eq!(md5(&long).len(), 16);
    }
}
