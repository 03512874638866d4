//! From a PostgreSQL type to a schema and its encoder.

use std::sync::Arc;

use longshore_sdk::schema::{self, Entry, Kind, Schema};

use super::logical::{self, named};
use super::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, ValueOptions};
use crate::pg_type::{PgType, TypeKind, Types};
use crate::value::{Encoder, Unit};

/// The length that Debezium has for bits without a limit.
const UNBOUNDED: i32 = i32::MAX;
/// What a `numeric`'s modifier has in front of its scale's 11 bits.
const NUMERIC_HEADER: i32 = 4;
/// The digits behind a second where the column does not say.
const FRACTION_DIGITS: i32 = 6;

/// A column's schema, required and without a default, and what encodes its values.
pub(super) struct Mapped {
    pub(super) schema: Schema,
    pub(super) encoder: Encoder,
}

impl Mapped {
    fn new(schema: Schema, encoder: Encoder) -> Self {
        Self { schema, encoder }
    }

    fn plain(kind: Kind, encoder: Encoder) -> Self {
        Self::new(Schema::new(kind), encoder)
    }

    fn named(kind: Kind, name: &str, encoder: Encoder) -> Self {
        Self::new(named(kind, name), encoder)
    }

    fn text() -> Self {
        Self::plain(Kind::String, Encoder::Text)
    }

    fn named_text(name: &str) -> Self {
        Self::named(Kind::String, name, Encoder::Text)
    }

    fn integer(kind: Kind, min: i64, max: i64) -> Self {
        Self::plain(kind, Encoder::Integer { min, max })
    }
}

/// The mapping of a type; `None` where there is none.
pub(super) fn map(
    types: &Types,
    options: &ValueOptions,
    oid: u32,
    modifier: i32,
) -> Option<Mapped> {
    let mapped = mapped(types, options, oid, modifier);
    if mapped.is_none() && options.unknown_as_text {
        return Some(Mapped::text());
    }
    mapped
}

fn mapped(types: &Types, options: &ValueOptions, oid: u32, modifier: i32) -> Option<Mapped> {
    let (pg_type, modifier) = types.beneath_domains(oid, modifier)?;
    let TypeKind::Array { element } = pg_type.kind else {
        return scalar(pg_type, modifier, options);
    };
    // An array has its items' modifier. A domain over an array may stand as an item; Connect has no
    // place for that.
    let (element, modifier) = types.beneath_domains(element, modifier)?;
    let item = scalar(element, modifier, options)?;
    let items = Arc::new(item.schema.optional());
    Some(Mapped::plain(
        Kind::Array(items),
        Encoder::Array(Box::new(item.encoder)),
    ))
}

fn scalar(pg_type: &PgType, modifier: i32, options: &ValueOptions) -> Option<Mapped> {
    match &pg_type.kind {
        TypeKind::Enum { labels } => Some(Mapped::new(
            logical::enumeration(&labels.join(",")),
            Encoder::Text,
        )),
        TypeKind::Base | TypeKind::Range => base(pg_type.known_name()?, modifier, options),
        _ => None,
    }
}

fn base(name: &str, modifier: i32, options: &ValueOptions) -> Option<Mapped> {
    Some(match name {
        "bool" => Mapped::plain(Kind::Boolean, Encoder::Boolean),
        "int2" => Mapped::integer(Kind::Int16, i16::MIN.into(), i16::MAX.into()),
        "int4" => Mapped::integer(Kind::Int32, i32::MIN.into(), i32::MAX.into()),
        "int8" => Mapped::integer(Kind::Int64, i64::MIN, i64::MAX),
        "oid" => Mapped::integer(Kind::Int64, 0, u32::MAX.into()),
        "float4" => Mapped::plain(Kind::Float32, Encoder::Float32),
        "float8" => Mapped::plain(Kind::Float64, Encoder::Float64),
        "numeric" => numeric(modifier, options.decimal),
        "money" => money(options),
        "text" | "varchar" | "bpchar" | "char" | "name" | "citext" | "inet" | "cidr"
        | "macaddr" | "macaddr8" | "int4range" | "int8range" | "numrange" | "tsrange"
        | "tstzrange" | "daterange" => Mapped::text(),
        "uuid" => Mapped::named_text(logical::UUID),
        "json" | "jsonb" => Mapped::named_text(logical::JSON),
        "xml" => Mapped::named_text(logical::XML),
        "ltree" => Mapped::named_text(logical::LTREE),
        "tsvector" => Mapped::named_text(logical::TSVECTOR),
        "bytea" => binary(options.binary),
        "bit" | "varbit" => bits(modifier),
        "date" => date(options.time),
        "time" => time(fraction_digits(modifier), options.time),
        "timestamp" => timestamp(fraction_digits(modifier), options.time),
        "timetz" => Mapped::named(Kind::String, logical::ZONED_TIME, Encoder::ZonedTime),
        "timestamptz" => {
            let digits = usize::try_from(fraction_digits(modifier)).unwrap_or(0);
            let encoder = Encoder::ZonedTimestamp { digits };
            Mapped::named(Kind::String, logical::ZONED_TIMESTAMP, encoder)
        }
        "interval" => match options.interval {
            IntervalMode::Numeric => {
                Mapped::named(Kind::Int64, logical::MICRO_DURATION, Encoder::Interval)
            }
            IntervalMode::String => {
                Mapped::named(Kind::String, logical::INTERVAL, Encoder::IntervalText)
            }
        },
        "hstore" => hstore(options.hstore),
        "point" => Mapped::new(logical::point(), Encoder::Point),
        _ => return None,
    })
}

