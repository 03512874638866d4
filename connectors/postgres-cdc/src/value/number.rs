//! Booleans, integers and floating-point numbers.

use super::{Refusal, long};

pub(super) fn boolean(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    match text {
        b"t" => out.push(1),
        b"f" => out.push(0),
        _ => return Err(Refusal::Form("a boolean")),
    }
    Ok(())
}

pub(super) fn integer(text: &[u8], min: i64, max: i64, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let number = parse(text).ok_or(Refusal::Form("an integer"))?;
    if number < min || number > max {
        return Err(Refusal::Range("its integer type"));
    }
    long(out, number);
    Ok(())
}

/// The number; `None` of what is none, or does not fit.
fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number: i64 = 0;
    if digits.len() <= 18 {
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + i64::from(digit);
        }
        return Some(if negative { -number } else { number });
    }
    // Downwards, where there is room for the least number.
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative {
        Some(number)
    } else {
        number.checked_neg()
    }
}

pub(super) fn float32(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let number: f32 = float(text)?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

pub(super) fn float64(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let number: f64 = float(text)?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

/// NaN and the infinities among them: Rust has PostgreSQL's words for them.
fn float<F: std::str::FromStr>(text: &[u8]) -> Result<F, Refusal> {
    let number = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
    number.ok_or(Refusal::Form("a floating-point number"))
}
