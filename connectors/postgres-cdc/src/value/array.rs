//! Arrays, such as `{1,NULL,"a \"b\""}` or `[0:1]={7,8}`.

use super::{Encoder, Refusal, datum};

const FORM: Refusal = Refusal::Form("an array");
/// The number of the value's branch in an optional item, null being the first.
const PRESENT: u8 = 2;

/// Writes the items; each is optional.
pub(super) fn write(text: &[u8], item: &Encoder, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let inner = inner(text)?;
    let count = count(inner)?;
    if count > 0 {
        datum::length(out, count);
        let mut scratch = Vec::new();
        let mut rest = inner;
        for _ in 0..count {
            rest = write_item(rest, item, &mut scratch, out)?;
        }
    }
    out.push(0);
    Ok(())
}

/// What stands between the braces. Where the items start to count is not kept: Connect's arrays have
/// no bounds.
fn inner(text: &[u8]) -> Result<&[u8], Refusal> {
    let text = match text.first() {
        Some(b'[') => {
            let end = memchr::memchr(b'=', text).ok_or(FORM)?;
            if memchr::memchr(b'[', &text[1..end]).is_some() {
                return Err(Refusal::Dimensions);
            }
            &text[end + 1..]
        }
        _ => text,
    };
    match text {
        [b'{', inner @ .., b'}'] => Ok(inner),
        _ => Err(FORM),
    }
}

/// The number of items.
fn count(inner: &[u8]) -> Result<usize, Refusal> {
    if inner.is_empty() {
        return Ok(0);
    }
    let (mut count, mut quoted, mut at) = (1, false, 0);
    while at < inner.len() {
        match inner[at] {
            b'\\' => at += 1,
            b'"' => quoted = !quoted,
            b',' if !quoted => count += 1,
            b'{' if !quoted => return Err(Refusal::Dimensions),
            b'}' if !quoted => return Err(FORM),
            _ => {}
        }
        at += 1;
    }
    if quoted {
        return Err(FORM);
    }
    Ok(count)
}

/// Writes one item, and gives what stands behind it and its comma.
fn write_item<'t>(
    text: &'t [u8],
    item: &Encoder,
    scratch: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<&'t [u8], Refusal> {
    let rest = if text.first() == Some(&b'"') {
        scratch.clear();
        let rest = unquote(&text[1..], scratch)?;
        out.push(PRESENT);
        item.write(scratch, out)?;
        rest
    } else {
        let end = memchr::memchr(b',', text).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        match value {
            b"" => return Err(FORM),
            b"NULL" => out.push(0),
            _ if memchr::memchr2(b'"', b'\\', value).is_some() => return Err(FORM),
            _ => {
                out.push(PRESENT);
                item.write(value, out)?;
            }
        }
        rest
    };
    match rest {
        [] => Ok(rest),
        [b',', rest @ ..] => Ok(rest),
        _ => Err(FORM),
    }
}

/// The text up to the closing quote, without backslashes; what stands behind the quote.
pub(super) fn unquote<'t>(text: &'t [u8], to: &mut Vec<u8>) -> Result<&'t [u8], Refusal> {
    let mut rest = text;
    loop {
        let at = memchr::memchr2(b'"', b'\\', rest).ok_or(FORM)?;
        to.extend_from_slice(&rest[..at]);
        if rest[at] == b'"' {
            return Ok(&rest[at + 1..]);
        }
        let escaped = rest.get(at + 1).ok_or(FORM)?;
        to.push(*escaped);
        rest = &rest[at + 2..];
    }
}
