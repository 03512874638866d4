//! `kill -9` of a worker that captures Postgres: at random points of a snapshot, of the stream, and of one large
//! transaction, and at one message after another of a script; outages, idleness and volume at the scale that they are feared at.
//!
//! What was committed is known from triggers that write into a table that is not captured; what arrived is read from the
//! topics by a client of another project. `check` holds one against the other, key by key.

mod check;
mod idle;
mod outage;
mod script;
mod topics;
mod volume;
mod workload;

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Database, shared};
use crate::rest::Rest;
use crate::seed::Random;
use crate::worker::{Setup, WorkerProcess};

pub use idle::idle;
pub use outage::outage;
pub use script::script;
pub use volume::{many_tables, small_transactions};

use topics::Topics;
use workload::{TABLES, Workload};

/// Rows that one large transaction writes.
const LARGE_ROWS: u32 = 2_000_000;
/// Far less than what such a transaction takes.
const LARGE_PEAK_MB_MAX: u64 = 512;
/// Rows of each of the five tables that snapshots read.
const ROWS: u32 = 40_000;
const MANY_ROWS: u32 = 200_000;

/// Kills while tables are read, with and without a usable key, and changed meanwhile.
///
/// # Errors
/// When a change is lost, doubled or out of order, or the worker does not come back.
pub fn snapshot(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    snapshots(folder, seed, n_kills, ROWS, 20..250)
}

/// Row 18 of the acceptance cases: the same with a million rows.
///
/// # Errors
/// As for [`snapshot`].
pub fn large_snapshot(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    snapshots(folder, seed, n_kills, MANY_ROWS, 200..2_000)
}

fn snapshots(
    folder: &Path,
    seed: u64,
    n_kills: u32,
    rows: u32,
    pauses_ms: Range<u64>,
) -> Result<()> {
    let mut random = Random::new(seed);
    let mut kills = 0;
    for n in 0.. {
        if kills == n_kills {
            break;
        }
        let folder = folder.join(n.to_string());
        std::fs::create_dir(&folder)?;
        let database = Database::create(shared()?)?;
        let mut workload = Workload::prepare(&database, rows)?;
        let writers = workload.start(random.number());
        let mut round = Round::begin(&folder, database)?;
        let before = kills;
        // A kill that the stream was stored before is none of a snapshot.
        while kills < n_kills && !round.kill_after(random.millis(pauses_ms.clone()))? {
            kills += 1;
        }
        writers.stop()?;
        round.check(&workload)?;
        ensure!(
            kills > before,
            "the snapshot was over before the first kill"
        );
    }
    Ok(())
}

/// Kills while changes stream.
///
/// # Errors
/// As for [`snapshot`].
pub fn stream(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    let mut random = Random::new(seed);
    let database = Database::create(shared()?)?;
    let mut workload = Workload::prepare(&database, 100)?;
    let mut round = Round::begin(folder, database)?;
    round.until_streaming()?;
    let writers = workload.start(random.number());
    for _ in 0..n_kills {
        round.kill_after(random.millis(20..600))?;
    }
    writers.stop()?;
    round.check(&workload)
}

/// Row 37 of the acceptance cases: kills while one transaction of two million rows streams, and others behind it.
///
/// # Errors
/// When a row is lost, doubled or out of order, is of another transaction, or takes more memory than there is.
pub fn transaction(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    transaction_of(folder, seed, n_kills, LARGE_ROWS)
}

/// The same of so many rows.
///
/// # Errors
/// As for [`transaction`].
pub fn transaction_of(folder: &Path, seed: u64, n_kills: u32, rows: u32) -> Result<()> {
    let mut random = Random::new(seed);
    let database = Database::create(shared()?)?;
    let mut psql = database.psql()?;
    psql.run(&format!(
        "{} create table large (id bigint primary key, v text)",
        workload::MARKER
    ))?;
    let mut round = Round::begin(folder, database)?;
    round.until_streaming()?;
    psql.run(&format!(
        "insert into large select n, 'row ' || n from generate_series(1, {rows}) n"
    ))?;
    psql.run("update large set v = 'changed' where id <= 10")?;
    let mut peak_mb = 0;
    for _ in 0..n_kills {
        let pause = random.millis(100..4_000);
        round.kill_after(pause.min(Duration::from_micros(u64::from(rows) * 2)))?;
        peak_mb = peak_mb.max(round.worker()?.peak_mb()?);
    }
    let topics = round.finish()?;
    peak_mb = peak_mb.max(round.worker()?.peak_mb()?);
    ensure!(peak_mb < LARGE_PEAK_MB_MAX, "the worker took {peak_mb} MB");
    let rows = u64::from(rows);
    let (mut next, mut transaction) = (1, Value::Null);
    topics.each("public.large", |event| {
        let id = event.key["id"].as_u64().context("a key has an id")?;
        let (expected, op) = if next <= rows {
            (next, "c")
        } else {
            (next - rows, "u")
        };
        ensure!(
            (id, event.op()) == (expected, op),
            "record {next} is {} of {id}, not {op} of {expected}",
            event.op()
        );
        let its_own = &event.value["source"]["txId"];
        if next == 1 {
            transaction.clone_from(its_own);
        }
        ensure!(
            (*its_own == transaction) == (next <= rows),
            "record {next} is of transaction {its_own}"
        );
        next += 1;
        Ok(())
    })?;
    let last = rows + 10;
    ensure!(next - 1 == last, "{} records arrived, not {last}", next - 1);
    Ok(())
}

