//! Dates and times to the numbers and texts that Debezium has for them.

use super::Refusal;
use super::clock::{self, Day, MICROS_PER_DAY, MICROS_PER_SECOND, Moment};
use super::datum::{Fields, bytes, long};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Millis,
    Micros,
    Nanos,
}

/// The driver's constants for the infinities, in microseconds.
const INFINITY_MICROS: i64 = 9_223_372_036_825_200_000;
const MINUS_INFINITY_MICROS: i64 = -9_223_372_036_832_400_000;
/// The days that Debezium has for them: -5877611-06-21 and -5877611-06-22.
const INFINITY_DAY: Day = Day {
    year: -5_877_611,
    month: 6,
    day: 21,
};
const MINUS_INFINITY_DAY: Day = Day {
    day: 22,
    ..INFINITY_DAY
};

const DATE: Refusal = Refusal::Form("a date");
const TIME: Refusal = Refusal::Form("a time");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Infinity {
    Plus,
    Minus,
}

fn infinity(text: &[u8]) -> Option<Infinity> {
    match text {
        b"infinity" => Some(Infinity::Plus),
        b"-infinity" => Some(Infinity::Minus),
        _ => None,
    }
}

fn parse_date(text: &[u8]) -> Result<Day, Refusal> {
    let (text, before_christ) = clock::era(text);
    match clock::day(text, before_christ) {
        Some((day, [])) => Ok(day),
        _ => Err(DATE),
    }
}

/// Days since 1970.
pub(super) fn date(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let day = match infinity(text) {
        Some(Infinity::Plus) => INFINITY_DAY,
        Some(Infinity::Minus) => MINUS_INFINITY_DAY,
        None => parse_date(text)?,
    };
    let days = i32::try_from(day.since_epoch()).map_err(|_| Refusal::Range("32 bits of days"))?;
    long(out, i64::from(days));
    Ok(())
}

/// `2026-01-02Z`.
pub(super) fn date_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    if infinity(text).is_some() {
        bytes(out, text);
        return Ok(());
    }
    let day = parse_date(text)?;
    short_text(out, |text| write_day(text, day));
    Ok(())
}

fn parse_time(text: &[u8]) -> Result<i64, Refusal> {
    match clock::time(text) {
        Some((micros, [])) => Ok(micros),
        _ => Err(TIME),
    }
}

/// Units since midnight. What is finer than the unit is cut off, as the mapping says.
pub(super) fn time(text: &[u8], unit: Unit, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let micros = parse_time(text)?;
    long(
        out,
        match unit {
            Unit::Millis => micros / 1000,
            Unit::Micros => micros,
            Unit::Nanos => micros * 1000,
        },
    );
    Ok(())
}

/// `03:04:05.678Z`, and `24:00:00Z` for what it is.
pub(super) fn time_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let micros = parse_time(text)?;
    short_text(out, |text| write_time(text, micros, None));
    Ok(())
}

/// The same at Greenwich. The day that a shift leads to is lost, as in Debezium.
pub(super) fn zoned_time(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let (local, rest) = clock::time(text).ok_or(TIME)?;
    let offset = clock::offset(rest).ok_or(TIME)?;
    let micros = match offset {
        0 => local,
        _ => (local - offset * MICROS_PER_SECOND).rem_euclid(MICROS_PER_DAY),
    };
    short_text(out, |text| write_time(text, micros, None));
    Ok(())
}

