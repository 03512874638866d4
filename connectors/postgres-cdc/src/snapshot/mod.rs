//! The tables as one snapshot shows them.
//!
//! Several sessions read in the same snapshot, one table each, and their rows go out table by table: what is read ahead
//! waits in the host. A position names the last row that went out, so that reading goes on behind it; where a table's
//! order is the server's secret, it is read whole again.
//!
//! *Invariant*: every row that the snapshot shows goes out once under it, and a range is never ahead of its rows.

mod reader;

use std::collections::VecDeque;

use longshore_sdk::postgres::{CreatedSlot, Replication, Session, quote_literal};
use longshore_sdk::{Ctx, Fault, FaultClass, Wake};

use crate::catalog::{self, Descriptions, Table};
use crate::envelope::{SnapshotMark, SourceFields};
use crate::lsn::Lsn;
use crate::position::SnapshotPlace;
use crate::ranges::{At, KeyMark, Mark, Seen};
use crate::select::TableName;
use crate::work::{DESCRIBED_AT_ONCE, Filling, Work};

use reader::{Next, Reader};

/// A snapshot being read.
pub(crate) struct Snapshot {
    pub(crate) place: SnapshotPlace,
    /// What the snapshot saw; none for the slot's own.
    seen: Option<Seen>,
    source: SourceFields,
    /// Begun, in the order in which they go out.
    readers: VecDeque<Reader>,
    waiting: VecDeque<Table>,
    /// What the snapshot says of the tables that come next.
    described: Descriptions,
    /// Empty ones behind a table whose last row has not gone out.
    passed: Vec<u32>,
    /// What ended it, where rows went out first.
    fault: Option<Fault>,
    idle: Vec<Session>,
    /// Behind which key the first table goes on.
    behind: Option<KeyMark>,
    is_first: bool,
    pub(crate) progress: Progress,
    /// For how far the server is meanwhile, as long as it answers.
    pub(crate) asking: Option<Session>,
    /// Exports the slot's snapshot for as long as sessions may still join it.
    _exporter: Option<Replication>,
}

/// How far a snapshot is, for people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) table: Option<TableName>,
    pub(crate) tables: usize,
    pub(crate) tables_done: usize,
    pub(crate) rows: u64,
    pub(crate) rows_estimated: u64,
    pub(crate) since_us: i64,
}

/// What filling a batch ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// The batch is full, or nothing comes right now.
    Batch,
    /// The host has something to say.
    Woken,
    /// Everything went out.
    Finished,
}

impl Snapshot {
    /// The snapshot that came with the slot.
    pub(crate) async fn begin(
        ctx: &Ctx,
        work: &Work,
        version: u32,
        created: &CreatedSlot,
        exporter: Replication,
    ) -> Result<Self, Fault> {
        let name = created.snapshot.as_deref().ok_or_else(no_snapshot)?;
        let sessions = join(ctx, work, name, Vec::new()).await?;
        let place = SnapshotPlace {
            consistent: Lsn(created.consistent_point),
            step: 0,
            xmax: 0,
            ranges: Default::default(),
        };
        Self::over(ctx, work, version, sessions, place, None, Some(exporter)).await
    }

    /// A new snapshot for what an earlier one did not come to.
    pub(crate) async fn resume(
        ctx: &Ctx,
        work: &Work,
        version: u32,
        mut place: SnapshotPlace,
    ) -> Result<Self, Fault> {
        let first = session(ctx).await?;
        first
            .query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let sql =
            "SELECT pg_export_snapshot(), txid_current_snapshot(), pg_current_wal_insert_lsn()";
        let row = catalog::one(first.query(sql).await?)?;
        let name = catalog::text(&row, 0)?.to_owned();
        let until = Lsn::parse(catalog::text(&row, 2)?).ok_or_else(no_snapshot)?;
        let seen = Seen::parse(catalog::text(&row, 1)?, until).ok_or_else(no_snapshot)?;
        if seen.xmin < place.xmax {
            return Err(too_early());
        }
        place.ranges.resume();
        let sessions = join(ctx, work, &name, vec![first]).await?;
        Self::over(ctx, work, version, sessions, place, Some(seen), None).await
    }

