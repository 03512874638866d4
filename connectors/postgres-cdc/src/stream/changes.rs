//! Row messages as changes: counted, judged, and told.

use longshore_sdk::Fault;

use crate::emit::RowChange;
use crate::envelope::{Cell, SnapshotMark, SourceFields};
use crate::lsn::Lsn;
use crate::pgoutput::{self, Message};
use crate::work::{Filling, Shared, Work, recycle};

use super::Stream;
use super::judge::Verdict;
use super::rows::{complete, key_changed, read, read_old};

impl Stream {
    /// Tells a change; false where the batch was full before all of it was told.
    pub(super) fn row(
        &mut self,
        work: &mut Work,
        filling: &mut Filling,
        lsn: Lsn,
        message: &Message<'_>,
    ) -> Result<bool, Fault> {
        match message {
            Message::Begin(begin) => self.begin(*begin)?,
            Message::Insert { relation, new } => {
                if let Some(table) = self.count(*relation)? {
                    let mut cells = recycle(std::mem::take(&mut self.new_cells));
                    read(*new, &mut cells)?;
                    let change = RowChange::Create(&cells);
                    self.only(work, filling, lsn, &table, &cells, change)?;
                    self.new_cells = recycle(cells);
                }
            }
            Message::Update { relation, old, new } => {
                if let Some(table) = self.count(*relation)? {
                    let mut new_cells = recycle(std::mem::take(&mut self.new_cells));
                    let mut old_cells = recycle(std::mem::take(&mut self.old_cells));
                    read(*new, &mut new_cells)?;
                    read_old(*old, &table, &mut old_cells)?;
                    complete(&mut new_cells, &old_cells);
                    let old = old.map(|_| old_cells.as_slice());
                    self.updated(work, filling, lsn, &table, old, &new_cells)?;
                    self.new_cells = recycle(new_cells);
                    self.old_cells = recycle(old_cells);
                }
            }
            Message::Delete { relation, old } => {
                if let Some(table) = self.count(*relation)? {
                    let mut cells = recycle(std::mem::take(&mut self.old_cells));
                    read_old(Some(*old), &table, &mut cells)?;
                    let change = RowChange::Delete(&cells);
                    self.only(work, filling, lsn, &table, &cells, change)?;
                    self.old_cells = recycle(cells);
                }
            }
            Message::Truncate { relations } => {
                return self.truncated(work, filling, lsn, relations);
            }
            // The callers have seen to commits and relations.
            Message::Commit { .. } | Message::Relation(_) | Message::Other => {}
        }
        Ok(true)
    }

    /// A row message that was too large to take; messages of applications are nothing to us.
    pub(super) fn too_large(
        &mut self,
        work: &Work,
        filling: &mut Filling,
        lsn: Lsn,
        bytes: u64,
        head: &[u8],
    ) -> Result<(), Fault> {
        let Some((op, relation)) = pgoutput::row_of(head) else {
            return Ok(());
        };
        if let Some(table) = self.count(relation)? {
            let source = self.source(lsn);
            work.emitter
                .too_large(&mut filling.out(), &table, op, bytes, &source)?;
        }
        Ok(())
    }

    pub(super) fn source(&self, lsn: Lsn) -> SourceFields {
        let transaction = self.transaction.as_ref();
        SourceFields {
            at_us: transaction.map_or(0, |transaction| transaction.begin.committed_us),
            snapshot: SnapshotMark::False,
            last_commit: self.place.committed.map(|lsn| lsn.0),
            lsn: Some(lsn.0),
            txid: transaction.map(|transaction| i64::from(transaction.begin.xid)),
            xmin: None,
        }
    }

    /// Tells an insert or a delete, which have one row.
    fn only(
        &self,
        work: &mut Work,
        filling: &mut Filling,
        lsn: Lsn,
        table: &Shared,
        row: &[Cell<'_>],
        change: RowChange<'_>,
    ) -> Result<(), Fault> {
        if self.judge(table, None, row).new_row {
            work.emitter
                .change(&mut filling.out(), table, change, &self.source(lsn))?;
        }
        Ok(())
    }

    fn updated(
        &self,
        work: &mut Work,
        filling: &mut Filling,
        lsn: Lsn,
        table: &Shared,
        old: Option<&[Cell<'_>]>,
        new: &[Cell<'_>],
    ) -> Result<(), Fault> {
        let rekeyed = old.filter(|old| key_changed(table, old, new));
        let change = match (self.judge(table, old, new), rekeyed, old) {
            (
                Verdict {
                    old_row: true,
                    new_row: true,
                },
                Some(before),
                _,
            ) => RowChange::Rekey { before, after: new },
            (
                Verdict {
                    old_row: true,
                    new_row: true,
                },
                None,
                before,
            ) => RowChange::Update { before, after: new },
            // Under one message key the row that was read says it all.
            (
                Verdict {
                    old_row: true,
                    new_row: false,
                },
                Some(before),
                _,
            ) => RowChange::Delete(before),
            (
                Verdict {
                    old_row: false,
                    new_row: true,
                },
                _,
                _,
            ) => RowChange::Create(new),
            _ => return Ok(()),
        };
        work.emitter
            .change(&mut filling.out(), table, change, &self.source(lsn))
    }
}
