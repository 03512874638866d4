//! A JSON value as a tree.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::reader::{JsonError, Reader};

/// A JSON value. Text without escapes is borrowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(&'a str),
    /// Text.
    String(Cow<'a, str>),
    /// Values in order.
    Array(Vec<Self>),
    /// Members in order.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// Reads one JSON value.
///
/// # Errors
/// When the bytes are not one, or it is nested too deep.
pub fn parse(bytes: &[u8]) -> Result<Json<'_>, JsonError> {
    let mut reader = Reader::new(bytes)?;
    let json = value(&mut reader, 0)?;
    reader.end()?;
    Ok(json)
}

impl<'a> Json<'a> {
    /// The member of that name; the last one where there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let member = members.iter().rev().find(|(n, _)| n == name);
        member.map(|(_, value)| value)
    }

    /// The text, of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The values, of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The number, of one that is written as an integer and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// What it is, for a message.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

fn value<'a>(reader: &mut Reader<'a>, depth: usize) -> Result<Json<'a>, JsonError> {
    match reader.peek()? {
        b'{' => object(reader, depth),
        b'[' => {
            let mut items = Vec::new();
            let mut more = reader.open(b']', depth)?;
            while more {
                items.push(value(reader, depth + 1)?);
                more = reader.next_or_close(b']')?;
            }
            Ok(Json::Array(items))
        }
        b'"' => string(reader).map(Json::String),
        b't' => reader.literal("true").map(|()| Json::Bool(true)),
        b'f' => reader.literal("false").map(|()| Json::Bool(false)),
        b'n' => reader.literal("null").map(|()| Json::Null),
        _ => reader.number().map(Json::Number),
    }
}

fn object<'a>(reader: &mut Reader<'a>, depth: usize) -> Result<Json<'a>, JsonError> {
    let mut members = Vec::new();
    let mut more = reader.open(b'}', depth)?;
    while more {
        reader.peek()?;
        let name = string(reader)?;
        reader.expect(b':', "a colon")?;
        members.push((name, value(reader, depth + 1)?));
        more = reader.next_or_close(b'}')?;
    }
    Ok(Json::Object(members))
}

fn string<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, JsonError> {
    let (raw, escapes) = reader.string()?;
    Ok(if escapes {
        Cow::Owned(unescape(raw))
    } else {
        Cow::Borrowed(raw)
    })
}

/// The text of a string whose escapes are known to be right.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (plain, length) = match rest.as_bytes()[at + 1] {
            b'u' => {
                let unit = hex(&rest[at + 2..at + 6]);
                if (0xd800..0xdc00).contains(&unit) {
                    let low = hex(&rest[at + 8..at + 12]);
                    (0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12)
                } else {
                    (unit, 6)
                }
            }
            b'b' => (0x08, 2),
            b'f' => (0x0c, 2),
            b'n' => (0x0a, 2),
            b'r' => (0x0d, 2),
            b't' => (0x09, 2),
            itself => (u32::from(itself), 2),
        };
        out.push(char::from_u32(plain).expect("the reader checked the escape"));
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

fn hex(digits: &str) -> u32 {
    u32::from_str_radix(digits, 16).expect("the reader checked the digits")
}