/// A capture that is killed and comes back.
struct Round {
    setup: Setup,
    worker: Option<WorkerProcess>,
    database: Database,
}

impl Round {
    fn begin(folder: &Path, database: Database) -> Result<Self> {
        let setup = Setup::new(folder);
        let worker = setup.start()?;
        let tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        // One expression: tables that are named must be there, and no part has all of them.
        let include = format!("public.({}|marker|large)", tables.join("|"));
        worker.rest()?.deploy(&database.connector(&json!({
            "table.include.list": include,
            "offset.flush.interval.ms": null,
        })))?;
        Ok(Self {
            setup,
            worker: Some(worker),
            database,
        })
    }

    fn worker(&self) -> Result<&WorkerProcess> {
        self.worker.as_ref().context("a worker runs between kills")
    }

    fn rest(&self) -> Result<Rest> {
        self.worker()?.rest()
    }

    fn progress(&self) -> Result<Value> {
        let path = format!("/connectors/{}/status", self.database.name);
        let status = self.rest()?.get(&path)?;
        let task = &status["tasks"][0];
        if task["state"] == "FAILED" {
            bail!(
                "the task failed: {}\n{}",
                task["trace"],
                self.worker()?.read_log()
            );
        }
        Ok(task["progress"].clone())
    }

    fn until_streaming(&self) -> Result<()> {
        let name = &self.database.name;
        let marker = format!("{name}.public.marker");
        let rest = self.rest()?;
        rest.until_created(&marker, name)?;
        rest.follow(&marker, |_| true)
    }

    /// Lets it run for a while, kills it, and starts it again; what the server was told may be forgotten must be stored. True
    /// where the stored position was in the stream.
    fn kill_after(&mut self, time: Duration) -> Result<bool> {
        std::thread::sleep(time);
        self.progress()?;
        let worker = self.worker.take().context("a worker runs between kills")?;
        worker.kill()?;
        let sql = format!(
            "select coalesce(confirmed_flush_lsn - '0/0', 0) from pg_replication_slots where slot_name = '{}'",
            self.database.name
        );
        let confirmed = self.database.psql()?.query(&sql)?;
        let worker = self.setup.start()?;
        let stored = Topics::of(&worker.kafka, &self.database.name).stored()?;
        self.worker = Some(worker);
        let confirmed = confirmed
            .first()
            .and_then(|row| row.first()?.as_ref()?.parse().ok());
        if let (Some(confirmed), Some(stored)) = (confirmed, stored) {
            let _: u64 = confirmed;
            ensure!(
                confirmed <= stored.lsn,
                "the server was told that {confirmed} is stored, and this is: {stored:?}"
            );
        }
        Ok(stored.is_some_and(|stored| stored.in_stream))
    }

    /// Waits until everything has arrived; the worker must end well.
    fn finish(&mut self) -> Result<Topics> {
        let mut psql = self.database.psql()?;
        psql.run("insert into marker values (1)")?;
        let marker = format!("{}.public.marker", self.database.name);
        let rest = self.rest()?;
        rest.until_created(&marker, &self.database.name)?;
        let arrived = rest.follow(&marker, |record| record["key"].to_string().contains('1'));
        arrived.with_context(|| {
            format!(
                "{:?}\n{}",
                self.progress(),
                self.worker()
                    .map(WorkerProcess::read_log)
                    .unwrap_or_default()
            )
        })?;
        Ok(Topics::of(&self.worker()?.kafka, &self.database.name))
    }

    fn check(&mut self, workload: &Workload) -> Result<()> {
        let topics = self.finish()?;
        for table in TABLES {
            let events = topics.events(&format!("public.{}", table.name))?;
            check::table(table, &workload.history(&self.database, table)?, &events)
                .with_context(|| format!("table {}", table.name))?;
        }
        Ok(())
    }
}