/// Units since 1970, as if at Greenwich.
pub(super) fn timestamp(text: &[u8], unit: Unit, out: &mut Vec<u8>) -> Result<(), Refusal> {
    const RANGE: Refusal = Refusal::Range("64 bits at its precision");
    let number = match (infinity(text), unit) {
        (Some(Infinity::Plus), Unit::Millis) => INFINITY_MICROS / 1000,
        (Some(Infinity::Plus), Unit::Micros) => INFINITY_MICROS,
        (Some(Infinity::Plus), Unit::Nanos) => i64::MAX,
        (Some(Infinity::Minus), Unit::Millis) => MINUS_INFINITY_MICROS / 1000,
        (Some(Infinity::Minus), Unit::Micros) => MINUS_INFINITY_MICROS,
        (Some(Infinity::Minus), Unit::Nanos) => i64::MIN,
        (None, unit) => {
            let moment = clock::timestamp(text)?;
            let (per_day, in_day) = match unit {
                Unit::Millis => (MICROS_PER_DAY / 1000, moment.micros / 1000),
                Unit::Micros => (MICROS_PER_DAY, moment.micros),
                Unit::Nanos => (MICROS_PER_DAY * 1000, moment.micros * 1000),
            };
            let total = i128::from(moment.day.since_epoch()) * i128::from(per_day);
            i64::try_from(total + i128::from(in_day)).map_err(|_| RANGE)?
        }
    };
    long(out, number);
    Ok(())
}

/// `2026-01-02T03:04:05.678Z`.
pub(super) fn timestamp_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    if infinity(text).is_some() {
        bytes(out, text);
        return Ok(());
    }
    let moment = clock::timestamp(text)?;
    write_moment(out, moment, None);
    Ok(())
}

/// The same at Greenwich, with so many digits behind the second, or none where that is 0.
pub(super) fn zoned_timestamp(
    text: &[u8],
    digits: usize,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    if infinity(text).is_some() {
        bytes(out, text);
        return Ok(());
    }
    match clock::at_greenwich(text) {
        Some((seconds, fraction)) if fraction.len() <= digits => short_text(out, |text| {
            text.raw(&seconds);
            if digits > 0 {
                text.byte(b'.');
            }
            match fraction.as_array::<6>() {
                // The most common, and moved at once.
                Some(micros) => text.raw(micros),
                None => {
                    for at in 0..digits {
                        text.byte(fraction.get(at).copied().unwrap_or(b'0'));
                    }
                }
            }
        }),
        _ => {
            let moment = clock::zoned_timestamp(text)?;
            write_moment(out, moment, (digits > 0).then_some(digits));
        }
    }
    Ok(())
}

type Text = Fields<40>;

/// A text at Greenwich. The longest is `+294276-12-31T23:59:59.999999Z`.
fn short_text(out: &mut Vec<u8>, make: impl FnOnce(&mut Text)) {
    let mut text = Text::default();
    text.short_text(|text| {
        make(text);
        text.byte(b'Z');
    });
    text.append_to(out);
}

fn write_moment(out: &mut Vec<u8>, moment: Moment, digits: Option<usize>) {
    short_text(out, |text| {
        write_day(text, moment.day);
        text.byte(b'T');
        write_time(text, moment.micros, digits);
    });
}

/// As Java's `ISO_LOCAL_DATE`: a year of more than four digits has a sign.
fn write_day(text: &mut Text, day: Day) {
    let year = day.year.unsigned_abs();
    if day.year < 0 {
        text.byte(b'-');
    } else if year > 9999 {
        text.byte(b'+');
    }
    match u32::try_from(year) {
        Ok(year) if year <= 9999 => text.padded::<4>(year),
        _ => text.digits(year),
    }
    text.byte(b'-');
    text.padded::<2>(day.month);
    text.byte(b'-');
    text.padded::<2>(day.day);
}

/// With exactly so many digits behind the second, or as many as it takes.
fn write_time(text: &mut Text, micros: i64, digits: Option<usize>) {
    let small = |n: i64| u32::try_from(n).expect("a part of a day is small and positive");
    let seconds = small(micros / MICROS_PER_SECOND);
    let fraction = small(micros % MICROS_PER_SECOND);
    text.padded::<2>(seconds / 3600);
    text.byte(b':');
    text.padded::<2>(seconds / 60 % 60);
    text.byte(b':');
    text.padded::<2>(seconds % 60);
    if digits.is_none() && fraction == 0 {
        return;
    }
    text.byte(b'.');
    text.padded::<6>(fraction);
    match digits {
        Some(digits) => text.shorten(6_usize.saturating_sub(digits)),
        None => text.trim(b'0'),
    }
}
