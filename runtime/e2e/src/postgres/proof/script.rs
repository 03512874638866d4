//! A fixed script of some 5,000 messages, and a worker that is killed at one of them after another.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::topics::Topics;
use crate::postgres::{Database, Psql, shared};
use crate::proxy::{Network, Proxy};
use crate::seed::Random;
use crate::worker::{Setup, WorkerProcess};

const TABLES: &[&str] = &["t", "u", "marker"];
const STREAMS_WITHIN: Duration = Duration::from_secs(60);

/// Begins, relations, rows, copies, key changes, truncates, commits; transactions of one row and of a thousand.
const SCRIPT: &str = r"
    create procedure one_by_one(first int, last int) language plpgsql as $$ begin
      for n in first..last loop insert into t (id, v) values (n, 'one'); commit; end loop;
    end $$;
    create procedure mixed(first int, last int) language plpgsql as $$ begin
      for n in first..last loop
        insert into u values (n, 'mixed');
        update t set v = 'updated' where id = n;
        update t set id = id + 100000 where id = n + 400;
        update u set k = k + 100000 where k = n - 1;
        delete from t where id = n + 200;
        commit;
      end loop;
    end $$;
    call one_by_one(1, 600);
    copy t (id, v) from program 'seq -f %.0f,copied 10000 10999' with (format csv);
    call mixed(1, 100);
    update t set v = 'all of them' where id between 10000 and 10799;
    alter table t add n int;
    insert into t select g, 'wider', g from generate_series(20000, 20299) g;
    begin; savepoint a; insert into u values (-1, 'undone'); rollback to a; insert into u values (-2, 'kept'); commit;
    call one_by_one(30000, 30150);
    insert into marker values (1);";

/// What an event tells that does not depend on when it was told.
type Told = (Value, Value, Value, Value);

/// A database with the script in a slot.
struct Script {
    database: Database,
    psql: Psql,
    proxy: Proxy,
    n_messages: u64,
}

/// Row 24 of the acceptance cases: the script is streamed by one connector after another, each from a slot of its own, and the
/// worker is killed when so many of its messages have come; the kills are spread evenly over the script, from a random place
/// on. Each time its topics hold what they hold without a kill.
///
/// # Errors
/// When they do not.
pub fn script(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    let mut script = Script::prepare()?;
    let setup = Setup::new(folder);
    let mut worker = setup.start()?;
    script.deploy(&worker, "whole")?;
    let whole = script.told(&worker, "whole")?;
    let rows: usize = whole.iter().map(Vec::len).sum();
    ensure!(rows > 3000, "the script tells {rows} events only");
    Script::remove(&worker, "whole")?;
    let step = script.n_messages / u64::from(n_kills);
    let first = Random::new(seed).within(1..step + 1);
    for n in 0..n_kills {
        let messages = first + u64::from(n) * step;
        let name = format!("kill_{n}");
        script.proxy.stall_after(messages.min(script.n_messages));
        script.deploy(&worker, &name)?;
        let stalled = script.proxy.until_stalled(STREAMS_WITHIN);
        stalled.with_context(|| worker.read_log())?;
        worker.kill()?;
        script.proxy.set(Network::Cut);
        script.proxy.set(Network::Up);
        worker = setup.start()?;
        let told = script.told(&worker, &name)?;
        for ((table, told), whole) in TABLES.iter().zip(&told).zip(&whole) {
            let differs = told
                .iter()
                .zip(whole)
                .position(|(told, whole)| told != whole);
            ensure!(
                told == whole,
                "killed after {messages} messages, {table} has {} events of {}, and differs at {differs:?}",
                told.len(),
                whole.len()
            );
        }
        Script::remove(&worker, &name)?;
    }
    Ok(())
}

impl Script {
    fn prepare() -> Result<Self> {
        let server = shared()?;
        let proxy = Proxy::start(server.port)?;
        let database = Database::create(server)?;
        let mut psql = database.psql()?;
        let name = &database.name;
        psql.run(&format!(
            "create table t (id int primary key, v text); create table u (k int primary key, v text);
             create table marker (id int primary key); create publication script for table t, u, marker;
             select pg_create_logical_replication_slot('{name}_script', 'pgoutput')"
        ))?;
        psql.run(SCRIPT)?;
        let n_messages = psql.value(&format!(
            "select count(*) from pg_logical_slot_peek_binary_changes('{name}_script', null, null,
               'proto_version', '1', 'publication_names', 'script')"
        ))?;
        Ok(Self {
            n_messages: n_messages.parse()?,
            database,
            psql,
            proxy,
        })
    }

    fn deploy(&mut self, worker: &WorkerProcess, name: &str) -> Result<()> {
        let slot = self.slot(name);
        self.psql.run(&format!(
            "select pg_copy_logical_replication_slot('{}_script', '{slot}')",
            self.database.name
        ))?;
        let mut body = self.database.connector(&json!({
            "database.port": self.proxy.port.to_string(),
            "snapshot.mode": "no_data",
            "slot.name": slot,
            "topic.prefix": name,
            "publication.name": "script",
            "publication.autocreate.mode": "disabled",
        }));
        body["name"] = json!(name);
        worker.rest()?.deploy(&body).map(drop)
    }

    /// What each table's topic holds in the end.
    fn told(&self, worker: &WorkerProcess, name: &str) -> Result<Vec<Vec<Told>>> {
        let rest = worker.rest()?;
        let marker = format!("{name}.public.marker");
        let arrived = rest
            .until_created(&marker, name)
            .and_then(|()| rest.follow(&marker, |_| true));
        arrived.with_context(|| worker.read_log())?;
        let topics = Topics::of(&worker.kafka, name);
        let mut told = Vec::new();
        for table in TABLES {
            let events = topics.events(&format!("public.{table}"))?.into_iter();
            let events = events.map(|event| {
                let value = |field: &str| event.value[field].clone();
                (
                    event.key.clone(),
                    value("op"),
                    value("after"),
                    event.value["source"]["lsn"].clone(),
                )
            });
            told.push(events.collect());
        }
        Ok(told)
    }

    /// Deletes a connector with its slot.
    fn remove(worker: &WorkerProcess, name: &str) -> Result<()> {
        let path = format!("/connectors/{name}?cleanup=true");
        worker.rest()?.send(&Method::DELETE, &path, None).map(drop)
    }

    fn slot(&self, name: &str) -> String {
        format!("{}_{name}", self.database.name)
    }
}
