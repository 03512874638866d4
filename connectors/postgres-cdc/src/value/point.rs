//! `point`, such as `(1.5,-2)`.

use super::{Refusal, bytes};

const FORM: Refusal = Refusal::Form("a point");

/// Two numbers, their binary form behind its length, and a null.
pub(super) const BYTES: usize = 8 + 8 + 1 + 1 + 5 + 8 + 8 + 1;

/// Debezium's `Point`: x, y, the same as well-known binary, and no reference system.
pub(super) fn write(text: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let inner = text.strip_prefix(b"(").and_then(|t| t.strip_suffix(b")"));
    let inner = std::str::from_utf8(inner.ok_or(FORM)?).map_err(|_| FORM)?;
    let (x, y) = inner.split_once(',').ok_or(FORM)?;
    let number = |text: &str| text.parse::<f64>().map_err(|_| FORM);
    let (x, y) = (number(x)?.to_le_bytes(), number(y)?.to_le_bytes());
    out.extend_from_slice(&x);
    out.extend_from_slice(&y);
    out.push(2);
    // The byte order's mark, then the number of the kind.
    bytes(out, &[&[1, 1, 0, 0, 0], &x[..], &y[..]].concat());
    out.push(0);
    Ok(())
}
