//! Times as events write them.

use super::optional_long;
use crate::value::Fields;

/// A time, rendered once for all events that carry it: a commit's for those of its transaction, the present one for those
/// of a batch. Each event has both three times, and numbers of nine bytes are what it takes longest to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Milliseconds.
    ms: Fields<16>,
    /// Micro- and nanoseconds, each of which could be null.
    below: Fields<32>,
}

impl Stamp {
    /// Microseconds since 1970.
    pub(crate) fn at(us: i64) -> Self {
        let (mut ms, mut below) = (Fields::default(), Fields::default());
        ms.long(us.div_euclid(1000));
        optional_long(&mut below, Some(us));
        optional_long(&mut below, Some(us.saturating_mul(1000)));
        Self { ms, below }
    }

    pub(super) fn write_ms<const N: usize>(&self, fields: &mut Fields<N>) {
        fields.append(&self.ms);
    }

    pub(super) fn write_below<const N: usize>(&self, fields: &mut Fields<N>) {
        fields.append(&self.below);
    }
}
