//! The slot's stream: transactions as they committed, row by row.
//!
//! Nothing of a transaction is held back. A position inside one names how many of its row messages are stored, counted
//! before any filter of ours; reading it again passes over those. The records of one message stand in one batch.
//!
//! *Invariant*: what a batch confirms is the end of a transaction that is whole in it or before it, or a keepalive that
//! came outside of any (invariant 1).

mod changes;
mod echo;
mod fault;
mod judge;
mod relation;
mod rows;
mod truncate;

use std::collections::{BTreeMap, BTreeSet};

use longshore_sdk::postgres::{Session, WalStream};
use longshore_sdk::wal::{WalFrame, WalFrames};
use longshore_sdk::{Ctx, Fault, FaultClass, Wake, Watermark};

use crate::envelope::Cell;
use crate::lsn::Lsn;
use crate::pgoutput::{Begin, Message, RelationMessage};
use crate::position::{OpenTransaction, StreamPlace};
use crate::work::{Filling, Shared, Work};

use echo::Echo;
use fault::{gone, outside, unknown};
use relation::Relation;
use rows::read;

/// Bytes of one read of the stream.
const READ_BYTES: u32 = 512 << 10;

/// The stream of a slot.
pub(crate) struct Stream {
    pub(crate) place: StreamPlace,
    wal: WalStream,
    /// For what the stream does not say of a table, and for how far the server is.
    pub(crate) asking: Session,
    /// Frames, of which those before `at` were gone through.
    buffer: Vec<u8>,
    at: usize,
    transaction: Option<Transaction>,
    relations: BTreeMap<u32, Relation>,
    /// Labels of a relation's enums that were looked up.
    labels: BTreeSet<Label>,
    /// Tables of the truncate that is being told that were.
    truncated: usize,
    new_cells: Vec<Cell<'static>>,
    old_cells: Vec<Cell<'static>>,
    /// What the last batch confirmed.
    confirmed: Lsn,
    /// The furthest that the server has said.
    heard: Lsn,
    echo: Echo,
    /// Whether the server waits for what is confirmed, so that it is stored now.
    pub(crate) is_urgent: bool,
    /// When the last transaction that was read committed.
    pub(crate) committed_us: Option<i64>,
    /// Whether it goes by another config than the present one, to the end of the open transaction.
    is_for_open_only: bool,
}

/// A relation, and a label of one of its enums.
type Label = (u32, Vec<u8>);

#[derive(Clone, Copy, Debug)]
struct Transaction {
    begin: Begin,
    /// Row messages so far.
    ordinal: u64,
    /// Row messages that are stored from an earlier reading.
    passed: u64,
}

/// What filling a batch ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The batch holds what has come, perhaps nothing.
    Batch,
    /// The transaction that was open under another config is whole: the stream starts anew under this one.
    Whole,
}

impl Stream {
    /// A stream that was started at the place; `is_for_open_only` if it ends with the open transaction.
    pub(crate) fn new(
        wal: WalStream,
        asking: Session,
        place: StreamPlace,
        is_for_open_only: bool,
    ) -> Self {
        Self {
            is_for_open_only,
            // What is stored from before may not have reached the server.
            confirmed: Lsn(0),
            heard: Lsn(0),
            place,
            wal,
            asking,
            buffer: Vec::new(),
            at: 0,
            transaction: None,
            relations: BTreeMap::new(),
            labels: BTreeSet::new(),
            truncated: 0,
            new_cells: Vec::new(),
            old_cells: Vec::new(),
            echo: Echo::default(),
            is_urgent: false,
            committed_us: None,
        }
    }

    /// Whether a transaction is being read.
    pub(crate) fn is_inside(&self) -> bool {
        self.transaction.is_some()
    }

    /// Whether something was read that has not been gone through.
    pub(crate) fn has_more(&self) -> bool {
        self.at < self.buffer.len()
    }

    /// Fills a batch with what has come; waits for the first change for at most so long.
    pub(crate) async fn fill(
        &mut self,
        ctx: &Ctx,
        work: &mut Work,
        filling: &mut Filling,
        timeout_ms: u64,
    ) -> Result<Filled, Fault> {
        let before = (self.place.confirmed, self.place.open);
        loop {
            let frames = std::mem::take(&mut self.buffer);
            let passed = self.pass(ctx, work, filling, &frames).await;
            self.buffer = frames;
            match passed {
                Ok(Filled::Whole) => return Ok(Filled::Whole),
                Ok(Filled::Batch) => {}
                // What has been filled goes out; the next call meets the fault again.
                Err(fault) if filling.batch.rows() > 0 && fault.class == FaultClass::Retriable => {
                    return Ok(Filled::Batch);
                }
                Err(fault) => return Err(fault),
            }
            let used_up = self.at == self.buffer.len();
            if !used_up
                || filling.batch.rows() > 0
                || (self.place.confirmed, self.place.open) != before
            {
                return Ok(Filled::Batch);
            }
            // What was gone through does not stand beside what comes.
            self.buffer = Vec::new();
            self.at = 0;
            let read = self.wal.read(READ_BYTES, timeout_ms).await?;
            filling.begin_now(ctx);
            let nothing_came = read.messages.is_empty();
            self.buffer = read.messages;
            if nothing_came || read.wake == Wake::Stopping {
                return Ok(Filled::Batch);
            }
        }
    }

    /// What the batch completes, where it completes more than the last one.
    pub(crate) fn watermark(&mut self) -> Option<Watermark> {
        if self.place.confirmed <= self.confirmed || self.place.confirmed > self.heard {
            return None;
        }
        self.confirmed = self.place.confirmed;
        Some(Watermark {
            stream: self.wal.id(),
            value: self.confirmed.0,
        })
    }

