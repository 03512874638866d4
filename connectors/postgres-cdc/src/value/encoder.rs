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

fn plain(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    std::str::from_utf8(text).map_err(|_| Refusal::Text)?;
    bytes(out, text);
    Ok(())
}
