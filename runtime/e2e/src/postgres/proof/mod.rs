//! `kill -9` of a worker that captures Postgres: at random points of a snapshot, of the stream, and of one large
//! transaction.
//!
//! What was committed is known from triggers that write into a table that is not captured; what arrived is read from the
//! topics by a client of another project. `check` holds one against the other, key by key.

mod check;
mod topics;
mod workload;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Database, shared};
use crate::rest::Rest;
use crate::seed::Random;
use crate::worker::{Setup, WorkerProcess};

use topics::Topics;
use workload::{TABLES, Workload};

/// Rows that one large transaction writes.
const LARGE_ROWS: u32 = 1_000_000;

/// Kills while tables are read, with and without a usable key, and changed meanwhile.
///
/// # Errors
/// When a change is lost, doubled or out of order, or the worker does not come back.
pub fn snapshot(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    let mut random = Random::new(seed);
    let mut kills = 0;
    for n in 0.. {
        if kills == n_kills {
            return Ok(());
        }
        let folder = folder.join(n.to_string());
        std::fs::create_dir(&folder)?;
        kills += one_snapshot(&folder, &mut random, n_kills - kills)?;
    }
    Ok(())
}

/// Kills until the snapshot is over, or so often; answers how often it was.
fn one_snapshot(folder: &Path, random: &mut Random, kills_max: u32) -> Result<u32> {
    let database = Database::create(shared()?)?;
    let mut workload = Workload::prepare(&database, 40_000)?;
    let writers = workload.start(random.number());
    let mut round = Round::begin(folder, database)?;
    let mut kills = 0;
    // A kill that the stream was stored before is none of a snapshot.
    while kills < kills_max && !round.kill_after(random.millis(20..250))? {
        kills += 1;
    }
    writers.stop()?;
    round.check(&workload)?;
    ensure!(kills > 0, "the snapshot was over before the first kill");
    Ok(kills)
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

/// Kills while one transaction of a million rows streams, and others behind it.
///
/// # Errors
/// When a row is lost, doubled or out of order.
pub fn transaction(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
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
        "insert into large select n, 'row ' || n from generate_series(1, {LARGE_ROWS}) n"
    ))?;
    psql.run("update large set v = 'changed' where id <= 10")?;
    for _ in 0..n_kills {
        round.kill_after(random.millis(100..4_000))?;
    }
    let topics = round.finish()?;
    let mut next = 1;
    for event in topics.events("public.large")? {
        let id = event.key["id"].as_u64().context("a key has an id")?;
        let (expected, op) = match next {
            n if n <= u64::from(LARGE_ROWS) => (n, "c"),
            n => (n - u64::from(LARGE_ROWS), "u"),
        };
        ensure!(
            (id, event.op()) == (expected, op),
            "record {next} is {} of {id}, not {op} of {expected}",
            event.op()
        );
        next += 1;
    }
    let last = u64::from(LARGE_ROWS) + 10;
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
        let include = TABLES.iter().map(|table| format!("public.{}", table.name));
        let include: Vec<_> = include
            .chain(["public.(marker|large)".to_owned()])
            .collect();
        worker.rest()?.deploy(&database.connector(&json!({
            "table.include.list": include.join(","),
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
        let stored = Topics::of(&worker.kafka, &self.database.name).stored_lsn()?;
        self.worker = Some(worker);
        let confirmed = confirmed
            .first()
            .and_then(|row| row.first()?.as_ref()?.parse().ok());
        if let (Some(confirmed), Some(stored)) = (confirmed, stored) {
            let _: u64 = confirmed;
            ensure!(
                confirmed <= stored,
                "the server was told that {confirmed} is stored, and {stored} is"
            );
        }
        Ok(stored.is_some())
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
