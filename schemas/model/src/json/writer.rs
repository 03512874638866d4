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
    let (chunks, rest) = bytes.as_chunks::<CHUNK>();
    chunks.iter().all(is_plain_chunk)
        && match bytes.last_chunk() {
            // What is left over, with some that was looked at.
            Some(last) => is_plain_chunk(last),
            None => rest.iter().all(|byte| is_plain_byte(*byte)),
        }
}

/// Writes a text of at most 64 characters, all of them ASCII and none of them a control character below the space, with
/// its quotes; false, and nothing is written, where it is another. It takes a third of the time of [`write_string`], which copies what stands between escapes.
#[must_use]
pub fn write_short(out: &mut Vec<u8>, text: &[u8]) -> bool {
    const LENGTH_MAX: usize = 64;
    if text.len() > LENGTH_MAX {
        return false;
    }
    let mut written = [b'"'; 2 * LENGTH_MAX + 2];
    let mut at = 1;
    for byte in text {
        if !(b' '..0x80).contains(byte) {
            return false;
        }
        // Overwritten unless it is needed.
        written[at] = b'\\';
        at += usize::from(!is_plain_byte(*byte));
        written[at] = *byte;
        at += 1;
    }
    written[at] = b'"';
    out.extend_from_slice(&written[..=at]);
    true
}

/// Bytes that are looked at together.
const CHUNK: usize = 16;

#[inline]
fn is_plain_chunk(chunk: &[u8; CHUNK]) -> bool {
    // Without a way out, so that they are compared at once.
    chunk
        .iter()
        .fold(true, |all, byte| all & is_plain_byte(*byte))
}

const fn is_plain_byte(byte: u8) -> bool {
    // Signed, what is not ASCII is less than a space.
    (byte.cast_signed() >= b' '.cast_signed()) & (byte != b'"') & (byte != b'\\')
}

/// Where the first character stands that is not written as it is.
fn first_escaped(text: &[u8]) -> Option<usize> {
    // Escapes come in swarms or not at all.
    let (near, far) = text.split_at(text.len().min(CHUNK));
    if let Some(at) = near.iter().position(|byte| is_escaped(*byte)) {
        return Some(at);
    }
    let (chunks, _) = far.as_chunks::<CHUNK>();
    let has_none = |chunk: &&[u8; CHUNK]| {
        !chunk
            .iter()
            .fold(false, |any, byte| any | is_escaped(*byte))
    };
    let clean = near.len() + CHUNK * chunks.iter().take_while(has_none).count();
    let found = text[clean..].iter().position(|byte| is_escaped(*byte));
    found.map(|at| clean + at)
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
