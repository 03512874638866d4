//! What stands behind the rows of an envelope: where the change comes from, and when it was told.
//!
//! Changes of one kind in a transaction differ in nothing of it but their LSN, rows of a snapshot hardly in anything. So it
//! is kept as it was written last, and another LSN is put in where it stands. (Counted on rows of four columns: 850 of 3,700
//! instructions an event without that, 325 with it.)

use std::ops::Range;

use super::{Change, NULL, Op, PRESENT, Shape, SourceFields};
use crate::value::{Fields, bytes, long, zigzag};

/// The tails of one table's envelopes.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    made: Option<Made>,
}

/// What a tail says.
#[derive(Debug)]
struct Made {
    op: Op,
    /// But for its LSN.
    source: SourceFields,
    now_us: i64,
    lsn: Option<LsnPlace>,
}

/// Where an LSN stands.
#[derive(Debug)]
struct LsnPlace {
    /// Its decimal digits, in `sequence`.
    digits: Range<usize>,
    number: Range<usize>,
}

impl Tail {
    /// Appends the tail of a change's envelope, to its end.
    pub(super) fn write(&mut self, shape: &Shape, change: &Change<'_>, out: &mut Vec<u8>) {
        if !self.becomes(change) {
            self.make(shape, change);
        }
        out.extend_from_slice(&self.bytes);
    }

    /// Whether the tail is the change's now that its LSN was put in.
    fn becomes(&mut self, change: &Change<'_>) -> bool {
        let source = SourceFields {
            lsn: None,
            ..*change.source
        };
        let is_like = |made: &&Made| {
            (made.op, made.now_us, made.source) == (change.op, change.now_us, source)
        };
        let Some(made) = self.made.as_ref().filter(is_like) else {
            return false;
        };
        match (change.source.lsn, &made.lsn) {
            (None, None) => true,
            (Some(lsn), Some(place)) => {
                put_digits(&mut self.bytes[place.digits.clone()], lsn)
                    && put_number(&mut self.bytes[place.number.clone()], lsn)
            }
            _ => false,
        }
    }

    fn make(&mut self, shape: &Shape, change: &Change<'_>) {
        let Change { source, now_us, .. } = *change;
        let out = &mut self.bytes;
        out.clear();
        out.extend_from_slice(&shape.source_head);
        long(out, source.at_us.div_euclid(1000));
        // Its default stands first in the union, so null does not.
        out.push(0);
        bytes(out, source.snapshot.name().as_bytes());
        out.extend_from_slice(&shape.database);
        out.push(PRESENT);
        sequence(out, source);
        let digits_end = out.len() - b"\"]".len();
        below(out, source.at_us);
        out.extend_from_slice(&shape.source_table);
        optional_long(out, source.txid);
        let number_at = out.len() + 1;
        optional_long(out, source.lsn.map(u64::cast_signed));
        let number = number_at..out.len();
        optional_long(out, source.xmin);
        // No transaction.
        out.push(NULL);
        bytes(out, &[change.op.letter()]);
        out.push(PRESENT);
        long(out, now_us.div_euclid(1000));
        below(out, now_us);
        let lsn = source.lsn.map(|lsn| LsnPlace {
            digits: digits_end - n_digits(lsn)..digits_end,
            number,
        });
        self.made = Some(Made {
            op: change.op,
            source: SourceFields {
                lsn: None,
                ..*source
            },
            now_us,
            lsn,
        });
    }
}

/// Micro- and nanoseconds, each of which could be null.
fn below(out: &mut Vec<u8>, us: i64) {
    optional_long(out, Some(us));
    optional_long(out, Some(us.saturating_mul(1000)));
}

fn optional_long(out: &mut Vec<u8>, number: Option<i64>) {
    match number {
        None => out.push(NULL),
        Some(number) => {
            out.push(PRESENT);
            long(out, number);
        }
    }
}

/// `["LAST-COMMIT","LSN"]`, either of them `null` where it is not known.
fn sequence(out: &mut Vec<u8>, source: &SourceFields) {
    let mut text = Fields::<64>::default();
    let part = |text: &mut Fields<64>, lsn: Option<u64>| match lsn {
        None => text.raw(b"null"),
        Some(lsn) => {
            text.byte(b'"');
            text.digits(lsn);
            text.byte(b'"');
        }
    };
    text.short_text(|text| {
        text.byte(b'[');
        part(text, source.last_commit);
        text.byte(b',');
        part(text, source.lsn);
        text.byte(b']');
    });
    text.append_to(out);
}

fn n_digits(lsn: u64) -> usize {
    lsn.checked_ilog10().unwrap_or(0) as usize + 1
}

/// Whether the number has exactly so many digits.
fn put_digits(at: &mut [u8], lsn: u64) -> bool {
    let mut rest = lsn;
    for digit in at.iter_mut().rev() {
        *digit = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
    }
    rest == 0 && at.first() != Some(&b'0')
}

/// Whether the number takes exactly so many bytes.
fn put_number(at: &mut [u8], lsn: u64) -> bool {
    let mut rest = zigzag(lsn.cast_signed());
    for byte in at.iter_mut() {
        *byte = rest.to_le_bytes()[0] | 0x80;
        rest >>= 7;
    }
    let Some(last) = at.last_mut() else {
        return false;
    };
    *last &= 0x7f;
    rest == 0 && *last > 0
}
