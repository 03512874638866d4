//! `bytea`, and strings of bits.

use super::{Refusal, bytes, datum};

const FORM: Refusal = Refusal::Form("bytes in hexadecimal digits");
const BITS: Refusal = Refusal::Form("bits");

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The digits behind `\x`.
fn hex_digits(text: &[u8]) -> Result<&[u8], Refusal> {
    let digits = text.strip_prefix(b"\\x").ok_or(FORM)?;
    if digits.len() % 2 == 1 {
        return Err(FORM);
    }
    Ok(digits)
}

fn decode(digits: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    for pair in digits.chunks_exact(2) {
        let (Some(high), Some(low)) = (nibble(pair[0]), nibble(pair[1])) else {
            return Err(FORM);
        };
        out.push(high << 4 | low);
    }
    Ok(())
}

pub(super) fn raw(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let digits = hex_digits(text)?;
    datum::length(out, digits.len() / 2);
    out.reserve(digits.len() / 2);
    decode(digits, out)
}

pub(super) fn hex(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let digits = hex_digits(text)?;
    if digits.iter().any(|digit| nibble(*digit).is_none()) {
        return Err(FORM);
    }
    bytes(out, digits);
    Ok(())
}

/// With padding, in both alphabets, as Java's encoders write it.
pub(super) fn base64(text: &[u8], url_safe: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let digits = hex_digits(text)?;
    let mut raw = Vec::with_capacity(digits.len() / 2);
    decode(digits, &mut raw)?;
    datum::length(out, raw.len().div_ceil(3) * 4);
    let last = if url_safe { b"-_" } else { b"+/" };
    for group in raw.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let six = (bits >> (18 - 6 * n)) & 63;
            let six = usize::from(six.to_le_bytes()[0]);
            out.push(match six {
                _ if n > group.len() => b'=',
                62 | 63 => last[six - 62],
                _ => LETTERS[six],
            });
        }
    }
    Ok(())
}

/// `bit(1)`.
pub(super) fn bit(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    match text {
        b"1" => out.push(1),
        b"0" => out.push(0),
        _ => return Err(Refusal::Form("one bit")),
    }
    Ok(())
}

/// The last bit of the text is the first byte's lowest; bytes behind the highest bit that is set are
/// left out, as Debezium leaves them out.
pub(super) fn bits(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    if text.iter().any(|bit| !matches!(bit, b'0' | b'1')) {
        return Err(BITS);
    }
    let first = memchr::memchr(b'1', text).unwrap_or(text.len());
    let text = &text[first..];
    datum::length(out, text.len().div_ceil(8));
    for byte in text.rchunks(8) {
        out.push(byte.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0')));
    }
    Ok(())
}
