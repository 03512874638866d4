//! A server with a table of rows of 100 bytes, and connectors that capture it.

use std::path::Path;

use anyhow::{Context as _, Result};
use longshore_rig::Server;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::postgres::{Database, Psql, programs};
use crate::rest::Rest;

/// Rows of every measurement.
pub(super) const ROWS: u64 = 1_000_000;

/// A database on a server that is nobody else's.
pub(super) struct Source {
    pub(super) database: Database,
    pub(super) psql: Psql,
}

impl Source {
    /// Starts a server and makes the tables: `t1`, and one whose last row says that everything has arrived. Its name comes
    /// last, as snapshots read tables in that order.
    pub(super) fn start() -> Result<Self> {
        let settings = [
            ("shared_buffers", "1GB"),
            ("max_wal_size", "8GB"),
            ("synchronous_commit", "off"),
        ];
        let server = Server::start(&programs()?, &settings)?;
        let database = Database::create(std::sync::Arc::new(server))?;
        let mut psql = database.psql()?;
        psql.run(
            "create table t1 (id bigserial primary key, a int, b text, c timestamptz default now());
             create table z_marker (id int primary key);
             create publication bench for all tables",
        )?;
        Ok(Self { database, psql })
    }

    /// Makes a slot that everything from here on waits in.
    pub(super) fn slot(&mut self, name: &str) -> Result<()> {
        let sql = format!("select pg_create_logical_replication_slot('{name}', 'pgoutput')");
        self.psql.run(&sql)
    }

    /// Writes rows in transactions of so many, and the marker.
    pub(super) fn fill(&mut self, rows: u64, rows_per_transaction: u64) -> Result<()> {
        let transactions = rows / rows_per_transaction;
        self.psql.run(&format!(
            "create or replace procedure fill() language plpgsql as $fill$ begin
               for n in 1..{transactions} loop
                 insert into t1 (a, b) select g, 'row ' || n || repeat('x', 60)
                   from generate_series(1, {rows_per_transaction}) g;
                 commit;
               end loop;
             end $fill$"
        ))?;
        self.psql.run("call fill()")?;
        self.psql
            .run("insert into z_marker select count(*) from z_marker")
    }

    /// A connector over a slot of its own, which names its topics too.
    pub(super) fn connector(&self, slot: &str, snapshot_mode: &str) -> Value {
        let mut body = self.database.connector(&json!({
            "slot.name": slot,
            "topic.prefix": slot,
            "publication.name": "bench",
            "publication.autocreate.mode": "disabled",
            "snapshot.mode": snapshot_mode,
        }));
        body["name"] = json!(slot);
        body
    }
}

/// Seconds from deploying a connector until its marker is stored.
pub(super) fn capture(rest: &Rest, connector: &Value) -> Result<f64> {
    let name = connector["name"]
        .as_str()
        .context("a connector has a name")?;
    let started = Instant::now();
    rest.deploy(connector)?;
    let marker = format!("{name}.public.z_marker");
    rest.until_created(&marker, name)?;
    rest.follow(&marker, |_| true)?;
    let took_s = started.elapsed().as_secs_f64();
    rest.send(&Method::DELETE, &format!("/connectors/{name}"), None)?;
    Ok(took_s)
}

/// Bytes of all files beneath a folder.
pub(super) fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += match metadata.is_dir() {
            true => bytes_in(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(bytes)
}
