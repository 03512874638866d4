//! What stands behind the rows of an envelope: where the change comes from, and when it was told.
//!
//! Changes of a transaction differ in nothing of it but their LSN, rows of a snapshot in nothing at all. So it is kept as
//! it was written last, and another LSN is put in where it stands. (Counted on rows of four columns: 850 of 3,700
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

/// What a tail says, and where its LSN stands.
#[derive(Debug)]
struct Made {
    op: Op,
    source: SourceFields,
    now_us: i64,
    /// Its decimal digits, in `sequence`.
    digits: Range<usize>,
    number: Range<usize>,
}

impl Made {
    /// Whether the change's tail is the same but for the LSN.
    fn is_like(&self, change: &Change<'_>) -> bool {
        let SourceFields {
            at_us,
            snapshot,
            last_commit,
            lsn,
            txid,
            xmin,
        } = *change.source;
        (self.op, self.now_us) == (change.op, change.now_us)
            && (self.source.at_us, self.source.snapshot) == (at_us, snapshot)
            && (self.source.last_commit, self.source.txid) == (last_commit, txid)
            && self.source.xmin == xmin
            && self.source.lsn.is_some() == lsn.is_some()
    }
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
        let Some(made) = self.made.as_ref().filter(|made| made.is_like(change)) else {
            return false;
        };
        change.source.lsn.is_none_or(|lsn| {
            put_digits(&mut self.bytes[made.digits.clone()], lsn)
                && put_number(&mut self.bytes[made.number.clone()], lsn)
        })
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
        let digits_end = out.len() - SEQUENCE_END.len();
        let n_digits = source.lsn.map_or(0, n_digits);
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
        self.made = Some(Made {
            op: change.op,
            source: *source,
            now_us,
            digits: digits_end - n_digits..digits_end,
            number,
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

/// What stands behind the digits of an LSN.
const SEQUENCE_END: &[u8] = b"\"]";

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
