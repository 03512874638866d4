//! A database that a connector captures.
//!
//! A test changes tables and calls `settle`; what its topics hold then is all that its changes became, so that it can say
//! of an event that it is missing and not only late.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Database, Event, Psql, shared};
use crate::rest::Rest;
use crate::watch;
use crate::worker::{Setup, WorkerProcess};

/// The worker that tests of one process share, as they share the server.
static SHARED: Mutex<Weak<Home>> = Mutex::new(Weak::new());
/// The table whose rows tell how far a capture is.
const MARKER: &str = "marker";
/// Where the worker keeps positions.
const OFFSETS_TOPIC: &str = "_longshore_offsets";
const SLOT_WITHIN: Duration = Duration::from_secs(60);
/// Most records of a list.
const RECORDS_MAX: usize = 10_000;

/// A worker, and its folder where it is the shared one's.
#[derive(Debug)]
struct Home {
    worker: WorkerProcess,
    _folder: Option<TempDir>,
}

/// What the server knows of the connection that a slot's stream goes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The process at the server's end; none where nobody reads the slot.
    pub process: Option<i32>,
    /// What the server may forget, as it was told.
    pub confirmed: String,
}

/// A database, a session, and the worker whose connector captures it.
#[derive(Debug)]
pub struct Capture {
    /// The database. Its name is the connector's as well.
    pub database: Database,
    /// A session as the superuser.
    pub psql: Psql,
    /// The worker's REST API.
    pub rest: Rest,
    home: Arc<Home>,
    n_markers: u32,
}

impl Capture {
    /// Makes a database with these tables, for the worker that all tests share, and deploys nothing.
    ///
    /// # Errors
    /// When the server or the worker does not start, or the SQL is refused.
    pub fn prepare(tables: &str) -> Result<Self> {
        Self::prepare_in(Database::create(shared()?)?, tables)
    }

    /// The same in a database that is there.
    ///
    /// # Errors
    /// When the worker does not start, or the SQL is refused.
    pub fn prepare_in(database: Database, tables: &str) -> Result<Self> {
        Self::prepare_by(home()?, database, tables)
    }

    fn prepare_by(home: Arc<Home>, database: Database, tables: &str) -> Result<Self> {
        let mut psql = database.psql()?;
        psql.run(&format!(
            "create table {MARKER} (id int primary key); insert into {MARKER} values (0);\n{tables}"
        ))?;
        Ok(Self {
            rest: home.worker.rest()?,
            database,
            psql,
            home,
            n_markers: 0,
        })
    }

    /// Makes a database with these tables, deploys a connector with these keys, and waits until its stream must bring
    /// whatever comes.
    ///
    /// # Errors
    /// When anything is refused, or the connector's task fails.
    pub fn start(tables: &str, keys: &Value) -> Result<Self> {
        Self::start_in(Database::create(shared()?)?, tables, keys)
    }

    /// The same in a database that is there.
    ///
    /// # Errors
    /// When anything is refused, or the connector's task fails.
    pub fn start_in(database: Database, tables: &str, keys: &Value) -> Result<Self> {
        let capture = Self::prepare_in(database, tables)?;
        capture.deploy(keys)?;
        capture.await_marker(0)?;
        Ok(capture)
    }

    /// Makes the tables, for a worker that nobody else has, and deploys nothing.
    ///
    /// # Errors
    /// When the worker does not start, or the SQL is refused.
    pub fn prepare_alone(setup: &Setup, database: Database, tables: &str) -> Result<Self> {
        let home = Arc::new(Home {
            worker: setup.start()?,
            _folder: None,
        });
        Self::prepare_by(home, database, tables)
    }

    /// The same, with a connector whose stream must bring whatever comes.
    ///
    /// # Errors
    /// When anything is refused, or the connector's task fails.
    pub fn start_alone(
        setup: &Setup,
        database: Database,
        tables: &str,
        keys: &Value,
    ) -> Result<Self> {
        let capture = Self::prepare_alone(setup, database, tables)?;
        capture.deploy(keys)?;
        capture.await_marker(0)?;
        Ok(capture)
    }

    /// Kills the worker, which nobody else has, and starts another in its folder.
    ///
    /// # Errors
    /// When the worker is shared, or the other one does not start.
    pub fn kill_worker(&mut self, setup: &Setup) -> Result<()> {
        let folder = Arc::get_mut(&mut self.home).context("others have this worker")?;
        folder.worker.end()?;
        folder.worker = setup.start()?;
        self.rest = folder.worker.rest()?;
        Ok(())
    }

