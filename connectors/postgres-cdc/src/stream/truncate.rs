//! Truncates: one message for several tables.

use longshore_sdk::Fault;

use crate::lsn::Lsn;
use crate::ranges::Truncated;
use crate::work::{Filling, Work};

use super::Stream;

impl Stream {
    /// Each table counts as a message of its own, so that more of them than a batch holds go on in the next one.
    pub(super) fn truncated(
        &mut self,
        work: &mut Work,
        filling: &mut Filling,
        lsn: Lsn,
        relations: &[u32],
    ) -> Result<bool, Fault> {
        while let Some(relation) = relations.get(self.truncated) {
            if !filling.has_room() {
                return Ok(false);
            }
            self.truncated += 1;
            let Some(table) = self.count(*relation)? else {
                continue;
            };
            let begin = self
                .transaction
                .as_ref()
                .map(|transaction| transaction.begin);
            let xid = begin.map_or(0, |begin| begin.xid);
            let told = self.place.ranges.truncated(table.oid, xid);
            if work.emitter.skipped.truncate || told == Truncated::Seen {
                continue;
            }
            work.emitter
                .truncate(&mut filling.out(), &table, &self.source(lsn))?;
        }
        self.truncated = 0;
        Ok(true)
    }
}
