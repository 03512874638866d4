//! The server: its log, its transactions, its slot. It outlives every worker.
//!
//! *Invariant*: a transaction commits at one LSN, in the order of the log, and becomes visible then or later; until it is
//! visible nobody else touches its rows.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tokio::sync::Notify;

use super::table::{Key, Row, TABLES};
use super::view::View;
use crate::seed::Random;

/// Bytes of a commit record: its end is where the next record may begin.
const COMMIT_BYTES: u64 = 48;
const START_US: i64 = 1_700_000_000_000_000;

#[derive(Debug)]
pub(super) struct Server {
    pub(super) random: Random,
    /// Where the next record begins.
    lsn: u64,
    next_xid: u64,
    /// Behind the latest transaction that ended.
    xmax: u64,
    pub(super) open: Vec<Open>,
    /// Places in `history` of what has its commit record and is not visible.
    committing: Vec<usize>,
    /// All that ever committed, in the order of the commit records.
    pub(super) history: Vec<Transaction>,
    /// What is visible.
    rows: Vec<BTreeMap<Key, Row>>,
    /// Who touched which row.
    locks: BTreeMap<(usize, Key), u64>,
    /// Also the next key of a table without an index.
    pub(super) next_version: i64,
    pub(super) slot: Option<Slot>,
    pub(super) publication: bool,
    pub(super) exported: BTreeMap<String, Rc<View>>,
    /// Changes when the server was restarted: connections from before are lost.
    pub(super) epoch: u64,
    pub(super) next_id: u32,
    /// What each stream delivered.
    pub(super) delivered: BTreeMap<u32, u64>,
    /// Longest way to the server.
    pub(super) latency_ms: u64,
    /// A call fails once in so many times; never where it is 0.
    pub(super) fails_once_in: u64,
    pub(super) changed: Rc<Notify>,
    pub(super) seen: Met,
}

/// What the capture met here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    pub(super) lost: u64,
    pub(super) restarts: u64,
    pub(super) snapshots: u64,
    pub(super) slots: u64,
    pub(super) slot_timeouts: u64,
    pub(super) confirmed: u64,
}

/// A replication slot.
#[derive(Debug)]
pub(super) struct Slot {
    /// Where its stream begins.
    pub(super) consistent: u64,
    pub(super) confirmed: u64,
    /// The highest that the host ever confirmed, told to the server or not.
    pub(super) noted: u64,
    /// The stream that reads it.
    pub(super) active: Option<u32>,
    /// Attempts that a dead worker's connection outlives.
    pub(super) lingers: u64,
    /// Its own, and what was exported since.
    pub(super) snapshots: Vec<Rc<View>>,
}

#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) xid: u64,
    pub(super) changes: Vec<Change>,
    /// What it has done to rows: none is a deleted one.
    touched: BTreeMap<(usize, Key), Option<Row>>,
}

#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) xid: u64,
    pub(super) changes: Vec<Change>,
    /// Where its commit record begins and ends.
    pub(super) commit: u64,
    pub(super) end: u64,
    pub(super) committed_us: i64,
}

/// A change of one row; one of the two is there at least.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) lsn: u64,
    pub(super) table: usize,
    pub(super) old: Option<Row>,
    pub(super) new: Option<Row>,
}

impl Server {
    pub(super) fn new(mut random: Random) -> Self {
        // Numbers of transactions wrap around in some worlds.
        let next_xid = if random.one_in(3) {
            (1 << 32) - random.within(1..60)
        } else {
            700
        };
        Self {
            random,
            lsn: 0x1_5000_0000,
            next_xid,
            xmax: next_xid,
            open: Vec::new(),
            committing: Vec::new(),
            history: Vec::new(),
            rows: vec![BTreeMap::new(); TABLES.len()],
            locks: BTreeMap::new(),
            next_version: 1,
            slot: None,
            publication: false,
            exported: BTreeMap::new(),
            epoch: 0,
            next_id: 1,
            delivered: BTreeMap::new(),
            latency_ms: 2,
            fails_once_in: 0,
            changed: Rc::default(),
            seen: Met::default(),
        }
    }

    pub(super) fn lsn(&self) -> u64 {
        self.lsn
    }

    pub(super) fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// What other databases write.
    pub(super) fn write_elsewhere(&mut self, bytes: u64) {
        self.lsn += bytes;
        self.changed.notify_waiters();
    }

    pub(super) fn begin(&mut self) -> u64 {
        let xid = self.next_xid;
        self.next_xid += 1;
        self.open.push(Open {
            xid,
            changes: Vec::new(),
            touched: BTreeMap::new(),
        });
        xid
    }

    /// A row as a transaction sees it; none where another has touched it.
    pub(super) fn look(&self, xid: u64, table: usize, key: &Key) -> Option<Option<Row>> {
        let place = (table, key.clone());
        if self.locks.get(&place).is_some_and(|by| *by != xid) {
            return None;
        }
        let open = self.open.iter().find(|open| open.xid == xid).unwrap();
        let touched = open.touched.get(&place).cloned();
        Some(touched.unwrap_or_else(|| self.rows[table].get(key).cloned()))
    }

