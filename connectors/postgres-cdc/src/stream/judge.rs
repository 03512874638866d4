//! Which sides of a change a snapshot has told already.

use crate::envelope::Cell;
use crate::work::Shared;

use super::Stream;

/// Which rows of a change are to be told. An insert and a delete have one row only, the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) old_row: bool,
    pub(super) new_row: bool,
}

impl Stream {
    /// A row is told already exactly if the snapshot that delivered it saw the transaction. A change of the row's key
    /// counts as a delete and a create.
    pub(super) fn judge(
        &self,
        table: &Shared,
        old: Option<&[Cell<'_>]>,
        new: &[Cell<'_>],
    ) -> Verdict {
        if self.place.ranges.is_trivial() {
            return Verdict {
                old_row: true,
                new_row: true,
            };
        }
        let new_row = self.is_news(table, new);
        let rows_differ = |old: &&[Cell<'_>]| {
            let key = table.row_key.as_ref();
            key.is_some_and(|key| key.of(old).is_some() && key.of(old) != key.of(new))
        };
        let old_row = old
            .filter(rows_differ)
            .map_or(new_row, |old| self.is_news(table, old));
        Verdict { old_row, new_row }
    }

    fn is_news(&self, table: &Shared, row: &[Cell<'_>]) -> bool {
        let ranges = &self.place.ranges;
        let seen = match &table.row_key {
            Some(row_key) => {
                let key = row_key.of(row);
                ranges.seen(table.oid, &row_key.orders, key.as_deref())
            }
            None => ranges.seen::<&str>(table.oid, &[], None),
        };
        let transaction = self.transaction.as_ref();
        !transaction
            .is_some_and(|transaction| seen.is_some_and(|seen| seen.saw(transaction.begin.xid)))
    }
}
