//! A capture that has nothing to tell while its server is busy with other things.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use longshore_rig::Server;
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::postgres::{Capture, Database, Psql, programs};
use crate::worker::Setup;

const FLUSH_INTERVAL: &str = "offset.flush.interval.ms=500";
/// The flush interval, the second in which what is confirmed is told, and a machine that others use.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(10);
/// With a standby by this name commits can wait until somebody has confirmed them; these do not unless they ask for it.
const SETTINGS: &[(&str, &str)] = &[
    ("synchronous_standby_names", "*"),
    ("synchronous_commit", "local"),
    // A commit that is not confirmed ends its wait with a warning, and its position tells.
    ("statement_timeout", "30s"),
];

/// Rows 41 and 42 of the acceptance cases: so many times, for about a second each, a table that is not captured is written,
/// and one of another database. The slot follows within moments, and nobody is told anything.
///
/// # Errors
/// When it does not follow, or there are records.
pub fn idle(folder: &Path, _seed: u64, times: u32) -> Result<()> {
    let server = Arc::new(Server::start(&programs()?, SETTINGS)?);
    let database = Database::create(Arc::clone(&server))?;
    let tables = "create table t (id int primary key); create table other (v text);";
    let keys = json!({
        "publication.autocreate.mode": "filtered", "table.include.list": "public.(t|marker)",
    });
    let setup = Setup::new(folder).set(FLUSH_INTERVAL);
    let mut capture = Capture::start_alone(&setup, database, tables, &keys)?;
    capture.settle()?;
    let beside = Database::create(server)?;
    let mut busy = [capture.database.psql()?, beside.psql()?];
    busy[1].run("create table other (v text)")?;
    let told = capture.events("marker")?.len();
    for time in 0..times {
        for psql in &mut busy {
            follows(&mut capture, psql, time)?;
        }
    }
    ensure!(
        capture.events("marker")?.len() == told,
        "a row was told again"
    );
    ensure!(
        capture.events("t")?.is_empty(),
        "a row was told that nobody wrote"
    );
    Ok(())
}

fn follows(capture: &mut Capture, psql: &mut Psql, time: u32) -> Result<()> {
    psql.run("insert into other select repeat('x', 100) from generate_series(1, 2000)")?;
    psql.run("set synchronous_commit = on")?;
    let began = Instant::now();
    let written = psql.value("select pg_current_wal_lsn()")?;
    // The server notes a confirmation after it lets the commits go that waited for it, and before the next.
    psql.run("insert into other values ('first'); insert into other values ('second')")?;
    let took = began.elapsed();
    psql.run("set synchronous_commit = local")?;
    let confirmed = capture.sender()?.confirmed;
    let follows = format!("select '{confirmed}'::pg_lsn >= '{written}'");
    ensure!(
        psql.value(&follows)? == "t",
        "time {time}: {confirmed} is confirmed, and not {written}"
    );
    ensure!(took < FOLLOWS_WITHIN, "time {time}: it took {took:?}");
    Ok(())
}