fn numeric(modifier: i32, mode: DecimalMode) -> Mapped {
    let packed = modifier.saturating_sub(NUMERIC_HEADER);
    // 11 bits with a sign.
    let scale = ((packed & 0x7FF) ^ 1024) - 1024;
    let limited = modifier >= NUMERIC_HEADER;
    match mode {
        DecimalMode::Double => Mapped::plain(Kind::Float64, Encoder::Float64),
        DecimalMode::String => {
            let scale = if limited { scale } else { 0 };
            let scale = usize::try_from(scale).unwrap_or(0);
            Mapped::plain(Kind::String, Encoder::DecimalText { scale })
        }
        DecimalMode::Precise if limited => {
            let precision = (packed >> 16) & 0xFFFF;
            let schema = logical::decimal(scale, Some(precision));
            Mapped::new(schema, Encoder::Decimal { scale })
        }
        DecimalMode::Precise => {
            Mapped::new(logical::variable_scale_decimal(), Encoder::VariableDecimal)
        }
    }
}

fn money(options: &ValueOptions) -> Mapped {
    let digits = options.money_fraction_digits;
    match options.decimal {
        DecimalMode::Precise => {
            Mapped::new(logical::decimal(digits, None), Encoder::Money { digits })
        }
        DecimalMode::Double => Mapped::plain(Kind::Float64, Encoder::MoneyFloat),
        DecimalMode::String => Mapped::plain(Kind::String, Encoder::MoneyText),
    }
}

fn binary(mode: BinaryMode) -> Mapped {
    match mode {
        BinaryMode::Bytes => Mapped::plain(Kind::Bytes, Encoder::Bytes),
        BinaryMode::Base64 => Mapped::plain(Kind::String, Encoder::Base64 { url_safe: false }),
        BinaryMode::Base64UrlSafe => {
            Mapped::plain(Kind::String, Encoder::Base64 { url_safe: true })
        }
        BinaryMode::Hex => Mapped::plain(Kind::String, Encoder::Hex),
    }
}

fn bits(modifier: i32) -> Mapped {
    match modifier {
        1 => Mapped::plain(Kind::Boolean, Encoder::Bit),
        -1 => Mapped::new(logical::bits(UNBOUNDED), Encoder::Bits),
        length => Mapped::new(logical::bits(length), Encoder::Bits),
    }
}

fn fraction_digits(modifier: i32) -> i32 {
    if (0..=FRACTION_DIGITS).contains(&modifier) {
        modifier
    } else {
        FRACTION_DIGITS
    }
}

fn date(mode: TimeMode) -> Mapped {
    match mode {
        TimeMode::Connect => Mapped::named(Kind::Int32, schema::DATE, Encoder::Date),
        TimeMode::IsoString => Mapped::named(Kind::String, logical::ISO_DATE, Encoder::DateText),
        _ => Mapped::named(Kind::Int32, logical::DATE, Encoder::Date),
    }
}

fn time(digits: i32, mode: TimeMode) -> Mapped {
    let millis = Encoder::Time(Unit::Millis);
    match mode {
        TimeMode::Adaptive if digits <= 3 => Mapped::named(Kind::Int32, logical::TIME, millis),
        TimeMode::Connect => Mapped::named(Kind::Int32, schema::TIME, millis),
        TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds | TimeMode::Microseconds => {
            let micros = Encoder::Time(Unit::Micros);
            Mapped::named(Kind::Int64, logical::MICRO_TIME, micros)
        }
        TimeMode::Nanoseconds => {
            let nanos = Encoder::Time(Unit::Nanos);
            Mapped::named(Kind::Int64, logical::NANO_TIME, nanos)
        }
        TimeMode::IsoString => Mapped::named(Kind::String, logical::ISO_TIME, Encoder::TimeText),
    }
}

fn timestamp(digits: i32, mode: TimeMode) -> Mapped {
    let millis = Encoder::Timestamp(Unit::Millis);
    match mode {
        TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds if digits <= 3 => {
            Mapped::named(Kind::Int64, logical::TIMESTAMP, millis)
        }
        TimeMode::Connect => Mapped::named(Kind::Int64, schema::TIMESTAMP, millis),
        TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds | TimeMode::Microseconds => {
            let micros = Encoder::Timestamp(Unit::Micros);
            Mapped::named(Kind::Int64, logical::MICRO_TIMESTAMP, micros)
        }
        TimeMode::Nanoseconds => {
            let nanos = Encoder::Timestamp(Unit::Nanos);
            Mapped::named(Kind::Int64, logical::NANO_TIMESTAMP, nanos)
        }
        TimeMode::IsoString => {
            Mapped::named(Kind::String, logical::ISO_TIMESTAMP, Encoder::TimestampText)
        }
    }
}

fn hstore(mode: HstoreMode) -> Mapped {
    match mode {
        HstoreMode::Json => Mapped::named(Kind::String, logical::JSON, Encoder::HstoreJson),
        HstoreMode::Map => {
            let key = Schema::new(Kind::String);
            let value = Schema::new(Kind::String).optional();
            Mapped::plain(
                Kind::Map(Arc::new(Entry { key, value })),
                Encoder::HstoreMap,
            )
        }
    }
}
