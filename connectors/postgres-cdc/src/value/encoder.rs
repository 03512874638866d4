//! What turns one column's text into its part of the datum.

use super::{Refusal, Unit, array, binary, bytes, decimal, hstore, interval, number, point, time};

/// How a column's text becomes Avro, without the union that an optional column has around it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Encoder {
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    Float32,
    Float64,
    /// As it is.
    Text,
    Decimal {
        scale: i32,
    },
    VariableDecimal,
    DecimalText {
        scale: usize,
    },
    Money {
        digits: i32,
    },
    MoneyFloat,
    MoneyText,
    Date,
    DateText,
    Time(Unit),
    TimeText,
    ZonedTime,
    Timestamp(Unit),
    TimestampText,
    ZonedTimestamp {
        digits: usize,
    },
    Interval,
    IntervalText,
    Bytes,
    Base64 {
        url_safe: bool,
    },
    Hex,
    Bit,
    Bits,
    HstoreMap,
    HstoreJson,
    Point,
    Array(Box<Self>),
}

impl Encoder {
    /// The bytes of a value whose text is so long.
    pub(crate) const fn size(&self, text: usize) -> usize {
        match self {
            // Two digits a byte, behind two marks.
            Self::Bytes | Self::Base64 { .. } | Self::Hex => text.saturating_sub(2) / 2,
            _ => text,
        }
    }

    /// As many bytes as a value of the text takes, and hardly more.
    pub(crate) fn room(&self, text: &[u8]) -> usize {
        // A length or a branch in front of it, or a number that is no longer than its text.
        const SHORT: usize = 16;
        SHORT
            + match self {
                Self::Bytes => text.len() / 2,
                Self::Base64 { .. } => text.len() / 3 * 2,
                Self::Decimal { scale } => text.len() + decimals_room(*scale),
                Self::Point => point::BYTES,
                Self::HstoreJson => text.len() + hstore::escapes(text),
                Self::Array(item) => items_room(item, text),
                _ => text.len(),
            }
    }

    /// Appends the value. What stands in `out` when it is refused is to be thrown away.
    pub(crate) fn write(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Self::Integer { min, max } => number::integer(text, *min, *max, out),
            Self::Text => plain(text, out),
            Self::Boolean => number::boolean(text, out),
            Self::Float32 => number::float32(text, out),
            Self::Float64 => number::float64(text, out),
            Self::Decimal { scale } => decimal::decimal(text, *scale, out),
            Self::VariableDecimal => decimal::variable(text, out),
            Self::DecimalText { scale } => decimal::text(text, *scale, out),
            Self::Money { digits } => decimal::money(text, *digits, out),
            Self::MoneyFloat => decimal::money_float(text, out),
            Self::MoneyText => decimal::money_text(text, out),
            Self::Date => time::date(text, out),
            Self::DateText => time::date_text(text, out),
            Self::Time(unit) => time::time(text, *unit, out),
            Self::TimeText => time::time_text(text, out),
            Self::ZonedTime => time::zoned_time(text, out),
            Self::Timestamp(unit) => time::timestamp(text, *unit, out),
            Self::TimestampText => time::timestamp_text(text, out),
            Self::ZonedTimestamp { digits } => time::zoned_timestamp(text, *digits, out),
            Self::Interval => interval::micros(text, out),
            Self::IntervalText => interval::text(text, out),
            Self::Bytes => binary::raw(text, out),
            Self::Base64 { url_safe } => binary::base64(text, *url_safe, out),
            Self::Hex => binary::hex(text, out),
            Self::Bit => binary::bit(text, out),
            Self::Bits => binary::bits(text, out),
            Self::HstoreMap => hstore::map(text, out),
            Self::HstoreJson => hstore::json(text, out),
            Self::Point => point::write(text, out),
            Self::Array(item) => array::write(text, item, out),
        }
    }
}

/// What the items of an array take, each behind a branch: a length or a number may be longer than its text and its comma.
fn items_room(item: &Encoder, text: &[u8]) -> usize {
    /// A text that is longer than that has a length of three bytes and more.
    const LONG_BYTES: usize = 4 << 10;
    let items = memchr::memchr_iter(b',', text).count() + 1;
    match item {
        Encoder::Float32 => items * 5,
        Encoder::Float64 | Encoder::MoneyFloat => items * 9,
        Encoder::Point => items * (1 + point::BYTES),
        Encoder::VariableDecimal => items * 4 + text.len(),
        // What their texts leave out: fractions, parts that are zero, decimal places, escapes.
        Encoder::ZonedTimestamp { digits } => items * (2 + digits) + text.len(),
        Encoder::IntervalText => items * 10 + text.len(),
        Encoder::Money { digits } => items * (2 + decimals_room(*digits)) + text.len(),
        Encoder::HstoreJson => items * 2 + text.len() + hstore::escapes(text),
        Encoder::Decimal { scale } => items * (4 + decimals_room(*scale)) + text.len() / 2,
        _ => items * 2 + text.len() + text.len() / LONG_BYTES,
    }
}

/// What decimal places take that a text may leave out: two digits do not fill a byte.
fn decimals_room(scale: i32) -> usize {
    usize::try_from(scale).unwrap_or(0) / 2
}

fn plain(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    // Looked at sixteen bytes at a time.
    let is_ascii = text.iter().fold(0, |all, byte| all | byte) < 0x80;
    if !is_ascii {
        std::str::from_utf8(text).map_err(|_| Refusal::Text)?;
    }
    bytes(out, text);
    Ok(())
}