    /// Goes through frames until they end or the batch is full.
    async fn pass(
        &mut self,
        ctx: &Ctx,
        work: &mut Work,
        filling: &mut Filling,
        frames: &[u8],
    ) -> Result<Filled, Fault> {
        let mut rest = WalFrames::new(&frames[self.at..]);
        while filling.has_room() {
            let Some(frame) = rest.next() else {
                self.at = frames.len();
                break;
            };
            let (WalFrame::Keepalive { lsn }
            | WalFrame::Message { lsn, .. }
            | WalFrame::Large { lsn, .. }) = frame;
            self.heard = self.heard.max(Lsn(lsn));
            match frame {
                WalFrame::Message { body, .. } if !filling.has_room_for(body.len()) => break,
                WalFrame::Large { bytes, head, .. } => {
                    self.too_large(work, filling, Lsn(lsn), bytes, head)?;
                }
                WalFrame::Keepalive { lsn } => self.keepalive(Lsn(lsn), ctx.now_us()),
                WalFrame::Message { lsn, body } => {
                    let message = Message::parse(body)?;
                    if let Message::Commit { end } = message {
                        self.commit(Lsn(end));
                        self.at = frames.len() - rest.rest().len();
                        if self.is_for_open_only {
                            return Ok(Filled::Whole);
                        }
                        continue;
                    }
                    if let Message::Relation(relation) = &message {
                        self.learn(ctx, work, relation, body).await?;
                    } else if let Some(label) = self.new_label(&message)? {
                        self.learn_label(ctx, work, label).await?;
                    }
                    if !self.row(work, filling, Lsn(lsn), &message)? {
                        break;
                    }
                }
            }
            self.at = frames.len() - rest.rest().len();
        }
        Ok(Filled::Batch)
    }

    async fn learn(
        &mut self,
        ctx: &Ctx,
        work: &mut Work,
        relation: &RelationMessage<'_>,
        body: &[u8],
    ) -> Result<(), Fault> {
        let relation = Relation::learn(ctx, work, &self.asking, relation, body).await?;
        if let Some(table) = relation.captured() {
            let row_key = table.row_key.as_ref().map(|key| key.made_of.as_str());
            self.place.ranges.hold_to_key(table.oid, row_key);
        }
        self.relations.insert(relation.id(), relation);
        Ok(())
    }

    /// A label of an enum that a row brings and nobody has heard of: the server does not say when an enum has grown. Each
    /// is looked up once: one that was renamed since is never found.
    fn new_label(&self, message: &Message<'_>) -> Result<Option<Label>, Fault> {
        let (Message::Insert { relation, new } | Message::Update { relation, new, .. }) = message
        else {
            return Ok(None);
        };
        let table = self.relations.get(relation).and_then(Relation::captured);
        let Some(table) = table.filter(|table| table.has_enums()) else {
            return Ok(None);
        };
        let mut cells = Vec::new();
        read(*new, &mut cells)?;
        let label = table
            .new_label(&cells)
            .map(|label| (*relation, label.to_vec()));
        Ok(label.filter(|label| !self.labels.contains(label)))
    }

    async fn learn_label(&mut self, ctx: &Ctx, work: &mut Work, label: Label) -> Result<(), Fault> {
        let known = &self.relations[&label.0];
        if let Some(again) = known.relearn(ctx, work, &self.asking).await? {
            self.relations.insert(label.0, again);
            self.labels.insert(label);
        }
        Ok(())
    }

    fn begin(&mut self, begin: Begin) -> Result<(), Fault> {
        let commit = Lsn(begin.commit);
        let passed = match &self.place.open {
            Some(open) if open.commit == commit => open.ordinal,
            Some(open) if open.commit < commit => return Err(gone(open.commit, commit)),
            // Stored from an earlier reading.
            _ if commit < self.place.confirmed => u64::MAX,
            Some(_) => u64::MAX,
            None => 0,
        };
        self.transaction = Some(Transaction {
            begin,
            ordinal: 0,
            passed,
        });
        self.committed_us = Some(begin.committed_us);
        Ok(())
    }

    fn commit(&mut self, end: Lsn) {
        let commit = self
            .transaction
            .take()
            .map(|transaction| Lsn(transaction.begin.commit));
        // One that is sent again before the open one leaves it open.
        self.place
            .open
            .take_if(|open| commit.is_none_or(|commit| commit >= open.commit));
        self.place.confirmed = self.place.confirmed.max(end);
        self.place.committed = Some(end);
        self.place.ranges.forget_until(end);
    }

    /// The server has sent all that committed before; inside a transaction that says nothing.
    fn keepalive(&mut self, lsn: Lsn, now_us: i64) {
        self.is_urgent = self.echo.heard(lsn, now_us);
        if self.transaction.is_none() && self.place.open.is_none() {
            self.place.confirmed = self.place.confirmed.max(lsn);
        }
    }

    /// Counts a row message; answers the table where the row is to be told.
    fn count(&mut self, relation: u32) -> Result<Option<Shared>, Fault> {
        let known = self
            .relations
            .get(&relation)
            .ok_or_else(|| unknown(relation))?;
        let table = known.captured().cloned();
        let transaction = self.transaction.as_mut().ok_or_else(outside)?;
        transaction.ordinal += 1;
        if transaction.ordinal <= transaction.passed {
            return Ok(None);
        }
        let (commit, ordinal) = (Lsn(transaction.begin.commit), transaction.ordinal);
        self.place.open = Some(OpenTransaction { commit, ordinal });
        Ok(table)
    }
}