    async fn over(
        ctx: &Ctx,
        work: &Work,
        version: u32,
        sessions: Vec<Session>,
        mut place: SnapshotPlace,
        seen: Option<Seen>,
        exporter: Option<Replication>,
    ) -> Result<Self, Fault> {
        let publication = &work.config.keys.publication;
        let published = catalog::published_tables(&sessions[0], publication, version).await?;
        let selection = &work.config.selection;
        let mut waiting: VecDeque<_> = published
            .into_iter()
            .filter(|table| selection.takes_table(&table.name))
            .collect();
        let tables = waiting.len();
        let mut behind = None;
        if let Some(Mark { table, at }) = place.ranges.end() {
            waiting.retain(|waiting| {
                waiting.oid > *table || (waiting.oid == *table && *at != At::End)
            });
            if let (At::Key(mark), Some(first)) = (at, waiting.front())
                && first.oid == *table
            {
                behind = Some(mark.clone());
            }
        }
        let row = catalog::one(
            sessions[0]
                .query("SELECT txid_snapshot_xmax(txid_current_snapshot())")
                .await?,
        )?;
        let xmax: u64 = catalog::text(&row, 0)?.parse().map_err(|_| no_snapshot())?;
        if seen.is_none() {
            place.xmax = xmax;
        }
        let now_us = ctx.now_us();
        Ok(Self {
            source: SourceFields {
                at_us: now_us,
                snapshot: SnapshotMark::True,
                last_commit: None,
                lsn: Some(place.consistent.0),
                txid: i64::try_from(xmax).ok(),
                xmin: None,
            },
            progress: Progress {
                tables,
                tables_done: tables - waiting.len(),
                rows_estimated: waiting
                    .iter()
                    .filter_map(|t| u64::try_from(t.rows_estimated).ok())
                    .sum(),
                since_us: now_us,
                ..Progress::default()
            },
            is_first: place.step == 0,
            place,
            seen,
            readers: VecDeque::new(),
            waiting,
            described: Descriptions::new(),
            passed: Vec::new(),
            fault: None,
            idle: sessions,
            behind,
            asking: None,
            _exporter: exporter,
        })
    }

    /// Fills a batch with rows; the place is then behind them.
    pub(crate) async fn fill(
        &mut self,
        ctx: &Ctx,
        work: &mut Work,
        filling: &mut Filling,
    ) -> Result<Filled, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        self.place.step += 1;
        loop {
            self.start_readers(ctx, work).await?;
            let Some(reader) = self.readers.front_mut() else {
                return Ok(Filled::Finished);
            };
            self.progress.table = Some(reader.table.name.clone());
            while let Next::Row { is_last, bytes } = reader.next()
                && !is_last
                && filling.has_room_for(bytes)
            {
                self.source.snapshot = mark(&mut self.is_first, reader.is_first(), false);
                reader.emit(&mut work.emitter, &mut filling.out(), &self.source)?;
                self.progress.rows += 1;
            }
            match reader.next() {
                Next::Row { bytes, .. } if !filling.has_room_for(bytes) => {
                    self.advance_in_table();
                    return Ok(Filled::Batch);
                }
                _ if !filling.has_room() => {
                    self.advance_in_table();
                    return Ok(Filled::Batch);
                }
                Next::More => match reader.read().await {
                    Ok(Wake::Ready) => {}
                    Ok(Wake::Woken | Wake::Stopping) => {
                        self.advance_in_table();
                        return Ok(Filled::Woken);
                    }
                    Err(fault) => return self.failed(filling, fault),
                },
                Next::Row { .. } | Next::End => match self.end_table(ctx, work, filling).await {
                    Ok(Filled::Woken) => {
                        self.advance_in_table();
                        return Ok(Filled::Woken);
                    }
                    Ok(_) => {}
                    Err(fault) => return self.failed(filling, fault),
                },
            }
        }
    }

    /// What has been filled goes out before the fault. Nothing goes on behind it: a session and its table may be lost.
    fn failed(&mut self, filling: &Filling, fault: Fault) -> Result<Filled, Fault> {
        if filling.batch.rows() == 0 {
            return Err(fault);
        }
        self.fault = Some(fault);
        self.advance_in_table();
        Ok(Filled::Batch)
    }

    /// The last row of a table, which is marked by whether any row follows at all.
    async fn end_table(
        &mut self,
        ctx: &Ctx,
        work: &mut Work,
        filling: &mut Filling,
    ) -> Result<Filled, Fault> {
        let mut ended = self.readers.pop_front().expect("the caller looked at it");
        self.idle.extend(ended.free());
        if ended.next() != Next::End {
            let followed = match self.pass_empty_tables(ctx, work).await {
                Ok(Some(followed)) => followed,
                // It is not known yet: the last row waits.
                woken_or_failed => {
                    self.readers.push_front(ended);
                    return woken_or_failed.map(|_| Filled::Woken);
                }
            };
            self.source.snapshot = mark(&mut self.is_first, ended.is_first(), true);
            if !followed {
                self.source.snapshot = SnapshotMark::Last;
            }
            ended.emit(&mut work.emitter, &mut filling.out(), &self.source)?;
            self.progress.rows += 1;
        }
        let passed = std::mem::take(&mut self.passed);
        for table in std::iter::once(ended.table.oid).chain(passed) {
            self.progress.tables_done += 1;
            let upto = Mark { table, at: At::End };
            self.place.ranges.advance(upto, self.seen.as_ref());
        }
        Ok(Filled::Batch)
    }

    /// Goes to the next table that has a row; false where none has, nothing where that is not known yet.
    async fn pass_empty_tables(
        &mut self,
        ctx: &Ctx,
        work: &mut Work,
    ) -> Result<Option<bool>, Fault> {
        loop {
            self.start_readers(ctx, work).await?;
            let Some(reader) = self.readers.front_mut() else {
                return Ok(Some(false));
            };
            match reader.has_rows().await? {
                Some(false) => {}
                followed_or_unknown => return Ok(followed_or_unknown),
            }
            let mut empty = self.readers.pop_front().expect("it was just looked at");
            self.idle.extend(empty.free());
            self.passed.push(empty.table.oid);
        }
    }

    /// The place behind what went out of a table that goes on.
    fn advance_in_table(&mut self) {
        let Some(reader) = self.readers.front() else {
            return;
        };
        if let Some(at) = reader.reached() {
            let upto = Mark {
                table: reader.table.oid,
                at,
            };
            self.place.ranges.advance(upto, self.seen.as_ref());
        }
    }

    /// Gives every idle session a table.
    async fn start_readers(&mut self, ctx: &Ctx, work: &mut Work) -> Result<(), Fault> {
        while !self.waiting.is_empty()
            && let Some(session) = self.idle.pop()
        {
            let table = self.waiting.pop_front().expect("it was just looked at");
            if !self.described.contains_key(&table.oid) {
                let next = std::iter::once(&table).chain(&self.waiting);
                let oids: Vec<u32> = next.map(|t| t.oid).take(DESCRIBED_AT_ONCE).collect();
                self.described = work.describe(&session, &oids).await?;
            }
            let description = self.described.remove(&table.oid).unwrap_or_default();
            let behind = self.behind.take();
            let was_begun = behind.is_some();
            let reader = Reader::start(ctx, work, session, &table, description, behind).await?;
            if was_begun && !reader.goes_on() {
                self.place.ranges.mix(table.oid);
            }
            self.readers.push_back(reader);
        }
        Ok(())
    }
}

