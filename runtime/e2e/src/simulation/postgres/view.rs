//! What a snapshot of the server sees.

use std::collections::{BTreeMap, BTreeSet};

use super::server::{Transaction, apply};
use super::table::{Key, Row, TABLES};

pub(super) struct View {
    /// Transactions of the history that had their commit record.
    transactions: usize,
    /// Those of them that it does not see.
    unseen: BTreeSet<usize>,
    rows: Vec<BTreeMap<Key, Row>>,
    pub(super) xmax: u64,
    running: BTreeSet<u64>,
}

impl View {
    pub(super) fn new(
        history: &[Transaction],
        unseen: BTreeSet<usize>,
        xmax: u64,
        running: BTreeSet<u64>,
    ) -> Self {
        let mut rows = vec![BTreeMap::new(); TABLES.len()];
        let seen = history
            .iter()
            .enumerate()
            .filter(|(at, _)| !unseen.contains(at));
        for change in seen.flat_map(|(_, transaction)| &transaction.changes) {
            apply(&mut rows[change.table], change);
        }
        Self {
            transactions: history.len(),
            unseen,
            rows,
            xmax,
            running,
        }
    }

    pub(super) fn sees(&self, at: usize) -> bool {
        at < self.transactions && !self.unseen.contains(&at)
    }

    pub(super) fn rows(&self, table: usize) -> &BTreeMap<Key, Row> {
        &self.rows[table]
    }

    /// As `txid_current_snapshot()` says it.
    pub(super) fn text(&self) -> String {
        let running = self.running.iter().filter(|xid| **xid < self.xmax);
        let running: Vec<_> = running.map(u64::to_string).collect();
        let xmin = self.running.first().map_or(self.xmax, |xid| *xid);
        let xmin = xmin.min(self.xmax);
        format!("{xmin}:{}:{}", self.xmax, running.join(","))
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}
