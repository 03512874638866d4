//! Strings and floating-point numbers as Jackson writes them, byte for byte.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What JSON is written to.
pub trait JsonBuffer {
    /// Appends text.
    fn push_str(&mut self, text: &str);
}

impl JsonBuffer for String {
    fn push_str(&mut self, text: &str) {
        Self::push_str(self, text);
    }
}

impl JsonBuffer for Vec<u8> {
    fn push_str(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }
}

/// Writes a string with its quotes. Characters beyond the basic plane become two escaped halves.
pub fn write_string(out: &mut impl JsonBuffer, text: &str) {
    out.push_str("\"");
    let mut rest = text;
    while let Some(at) = first_escaped(rest.as_bytes()) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let c = from.chars().next().expect("a character begins there");
        write_escaped(out, c);
        rest = &from[c.len_utf8()..];
    }
    out.push_str(rest);
    out.push_str("\"");
}

/// Whether the bytes are text that stands in JSON as it is: ASCII that needs no escape.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    // Without a way out, the bytes are compared many at a time.
    let plain = |byte: &u8| byte.is_ascii() & !is_escaped(*byte);
    bytes.iter().fold(true, |all, byte| all & plain(byte))
}

/// Where the first character stands that is not written as it is.
fn first_escaped(text: &[u8]) -> Option<usize> {
    const CHUNK: usize = 16;
    let clean = |chunk: &&[u8]| {
        !chunk
            .iter()
            .fold(false, |any, byte| any | is_escaped(*byte))
    };
    let rest = text.chunks_exact(CHUNK).take_while(clean).count() * CHUNK;
    let found = text[rest..].iter().position(|byte| is_escaped(*byte));
    found.map(|at| rest + at)
}

/// Whether a character that begins with the byte is escaped; from 0xf0 on it is beyond the basic plane.
const fn is_escaped(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\') | (byte >= 0xf0)
}

fn write_escaped(out: &mut impl JsonBuffer, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        }
    }
}

/// Writes a number as Java's `Double.toString` since Java 19 (older ones write superfluous digits now
/// and then), or its name as a string where it is none.
pub fn write_f64(out: &mut impl JsonBuffer, number: f64) {
    if (1e-3..1e7).contains(&number.abs()) || number == 0.0 {
        out.push_str(&format!("{number:?}"));
    } else {
        write_beyond(out, &format!("{number:e}"));
    }
}

/// Writes a number as Java's `Float.toString`, or its name as a string where it is none.
pub fn write_f32(out: &mut impl JsonBuffer, number: f32) {
    if (1e-3..1e7).contains(&number.abs()) || number == 0.0 {
        out.push_str(&format!("{number:?}"));
    } else {
        write_beyond(out, &format!("{number:e}"));
    }
}

/// Writes what Java does not write with a plain decimal point.
fn write_beyond(out: &mut impl JsonBuffer, scientific: &str) {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        let name = match scientific {
            "inf" => "\"Infinity\"",
            "-inf" => "\"-Infinity\"",
            _ => "\"NaN\"",
        };
        return out.push_str(name);
    };
    out.push_str(mantissa);
    out.push_str(if mantissa.contains('.') { "E" } else { ".0E" });
    out.push_str(exponent);
}
