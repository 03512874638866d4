//! Reads dates and times of `DateStyle=ISO`.

use super::Refusal;

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(super) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A day of the proleptic Gregorian calendar. The year before 1 is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl Day {
    /// Days since 1970-01-01. Years count from March here, so that a leap day ends its year.
    pub(super) fn since_epoch(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let month = i64::from((self.month + 9) % 12);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day that many days after 1970-01-01.
    pub(super) fn at(since_epoch: i64) -> Self {
        let days = since_epoch + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let small = |n: i64| u32::try_from(n).expect("months and days are small and positive");
        Self {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month: small(month),
            day: small(day),
        }
    }
}

/// Two digits at the place.
fn two(text: &[u8], at: usize) -> Option<u32> {
    let (high, low) = (text.get(at)?, text.get(at + 1)?);
    let (high, low) = (high.wrapping_sub(b'0'), low.wrapping_sub(b'0'));
    (high <= 9 && low <= 9).then(|| u32::from(high) * 10 + u32::from(low))
}

/// Splits off the era, which stands last.
pub(super) fn era(text: &[u8]) -> (&[u8], bool) {
    match text.strip_suffix(b" BC") {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

/// A day and what stands behind it.
pub(super) fn day(text: &[u8], before_christ: bool) -> Option<(Day, &[u8])> {
    let length = text.iter().take(8).position(|byte| *byte == b'-')?;
    if length < 4 {
        return None;
    }
    let mut year: i64 = 0;
    for byte in &text[..length] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        year = year * 10 + i64::from(digit);
    }
    let rest = &text[length..];
    let (month, day) = (two(rest, 1)?, two(rest, 4)?);
    let valid = rest[3] == b'-' && (1..=12).contains(&month) && (1..=31).contains(&day);
    let year = if before_christ { 1 - year } else { year };
    valid.then_some((Day { year, month, day }, &rest[6..]))
}

/// Microseconds since midnight, up to 24:00:00, and what stands behind the time.
pub(super) fn time(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, minute, second) = (two(text, 0)?, two(text, 3)?, two(text, 6)?);
    if text[2] != b':' || text[5] != b':' || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    let mut rest = &text[8..];
    let mut micros = 0;
    if let Some((b'.', behind)) = rest.split_first() {
        let length = behind.iter().take_while(|b| b.is_ascii_digit()).count();
        if length == 0 || length > 6 {
            return None;
        }
        (_, rest) = behind.split_at(length);
        for digit in behind[..length].iter().chain(&b"000000"[length..]) {
            micros = micros * 10 + i64::from(digit - b'0');
        }
    }
    let total = seconds * MICROS_PER_SECOND + micros;
    (total <= MICROS_PER_DAY).then_some((total, rest))
}

/// Seconds east of Greenwich, of which nothing may stand behind.
pub(super) fn offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut seconds = i64::from(two(rest, 0)?) * 3600;
    match rest.len() {
        2 => {}
        5 | 8 if rest[2] == b':' => {
            seconds += i64::from(two(rest, 3)?) * 60;
            if rest.len() == 8 {
                if rest[5] != b':' {
                    return None;
                }
                seconds += i64::from(two(rest, 6)?);
            }
        }
        _ => return None,
    }
    Some(sign * seconds)
}

/// A moment as its day and the microseconds of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) day: Day,
    pub(super) micros: i64,
}

const TIMESTAMP: Refusal = Refusal::Form("a timestamp");

/// A timestamp without a zone.
pub(super) fn timestamp(text: &[u8]) -> Result<Moment, Refusal> {
    let (text, before_christ) = era(text);
    let (day, rest) = day(text, before_christ).ok_or(TIMESTAMP)?;
    let (micros, rest) = (rest.split_first())
        .and_then(|(space, rest)| (*space == b' ').then_some(rest))
        .and_then(time)
        .ok_or(TIMESTAMP)?;
    if !rest.is_empty() {
        return Err(TIMESTAMP);
    }
    Ok(Moment { day, micros })
}

/// What a timestamp with a zone is written as up to its seconds, and the digits behind them, where its text says so: our
/// sessions are at Greenwich, so that it mostly does. 24 o'clock, eras and years of five digits go another way.
pub(super) fn at_greenwich(text: &[u8]) -> Option<([u8; 19], &[u8])> {
    let (seconds, rest) = text.split_first_chunk()?;
    let mut seconds: [u8; 19] = *seconds;
    let digits = match rest.strip_suffix(b"+00")? {
        [] => &[],
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => digits,
        _ => return None,
    };
    let eight = |at: usize| seconds[at..].first_chunk();
    let in_shape = is_like(eight(0)?, *b"0000-00-")
        & is_like(eight(8)?, *b"00 00:00")
        & is_like(eight(11)?, *b"00:00:00");
    let pair = |at: usize| [seconds[at], seconds[at + 1]];
    let in_range = (*b"01"..=*b"12").contains(&pair(5))
        & (*b"01"..=*b"31").contains(&pair(8))
        & (pair(11) <= *b"23")
        & (pair(14) <= *b"59")
        & (pair(17) <= *b"59");
    seconds[10] = b'T';
    (in_shape && in_range && digits.iter().all(u8::is_ascii_digit)).then_some((seconds, digits))
}

/// Whether digits stand where the shape has a zero, and its other bytes where it has them.
fn is_like(text: &[u8; 8], shape: [u8; 8]) -> bool {
    // Added to a byte of more than nine, it sets its high bit.
    const ABOVE_NINE: u64 = 0x7676_7676_7676_7676;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let differing = u64::from_le_bytes(*text) ^ u64::from_le_bytes(shape);
    let fixed = u64::from_le_bytes(shape.map(|byte| if byte == b'0' { 0 } else { 0xff }));
    (differing | (differing & !HIGH).wrapping_add(ABOVE_NINE)) & HIGH == 0 && differing & fixed == 0
}

/// A timestamp with a zone, moved to Greenwich.
pub(super) fn zoned_timestamp(text: &[u8]) -> Result<Moment, Refusal> {
    let (text, before_christ) = era(text);
    let (day, rest) = day(text, before_christ).ok_or(TIMESTAMP)?;
    let (micros, rest) = (rest.split_first())
        .and_then(|(space, rest)| (*space == b' ').then_some(rest))
        .and_then(time)
        .ok_or(TIMESTAMP)?;
    let offset = offset(rest).ok_or(TIMESTAMP)?;
    if offset == 0 && micros < MICROS_PER_DAY {
        return Ok(Moment { day, micros });
    }
    let micros = micros - offset * MICROS_PER_SECOND;
    Ok(Moment {
        day: Day::at(day.since_epoch() + micros.div_euclid(MICROS_PER_DAY)),
        micros: micros.rem_euclid(MICROS_PER_DAY),
    })
}
