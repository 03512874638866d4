//! Much of everything: transactions, partitions, tables, types.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use longshore_rig::Server;
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::postgres::{Capture, Database, programs};
use crate::worker::Setup;

/// Transactions that stand behind one stored position at least, on average.
const TRANSACTIONS_PER_POSITION_MIN: u64 = 50;
/// What a capture may take to be streaming, however many tables there are.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How often types may be asked for, however many there are: a few times by the check, and by the capture.
const ASKED_MAX: usize = 10;

/// Row 38 of the acceptance cases: so many thousand transactions of one row wait in a slot. They arrive, and positions are
/// stored for many of them at a time.
///
/// # Errors
/// When a row is missing, doubled or out of order, or positions are many.
pub fn small_transactions(folder: &Path, _seed: u64, thousands: u32) -> Result<()> {
    let server = Server::start(&programs()?, &[("synchronous_commit", "off")])?;
    let database = Database::create(Arc::new(server))?;
    let tables = "
        create table t (id int primary key);
        create procedure fill(rows int) language plpgsql as $fill$ begin
          for n in 1..rows loop insert into t values (n); commit; end loop;
        end $fill$;";
    let mut capture = Capture::start_alone(&Setup::new(folder), database, tables, &json!({}))?;
    capture.settle()?;
    capture.delete()?;
    let rows = u64::from(thousands) * 1000;
    capture.run(&format!("call fill({rows})"))?;
    let before = n_positions(&capture)?;
    capture.deploy(&json!({}))?;
    capture.settle()?;
    let mut next = 1;
    let topic = capture.topic("public.t");
    let mut wrong = None;
    capture.follow_topic(&topic, |event| {
        if event.key["id"] != next {
            wrong = Some(event.clone());
        }
        next += 1;
        wrong.is_some() || next > rows
    })?;
    ensure!(
        wrong.is_none(),
        "{wrong:?} stands where {} should",
        next - 1
    );
    let positions = n_positions(&capture)? - before;
    let most = rows / TRANSACTIONS_PER_POSITION_MIN;
    ensure!(
        positions <= most,
        "{positions} positions were stored, not {most} at most"
    );
    Ok(())
}

/// How many positions have been stored so far.
fn n_positions(capture: &Capture) -> Result<u64> {
    let last = capture
        .rest
        .get("/topics/_longshore_offsets/records?offset=-1")?;
    last[0]["offset"].as_u64().context("an offset")
}

/// Row 40 of the acceptance cases: so many thousand partitions, half as many tables, and a fifth as many types that
/// somebody made. The capture is streaming within a minute, and types are not asked for again and again.
///
/// # Errors
/// When it takes longer, or asks too often.
pub fn many_tables(folder: &Path, _seed: u64, thousands: u32) -> Result<()> {
    let settings = [
        ("max_locks_per_transaction", "1000"),
        ("log_statement", "all"),
    ];
    let server = Arc::new(Server::start(&programs()?, &settings)?);
    let database = Database::create(Arc::clone(&server))?;
    let mut capture = Capture::prepare_alone(&Setup::new(folder), database, "")?;
    make(&mut capture, thousands)?;
    let logged = server.read_log().len();
    let began = Instant::now();
    capture.deploy(&json!({}))?;
    // What was made last is read last; a task that fails is told while its topic is waited for.
    let last = capture.topic(&format!("public.part_{thousands}_1000"));
    capture.follow_topic(&last, |_| true)?;
    capture.until_streaming(&capture.database.name)?;
    let took = began.elapsed();
    ensure!(took < STARTS_WITHIN, "it took {took:?} to start");
    let log = server.read_log();
    let asks = log[logged..]
        .lines()
        .filter(|line| line.contains("LOG:") && line.contains("pg_type"));
    let asks = asks.count();
    ensure!(
        asks <= ASKED_MAX,
        "types were asked for {asks} times, not {ASKED_MAX} at most"
    );
    Ok(())
}

fn n_types(thousands: u32) -> u32 {
    thousands * 200
}

/// A thousand partitions stand below each table that is partitioned: the server takes the longer to make one, the more there
/// are.
fn make(capture: &mut Capture, thousands: u32) -> Result<()> {
    capture.run(&format!(
        "create procedure make() language plpgsql as $make$ begin
           for n in 1..{types} loop
             execute format('create type mood_%s as enum (''sad'', ''ok'')', n);
           end loop;
           commit;
           for n in 1..{tables} loop
             execute format('create table table_%s (id int primary key, m mood_%s)', n, 1 + n % {types});
             if n % 100 = 0 then commit; end if;
           end loop;
           for k in 1..{thousands} loop
             execute format('create table parted_%s (id int primary key, v text) partition by range (id)', k);
             for n in 1..1000 loop
               execute format('create table part_%s_%s partition of parted_%s for values from (%s) to (%s)', k, n, k, n, n + 1);
               if n % 100 = 0 then commit; end if;
             end loop;
             execute format('insert into parted_%s select n, ''x'' from generate_series(1, 1000) n', k);
             commit;
           end loop;
         end $make$;
         call make()",
        tables = thousands * 500,
        types = n_types(thousands),
    ))
}
