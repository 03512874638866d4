//! Intervals of `IntervalStyle=postgres`, such as `1 year 2 mons -3 days +04:05:06.789`.

use std::io::Write;

use super::clock::MICROS_PER_SECOND;
use super::datum::{long, made};
use super::{Refusal, clock};

const FORM: Refusal = Refusal::Form("an interval");
const MICROS_PER_HOUR: i128 = 3600 * 1_000_000;
/// Of 365.25 / 12 days.
const MICROS_PER_MONTH: i128 = 2_629_800 * 1_000_000;

#[derive(Default)]
struct Interval {
    years: i64,
    months: i64,
    days: i64,
    /// Without its sign, which minutes and seconds share.
    hours: i64,
    /// Of the hour, without its sign.
    micros: i64,
    negative: bool,
}

impl Interval {
    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(text).map_err(|_| FORM)?;
        let mut interval = Self::default();
        let mut words = text.split(' ');
        let mut seen = false;
        while let Some(word) = words.next() {
            seen = true;
            if word.contains(':') {
                interval.time(word).ok_or(FORM)?;
                return match words.next() {
                    None => Ok(interval),
                    Some(_) => Err(FORM),
                };
            }
            let count: i32 = word.parse().map_err(|_| FORM)?;
            let place = match words.next() {
                Some("year" | "years") => &mut interval.years,
                Some("mon" | "mons") => &mut interval.months,
                Some("day" | "days") => &mut interval.days,
                _ => return Err(FORM),
            };
            *place = i64::from(count);
        }
        if seen { Ok(interval) } else { Err(FORM) }
    }

    /// Hours of any number of digits, then minutes and seconds.
    fn time(&mut self, word: &str) -> Option<()> {
        self.negative = word.starts_with('-');
        let word = word.strip_prefix(['-', '+']).unwrap_or(word);
        let (hours, rest) = word.split_once(':')?;
        if hours.len() < 2 || hours.len() > 10 || !hours.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.hours = hours.parse().ok()?;
        // What is left is a time after midnight.
        let mut padded = b"00:".to_vec();
        padded.extend_from_slice(rest.as_bytes());
        let (micros, behind) = clock::time(&padded)?;
        self.micros = micros;
        behind.is_empty().then_some(())
    }

    fn total_micros(&self) -> i128 {
        let time = i128::from(self.hours) * MICROS_PER_HOUR + i128::from(self.micros);
        i128::from(self.years * 12 + self.months) * MICROS_PER_MONTH
            + i128::from(self.days) * 24 * MICROS_PER_HOUR
            + if self.negative { -time } else { time }
    }
}

/// Debezium's `MicroDuration`, counted without the rounding of floating-point numbers.
pub(super) fn micros(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let total = Interval::parse(text)?.total_micros();
    let total = i64::try_from(total).map_err(|_| Refusal::Range("64 bits of microseconds"))?;
    long(out, total);
    Ok(())
}

/// Debezium's `Interval`, such as `P1Y2M-3DT4H5M6.789S`.
pub(super) fn text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let interval = Interval::parse(text)?;
    let sign = if interval.negative { -1 } else { 1 };
    let minutes = interval.micros / (60 * MICROS_PER_SECOND);
    let seconds = interval.micros / MICROS_PER_SECOND % 60;
    let fraction = interval.micros % MICROS_PER_SECOND;
    made(out, |out| {
        let Interval {
            years,
            months,
            days,
            hours,
            ..
        } = interval;
        let (hours, minutes) = (sign * hours, sign * minutes);
        let minus = if interval.negative && (seconds, fraction) != (0, 0) {
            "-"
        } else {
            ""
        };
        let head = format_args!("P{years}Y{months}M{days}DT{hours}H{minutes}M{minus}{seconds}");
        out.write_fmt(head).expect("a Vec takes what is written");
        if fraction != 0 {
            out.write_fmt(format_args!(".{fraction:06}"))
                .expect("a Vec takes what is written");
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
        out.push(b'S');
    });
    Ok(())
}
