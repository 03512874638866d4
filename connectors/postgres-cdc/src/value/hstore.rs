//! `hstore`, such as `"a"=>"1", "b"=>NULL`, pairs in PostgreSQL's order.

use super::array::unquote;
use super::datum::{self, made};
use super::{Refusal, bytes};

const FORM: Refusal = Refusal::Form("an hstore");

type Pairs = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn parse(text: &[u8]) -> Result<Pairs, Refusal> {
    let utf8 = std::str::from_utf8(text);
    utf8.map_err(|_| Refusal::Text)?;
    let mut pairs = Pairs::new();
    let mut rest = text;
    while !rest.is_empty() {
        if !pairs.is_empty() {
            rest = rest.strip_prefix(b", ").ok_or(FORM)?;
        }
        let mut key = Vec::new();
        rest = unquote(rest.strip_prefix(b"\"").ok_or(FORM)?, &mut key)?;
        rest = rest.strip_prefix(b"=>").ok_or(FORM)?;
        let value = match rest.strip_prefix(b"NULL") {
            Some(behind) => {
                rest = behind;
                None
            }
            None => {
                let mut value = Vec::new();
                rest = unquote(rest.strip_prefix(b"\"").ok_or(FORM)?, &mut value)?;
                Some(value)
            }
        };
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// A map of text to optional text.
pub(super) fn map(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let pairs = parse(text)?;
    if !pairs.is_empty() {
        datum::length(out, pairs.len());
        for (key, value) in &pairs {
            bytes(out, key);
            match value {
                None => out.push(0),
                Some(value) => {
                    out.push(2);
                    bytes(out, value);
                }
            }
        }
    }
    out.push(0);
    Ok(())
}

/// How many bytes escapes of JSON add at most; quotes and backslashes are escaped already.
pub(super) fn escapes(text: &[u8]) -> usize {
    const MORE: usize = "\\u0000".len() - 1;
    text.iter().filter(|byte| **byte < b' ').count() * MORE
}

/// An object of texts and nulls.
pub(super) fn json(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let pairs = parse(text)?;
    made(out, |out| {
        out.push(b'{');
        for (n, (key, value)) in pairs.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            json_string(out, key);
            out.push(b':');
            match value {
                None => out.extend_from_slice(b"null"),
                Some(value) => json_string(out, value),
            }
        }
        out.push(b'}');
    });
    Ok(())
}

/// A text in quotes, escaped as Java's Jackson does when it writes characters.
fn json_string(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push(b'"');
    for byte in text {
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            12 => b'f',
            0..=31 => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                continue;
            }
            _ => {
                out.push(*byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}