fn mark(is_first: &mut bool, first_in_table: bool, last_in_table: bool) -> SnapshotMark {
    let first = std::mem::take(is_first);
    match (last_in_table, first, first_in_table) {
        (_, true, _) => SnapshotMark::First,
        (true, false, _) => SnapshotMark::LastInDataCollection,
        (false, false, true) => SnapshotMark::FirstInDataCollection,
        (false, false, false) => SnapshotMark::True,
    }
}

async fn session(ctx: &Ctx) -> Result<Session, Fault> {
    let parameters = catalog::lasting();
    ctx.postgres().connect(&borrowed(&parameters)).await
}

/// Sessions in one exported snapshot, as many as the config says.
async fn join(
    ctx: &Ctx,
    work: &Work,
    snapshot: &str,
    mut sessions: Vec<Session>,
) -> Result<Vec<Session>, Fault> {
    let wanted = work.config.keys.snapshot_threads as usize;
    while sessions.len() < wanted {
        let session = session(ctx).await?;
        session
            .query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let sql = format!("SET TRANSACTION SNAPSHOT {}", quote_literal(snapshot));
        session.query(&sql).await.map_err(gone)?;
        sessions.push(session);
    }
    Ok(sessions)
}

/// As the SDK takes parameters.
pub(crate) fn borrowed(parameters: &[(String, String)]) -> Vec<(&str, &str)> {
    parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Whoever exported the snapshot is gone, and it with him: another one does.
fn gone(fault: Fault) -> Fault {
    match fault.detail("sqlstate") {
        Some("22023" | "55000") => Fault {
            class: FaultClass::Retriable,
            ..fault
        },
        _ => fault,
    }
}

/// The slot goes by the log, snapshots by what is visible, and between the two a commit can wait, for a standby for
/// example. The stream begins behind it, so that a snapshot without it would lose it.
fn too_early() -> Fault {
    let message = "a transaction that the slot has passed, or one that ran when the slot was made, has not ended yet";
    Fault::new(
        FaultClass::Retriable,
        "postgres-snapshot-too-early",
        message,
    )
}

fn no_snapshot() -> Fault {
    let message = "the server made a snapshot without saying what it is";
    Fault::new(FaultClass::Fatal, "postgres-unexpected-answer", message)
}

#[cfg(test)]
mod tests {
    use super::mark;
    use crate::envelope::SnapshotMark;

    #[test]
    fn the_first_row_of_all_is_marked_so_even_where_its_table_has_no_other() {
        let mut is_first = true;
        assert_eq!(mark(&mut is_first, true, true), SnapshotMark::First);
        assert_eq!(
            mark(&mut is_first, true, true),
            SnapshotMark::LastInDataCollection
        );
        assert_eq!(
            mark(&mut is_first, true, false),
            SnapshotMark::FirstInDataCollection
        );
        assert_eq!(mark(&mut is_first, false, false), SnapshotMark::True);
    }
}
