//! Numbers in base ten: `numeric` and `money`.

use num_bigint::BigInt;

use super::{Refusal, bytes, long};

const FORM: Refusal = Refusal::Form("a decimal number");
/// More digits than PostgreSQL has for a number on both sides of its point together.
const DIGITS_MAX: usize = 150_000;

/// A number's sign and digits.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Parts<'a> {
    fn parse(text: &'a [u8]) -> Result<Self, Refusal> {
        let (negative, rest) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            _ => (false, text),
        };
        let (whole, fraction) = match memchr::memchr(b'.', rest) {
            Some(point) => (&rest[..point], &rest[point + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        if whole.len() + fraction.len() > DIGITS_MAX {
            return Err(FORM);
        }
        let mut digits = whole.iter().chain(fraction);
        if whole.is_empty() || !digits.all(u8::is_ascii_digit) {
            return Err(FORM);
        }
        Ok(Self {
            negative,
            whole,
            fraction,
        })
    }

    /// The number times ten to the power of the scale.
    fn unscaled(&self, scale: i32) -> Result<Unscaled, Refusal> {
        const LOSSY: Refusal = Refusal::Range("the scale of its column");
        let wanted = usize::try_from(scale).unwrap_or(0);
        let zeros = wanted.saturating_sub(self.fraction.len());
        let (kept, cut) = self.fraction.split_at(wanted.min(self.fraction.len()));
        let dropped = usize::try_from(scale.saturating_neg()).unwrap_or(0);
        let (whole, low) = self
            .whole
            .split_at(self.whole.len() - dropped.min(self.whole.len()));
        if low.iter().chain(cut).any(|digit| *digit != b'0') {
            return Err(LOSSY);
        }
        if zeros > DIGITS_MAX {
            return Err(FORM);
        }
        Ok(Unscaled::of(self.negative, [whole, kept], zeros))
    }
}

enum Unscaled {
    Small(i128),
    Large(BigInt),
}

impl Unscaled {
    fn of(negative: bool, digits: [&[u8]; 2], zeros: usize) -> Self {
        let length = digits[0].len() + digits[1].len() + zeros;
        if length <= 38 {
            let mut number: i128 = 0;
            for digit in digits.into_iter().flatten() {
                number = number * 10 + i128::from(digit - b'0');
            }
            for _ in 0..zeros {
                number *= 10;
            }
            return Self::Small(if negative { -number } else { number });
        }
        let mut text = Vec::with_capacity(length + 1);
        text.extend(negative.then_some(b'-'));
        text.extend(digits.into_iter().flatten());
        text.resize(text.len() + zeros, b'0');
        Self::Large(BigInt::parse_bytes(&text, 10).expect("only digits stand behind the sign"))
    }

    /// Two's complement, the highest byte first, as short as it can be.
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Small(number) => {
                let all = number.to_be_bytes();
                let sign = if *number < 0 { 0xFF } else { 0 };
                let mut start = 0;
                while start < 15 && all[start] == sign && (all[start + 1] ^ sign) < 0x80 {
                    start += 1;
                }
                bytes(out, &all[start..]);
            }
            Self::Large(number) => bytes(out, &number.to_signed_bytes_be()),
        }
    }
}

/// The word that Debezium has for NaN and the infinities.
fn special(text: &[u8]) -> Option<&'static str> {
    match text {
        b"NaN" => Some("NAN"),
        b"Infinity" => Some("POSITIVE_INFINITY"),
        b"-Infinity" => Some("NEGATIVE_INFINITY"),
        _ => None,
    }
}

fn parts(text: &[u8]) -> Result<Parts<'_>, Refusal> {
    if special(text).is_some() {
        return Err(Refusal::SpecialDecimal);
    }
    Parts::parse(text)
}

/// Connect's Decimal.
pub(super) fn decimal(text: &[u8], scale: i32, out: &mut Vec<u8>) -> Result<(), Refusal> {
    parts(text)?.unscaled(scale)?.write(out);
    Ok(())
}

/// Debezium's `VariableScaleDecimal`: the scale, then the unscaled number, without zeros at its end.
pub(super) fn variable(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let parts = parts(text)?;
    let scale = parts.fraction.iter().rposition(|digit| *digit != b'0');
    let scale = scale.map_or(0, |last| last + 1);
    let scale = i32::try_from(scale).map_err(|_| FORM)?;
    long(out, i64::from(scale));
    parts.unscaled(scale)?.write(out);
    Ok(())
}

/// A number as text: PostgreSQL's is plain already, and has the scale's digits but in a default.
pub(super) fn text(text: &[u8], scale: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    if let Some(word) = special(text) {
        bytes(out, word.as_bytes());
        return Ok(());
    }
    let digits = Parts::parse(text)?.fraction.len();
    if digits >= scale {
        bytes(out, text);
        return Ok(());
    }
    let mut padded = text.to_owned();
    padded.extend((digits == 0).then_some(b'.'));
    padded.resize(padded.len() + scale - digits, b'0');
    bytes(out, &padded);
    Ok(())
}

/// The number in a text such as `-$1,234.50`.
fn amount(text: &[u8]) -> Vec<u8> {
    let wanted = |byte: &&u8| !matches!(**byte, b'$' | b',');
    text.iter().filter(wanted).copied().collect()
}

/// Money as Connect's Decimal, rounded half up as Debezium does where there are fewer digits.
pub(super) fn money(text: &[u8], digits: i32, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let amount = amount(text);
    let parts = Parts::parse(&amount)?;
    let wanted = usize::try_from(digits).map_err(|_| FORM)?;
    let Some(rounding) = parts.fraction.get(wanted) else {
        parts.unscaled(digits)?.write(out);
        return Ok(());
    };
    let kept = [parts.whole, &parts.fraction[..wanted]];
    let up = i128::from(*rounding >= b'5');
    match Unscaled::of(false, kept, 0) {
        Unscaled::Small(number) => {
            let number = number + up;
            Unscaled::Small(if parts.negative { -number } else { number }).write(out);
            Ok(())
        }
        Unscaled::Large(_) => Err(Refusal::Range("64 bits of money")),
    }
}

/// Money as a number.
pub(super) fn money_float(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let amount = amount(text);
    Parts::parse(&amount)?;
    super::number::float64(&amount, out)
}

/// Money as text, without currency.
pub(super) fn money_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let amount = amount(text);
    Parts::parse(&amount)?;
    bytes(out, &amount);
    Ok(())
}
