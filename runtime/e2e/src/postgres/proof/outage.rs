//! A sink that is down or slow while the source is under load.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use longshore_rig::Server;
use serde_json::json;

use crate::disk::Disk;
use crate::postgres::{Capture, Database, programs};
use crate::worker::Setup;

/// After so many seconds without a word from us the server ends the connection.
const SENDER_TIMEOUT_S: u32 = 2;
/// How often a batch takes longer than that.
const SLOW_BATCHES: u32 = 2;
/// Far less than what the load is.
const PEAK_MB_MAX: u64 = 256;

/// A load that begins with more than every buffer on the way holds, and then goes on at a megabyte a second.
const TABLES: &str = "
    create table t (id bigserial primary key, v text);
    create procedure load(seconds int) language plpgsql as $load$
    declare ends timestamptz = clock_timestamp() + seconds * interval '1 s';
    begin
      insert into t (v) select repeat('x', 20000) from generate_series(1, 1000);
      commit;
      while clock_timestamp() < ends loop
        insert into t (v) values (repeat('y', 20000));
        commit;
        perform pg_sleep(0.02);
      end loop;
    end $load$;";

/// Rows 31 and 32 of the acceptance cases: nothing becomes durable for so many seconds, and before that now and then for
/// twice the time that the server waits for a word, while rows are written. The connection stays, the slot stays where it is,
/// memory is bounded, and in the end every row is there once, in order.
///
/// # Errors
/// When one of these does not hold.
pub fn outage(folder: &Path, _seed: u64, seconds: u32) -> Result<()> {
    let timeout = format!("{SENDER_TIMEOUT_S}s");
    let server = Server::start(&programs()?, &[("wal_sender_timeout", &timeout)])?;
    let database = Database::create(Arc::new(server))?;
    let disk = Disk::prepare(folder)?;
    let setup = Setup::new(folder).disk(&disk);
    let mut capture = Capture::start_alone(&setup, database, TABLES, &json!({}))?;
    capture.settle()?;
    let connected = capture.sender()?.process;
    let stalls = [2 * SENDER_TIMEOUT_S; SLOW_BATCHES as usize];
    for seconds in stalls.into_iter().chain([seconds]) {
        let stalled = disk.stall()?;
        let stored = capture.psql.value("select pg_current_wal_lsn()")?;
        capture.run(&format!("call load({seconds})"))?;
        let sender = capture.sender()?;
        ensure!(sender.process == connected, "the server hung up");
        let is_stored = format!("select '{}'::pg_lsn <= '{stored}'", sender.confirmed);
        let confirmed = &sender.confirmed;
        ensure!(
            capture.psql.value(&is_stored)? == "t",
            "{confirmed} is confirmed, and {stored} is stored"
        );
        drop(stalled);
        arrived(&mut capture)?;
    }
    let peak_mb = capture.worker_peak_mb()?;
    ensure!(peak_mb < PEAK_MB_MAX, "the worker took {peak_mb} MB");
    Ok(())
}

/// Every row is there, once, in order.
fn arrived(capture: &mut Capture) -> Result<()> {
    let last = capture.psql.value("select max(id) from t")?.parse()?;
    let mut ids = Vec::new();
    let topic = capture.topic("public.t");
    capture.follow_topic(&topic, |event| {
        ids.extend(event.key["id"].as_u64());
        ids.last() == Some(&last)
    })?;
    let expected: Vec<u64> = (1..=last).collect();
    ensure!(
        ids == expected,
        "{} rows, not {last}, or in another order",
        ids.len()
    );
    Ok(())
}