    /// Everything that the worker has logged.
    #[must_use]
    pub fn worker_log(&self) -> String {
        self.home.worker.read_log()
    }

    /// The memory that the worker had at its peak.
    ///
    /// # Errors
    /// When it does not run.
    pub fn worker_peak_mb(&self) -> Result<u64> {
        self.home.worker.peak_mb()
    }

    /// Deploys the connector, with these keys besides.
    ///
    /// # Errors
    /// When it is refused.
    pub fn deploy(&self, keys: &Value) -> Result<()> {
        self.rest.deploy(&self.database.connector(keys)).map(drop)
    }

    /// Why a connector with these keys is refused.
    ///
    /// # Errors
    /// When it is not.
    pub fn refusal(&self, keys: &Value) -> Result<String> {
        let body = self.database.connector(keys);
        let path = format!("/connectors/{}/config", self.database.name);
        let config = body["config"].to_string();
        let answer = self.rest.send(&Method::PUT, &path, Some(&config))?;
        if answer.status != 400 {
            bail!("it was not refused: {} {}", answer.status, answer.body);
        }
        Ok(answer.body["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Changes tables.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.psql.run(sql)
    }

    /// Waits until everything that was committed so far is in its topics.
    ///
    /// # Errors
    /// When it does not come, or the connector's task fails.
    pub fn settle(&mut self) -> Result<()> {
        self.n_markers += 1;
        let sql = format!("insert into {MARKER} values ({})", self.n_markers);
        self.psql.run(&sql)?;
        self.await_marker(self.n_markers)
    }

    /// Changes tables, and waits until all of it is in its topics.
    ///
    /// # Errors
    /// When the server refuses, or it does not come.
    pub fn apply(&mut self, sql: &str) -> Result<()> {
        self.run(sql)?;
        self.settle()
    }

    fn await_marker(&self, id: u32) -> Result<()> {
        let topic = self.topic(&format!("public.{MARKER}"));
        self.follow_topic(&topic, |event| event.key["id"] == id)
    }

    /// Follows a topic until an event satisfies the condition.
    ///
    /// # Errors
    /// When none does, with the connector's status.
    pub fn follow_topic(&self, topic: &str, mut done: impl FnMut(&Event) -> bool) -> Result<()> {
        let name = &self.database.name;
        let path = format!("/connectors/{name}/status");
        let followed = self.rest.until_created(topic, name).and_then(|()| {
            self.rest
                .follow(topic, |record| done(&Event::parse(record)))
        });
        let status = || self.rest.get(&path).unwrap_or_default();
        followed.with_context(|| format!("{}\n{}", status(), self.worker_log()))
    }

    /// The topic of a table with its schema.
    #[must_use]
    pub fn topic(&self, table: &str) -> String {
        format!("{}.{table}", self.database.name)
    }

    /// All events of a table of the schema `public` that are in its topic now.
    ///
    /// # Errors
    /// When the topic cannot be read.
    pub fn events(&self, table: &str) -> Result<Vec<Event>> {
        self.events_in(&self.topic(&format!("public.{table}")))
    }

    /// All events of a topic that are in it now; none where there is no topic.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn events_in(&self, topic: &str) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut offset = 0;
        loop {
            // A page is as large as a list may be.
            let path = format!("/topics/{topic}/records?offset={offset}&limit={RECORDS_MAX}");
            let answer = self.rest.send(&Method::GET, &path, None)?;
            match answer.status {
                200 => {}
                404 => return Ok(events),
                status => bail!("{path}: {status} {}", answer.body),
            }
            let records = answer.body.as_array().context("a list")?;
            let Some(last) = records.last() else {
                return Ok(events);
            };
            offset = last["offset"].as_u64().context("an offset")? + 1;
            events.extend(records.iter().map(Event::parse));
        }
    }

    /// Waits until the connector's task has failed, and says why.
    ///
    /// # Errors
    /// When it does not fail.
    pub fn failure(&self) -> Result<String> {
        let mut trace = String::new();
        self.rest.wait_for_status(&self.database.name, |status| {
            let task = &status["tasks"][0];
            trace = task["trace"].as_str().unwrap_or_default().to_owned();
            task["state"] == "FAILED"
        })?;
        Ok(trace)
    }

    /// The server's end of the connection that the stream goes over.
    ///
    /// # Errors
    /// When there is no slot.
    pub fn sender(&mut self) -> Result<Sender> {
        let sql = format!(
            "select active_pid, confirmed_flush_lsn from pg_replication_slots where slot_name = '{}'",
            self.database.name
        );
        let row = self.psql.query(&sql)?.pop().context("there is no slot")?;
        let [process, confirmed] = <[_; 2]>::try_from(row)
            .map_err(|row| anyhow!("two columns were asked for: {row:?}"))?;
        Ok(Sender {
            process: process.map(|process| process.parse()).transpose()?,
            confirmed: confirmed.context("a slot without a position")?,
        })
    }

    /// Waits until a position in a connector's stream is stored: tables are read, and what is committed from then on comes.
    ///
    /// # Errors
    /// When none is, with the connector's status.
    pub fn until_streaming(&self, connector: &str) -> Result<()> {
        let is_stored = |record: &Value| {
            let stored = Event::parse(record);
            stored.key[0] == connector && stored.value["phase"] == "stream"
        };
        let path = format!("/connectors/{connector}/status");
        let followed = self.rest.follow(OFFSETS_TOPIC, is_stored);
        followed.with_context(|| self.rest.get(&path).unwrap_or_default())
    }

    /// Waits until the shared server, making a slot of this database, has said so often that it waits for transactions.
    ///
    /// # Errors
    /// When it does not, with the connector's status.
    pub fn until_slot_waits(&self, times: usize) -> Result<()> {
        let server = &self.database.server;
        let said = format!(
            "{} LOG:  logical decoding found initial starting point",
            self.database.name
        );
        let waited = watch::until(server.folder(), SLOT_WITHIN, "a slot that waits", || {
            let log = server.read_log();
            Ok(log.lines().filter(|line| line.starts_with(&said)).count() >= times)
        });
        let path = format!("/connectors/{}/status", self.database.name);
        waited.with_context(|| self.rest.get(&path).unwrap_or_default())
    }

    /// The phase of the task, as its status shows it.
    ///
    /// # Errors
    /// When there is no status.
    pub fn phase(&self) -> Result<Value> {
        let path = format!("/connectors/{}/status", self.database.name);
        let mut status = self.rest.get(&path)?;
        Ok(status["tasks"][0]["progress"]["phase"].take())
    }

    /// Waits until the server has no slot for the connector any more.
    ///
    /// # Errors
    /// When it keeps it, with the connector's status.
    pub fn until_slot_is_gone(&mut self) -> Result<()> {
        // Each slot is a folder of the server's.
        let folders = self.database.server.folder().join("data/pg_replslot");
        let name = &self.database.name;
        let slots = format!("select 1 from pg_replication_slots where slot_name = '{name}'");
        let waited = watch::until(&folders, SLOT_WITHIN, "the slot is gone", || {
            Ok(self.psql.query(&slots)?.is_empty())
        });
        let path = format!("/connectors/{name}/status");
        waited.with_context(|| self.rest.get(&path).unwrap_or_default())
    }

    /// Deletes the connector, and waits until its slot is free. Its position stays.
    ///
    /// # Errors
    /// When the worker refuses.
    pub fn delete(&mut self) -> Result<()> {
        let process = self.sender().ok().and_then(|sender| sender.process);
        let name = &self.database.name;
        self.rest.delete(&format!("/connectors/{name}"))?;
        match process {
            Some(process) => watch::ended(process),
            None => Ok(()),
        }
    }

    /// Stops the connector and starts it again.
    ///
    /// # Errors
    /// When the worker refuses.
    pub fn restart(&self) -> Result<()> {
        let path = format!(
            "/connectors/{}/restart?includeTasks=true",
            self.database.name
        );
        self.rest.post(&path, &json!({})).map(drop)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let path = format!("/connectors/{}", self.database.name);
        self.rest.send(&Method::DELETE, &path, None).ok();
    }
}

fn home() -> Result<Arc<Home>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(home) = shared.upgrade() {
        return Ok(home);
    }
    let folder = tempfile::tempdir()?;
    let worker = Setup::new(folder.path()).start()?;
    let home = Arc::new(Home {
        worker,
        _folder: Some(folder),
    });
    *shared = Arc::downgrade(&home);
    Ok(home)
}
