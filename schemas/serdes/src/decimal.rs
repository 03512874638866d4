//! Decimals: an unscaled number in two's complement and a scale, to and from text.

use num_bigint::{BigInt, Sign};

/// Longest unscaled number. Conversion takes time with the square of it.
const BYTES_MAX: usize = 1024;
/// Most digits of a number, with those that its exponent adds.
const DIGITS_MAX: i64 = 2048;

/// The text of Java's `BigDecimal.toString`; `None` when the bytes are none or too many.
pub(crate) fn to_text(unscaled: &[u8], scale: i32) -> Option<String> {
    if unscaled.is_empty() || unscaled.len() > BYTES_MAX {
        return None;
    }
    let number = BigInt::from_signed_bytes_be(unscaled);
    let digits = number.magnitude().to_string();
    let count = i64::try_from(digits.len()).ok()?;
    let scale = i64::from(scale);
    let exponent = count - 1 - scale;
    let mut out = String::new();
    if number.sign() == Sign::Minus {
        out.push('-');
    }
    if scale == 0 {
        out.push_str(&digits);
    } else if scale > 0 && exponent >= -6 {
        let whole = count - scale;
        if whole > 0 {
            let (whole, fraction) = digits.split_at(usize::try_from(whole).ok()?);
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        } else {
            out.push_str("0.");
            (whole..0).for_each(|_| out.push('0'));
            out.push_str(&digits);
        }
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        if exponent != 0 {
            out.push_str(if exponent > 0 { "E+" } else { "E" });
            out.push_str(&exponent.to_string());
        }
    }
    Some(out)
}

/// The unscaled number of a JSON number at that scale; `None` when it has more places or is too long.
pub(crate) fn from_number(number: &str, scale: i32) -> Option<Vec<u8>> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let places = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let zeros = i64::from(scale).checked_sub(places)?;
    if digits.bytes().all(|b| matches!(b, b'0' | b'-')) {
        return Some(vec![0]);
    }
    if zeros >= 0 {
        let length = i64::try_from(digits.len()).ok()?;
        if length.checked_add(zeros)? > DIGITS_MAX {
            return None;
        }
        (0..zeros).for_each(|_| digits.push('0'));
    } else {
        let surplus = usize::try_from(zeros.checked_neg()?).ok()?;
        let kept = digits.len().checked_sub(surplus)?;
        if digits[kept..].bytes().any(|b| b != b'0') {
            return None;
        }
        digits.truncate(kept);
        if i64::try_from(kept).ok()? > DIGITS_MAX {
            return None;
        }
    }
    Some(digits.parse::<BigInt>().ok()?.to_signed_bytes_be())
}