    /// A key of a table at random, of what is visible.
    pub(super) fn some_key(&self, table: usize, random: &mut Random) -> Option<Key> {
        let rows = &self.rows[table];
        let n = usize::try_from(random.within(0..rows.len().max(1) as u64)).unwrap();
        rows.keys().nth(n).cloned()
    }

    /// A row that never was.
    pub(super) fn row(&mut self, key: Key, note: Option<String>) -> Row {
        let version = self.next_version;
        self.next_version += 1;
        Row { key, version, note }
    }

    pub(super) fn change(&mut self, xid: u64, table: usize, old: Option<Row>, new: Option<Row>) {
        // Rows of one statement can share one record.
        let lsn = self.lsn;
        self.lsn += 64 * self.random.within(0..3);
        let open = self.open.iter_mut().find(|open| open.xid == xid).unwrap();
        for row in old.iter().chain(&new) {
            let place = (table, row.key.clone());
            let stays = new.as_ref().filter(|new| new.key == row.key);
            open.touched.insert(place.clone(), stays.cloned());
            self.locks.insert(place, xid);
        }
        open.changes.push(Change {
            lsn,
            table,
            old,
            new,
        });
    }

    /// Writes the commit record; what it changed is visible at once or later.
    pub(super) fn commit(&mut self, xid: u64, visible: bool) {
        let at = self.open.iter().position(|open| open.xid == xid).unwrap();
        if self.open[at].changes.is_empty() {
            return self.abort(xid);
        }
        let open = self.open.remove(at);
        let commit = self.lsn;
        self.lsn += COMMIT_BYTES;
        self.history.push(Transaction {
            xid,
            changes: open.changes,
            commit,
            end: self.lsn,
            committed_us: START_US + i64::try_from(self.history.len()).unwrap() * 1_000,
        });
        self.committing.push(self.history.len() - 1);
        if visible {
            self.show(self.committing.len() - 1);
        }
        self.changed.notify_waiters();
    }

    pub(super) fn abort(&mut self, xid: u64) {
        self.open.retain(|open| open.xid != xid);
        self.end(xid);
    }

    /// Makes one visible that has its commit record.
    pub(super) fn show_one(&mut self) {
        if !self.committing.is_empty() {
            let n = self.random.within(0..self.committing.len() as u64);
            self.show(usize::try_from(n).unwrap());
        }
    }

    fn show(&mut self, at: usize) {
        let shown = self.committing.remove(at);
        let transaction = &self.history[shown];
        let xid = transaction.xid;
        for change in &transaction.changes {
            apply(&mut self.rows[change.table], change);
        }
        self.end(xid);
    }

    fn end(&mut self, xid: u64) {
        self.locks.retain(|_, by| *by != xid);
        self.xmax = self.xmax.max(xid + 1);
        self.changed.notify_waiters();
    }

    /// Ends all that is open.
    pub(super) fn settle(&mut self) {
        while let Some(open) = self.open.first() {
            self.commit(open.xid, true);
        }
        while !self.committing.is_empty() {
            self.show(0);
        }
    }

    /// Connections, open transactions and exported snapshots are gone.
    pub(super) fn restart(&mut self) {
        self.epoch += 1;
        self.exported.clear();
        while let Some(open) = self.open.first() {
            self.abort(open.xid);
        }
        while !self.committing.is_empty() {
            self.show(0);
        }
        if let Some(slot) = &mut self.slot {
            slot.active = None;
            slot.lingers = 0;
        }
        self.seen.restarts += 1;
    }

    pub(super) fn running(&self) -> BTreeSet<u64> {
        let committing = self.committing.iter().map(|at| self.history[*at].xid);
        let open = self.open.iter().map(|open| open.xid);
        committing.chain(open).collect()
    }

    /// What a statement sees that begins now.
    pub(super) fn view(&self) -> View {
        let running = self.running();
        View::new(
            &self.history,
            self.committing.iter().copied().collect(),
            self.xmax,
            running,
        )
    }

    /// What committed before now: a slot's own snapshot, which is made from the log.
    pub(super) fn view_of_log(&self) -> View {
        let committed = self.history.iter().map(|transaction| transaction.xid + 1);
        let xmax = committed.fold(self.xmax, u64::max);
        View::new(&self.history, BTreeSet::new(), xmax, self.running())
    }

    pub(super) fn is_streaming(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.active.is_some())
    }

    /// Whether all that committed was confirmed.
    pub(super) fn is_drained(&self) -> bool {
        let end = self.history.last().map_or(0, |transaction| transaction.end);
        self.slot.as_ref().is_some_and(|slot| slot.noted >= end)
    }
}

/// Does to rows what a change did.
pub(super) fn apply(rows: &mut BTreeMap<Key, Row>, change: &Change) {
    if let Some(old) = &change.old {
        rows.remove(&old.key);
    }
    if let Some(new) = &change.new {
        rows.insert(new.key.clone(), new.clone());
    }
}
