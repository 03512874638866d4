//! The proof: both capture the same database, and what they wrote is compared.
#![expect(clippy::print_stdout, reason = "it speaks to the person who runs it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use anyhow::{Context as _, Result, ensure};
use longshore_rig::Server;

use super::Peer;
use super::catalog::{self, Table};
use super::compare::Topic;
use super::connectors::MODES;
use super::difference::Difference;
use super::explained::{EXPLAINED, Rule, rule};
use super::ignored::IGNORED;
use super::records::{self, Record};
use super::workload::Workload;
use crate::postgres::{Database, Psql, programs};
use crate::rest::Rest;
use crate::worker::{Setup, WorkerProcess};

const TABLES: &str = include_str!("tables.sql");
const CHANGES: &str = include_str!("changes.sql");
const HEAP: &str = "1g";
/// What the slots of the two sides end with.
const SIDES: [&str; 2] = ["debezium", "longshore"];
/// Tenths of a second that both have to catch up.
const PATIENCE: u32 = 3_000;
/// Most kinds of differences that are shown.
const SHOWN_MAX: usize = 50;

/// Rows of every type, then changes of every kind, then so many random transactions, captured by both with every mode.
///
/// # Errors
/// When a server fails, a difference is not explained, or an explanation explains nothing.
pub fn compare(folder: &Path, seed: u64, n_transactions: u32) -> Result<()> {
    let server = Server::start(&programs()?, &[("timezone", "UTC")])?;
    let database = Database::create(Arc::new(server))?;
    let mut psql = database.psql()?;
    psql.run(TABLES)?;
    let mut workload = Workload::new(seed, &catalog::tables(&mut psql)?);
    workload.fill(&mut psql)?;
    let peer = Peer::start(folder, HEAP)?;
    let worker = Setup::new(folder).start()?;
    let pair = Pair { peer, worker };
    pair.deploy(&database)?;
    pair.settle(&mut psql, 1)?;
    psql.run(CHANGES)?;
    let tables = catalog::tables(&mut psql)?;
    workload.look_again(&tables);
    workload.run(&mut psql, n_transactions)?;
    pair.settle(&mut psql, 2)?;
    let differences = pair.compare(&tables)?;
    judge(&differences)?;
    pair.worker
        .stop_expecting(&["the config was taken and deserves a look"])
}

/// The two that run side by side.
struct Pair {
    peer: Peer,
    worker: WorkerProcess,
}

impl Pair {
    fn deploy(&self, database: &Database) -> Result<()> {
        let ours = self.worker.rest()?;
        for mode in MODES {
            let [theirs_json, ours_json] = SIDES.map(|side| mode.connector(database, side));
            self.peer
                .rest
                .deploy(&theirs_json)
                .with_context(|| self.peer.read_log())?;
            ours.deploy(&ours_json)?;
        }
        Ok(())
    }

    /// Waits until every slot has been confirmed beyond all that was committed so far. Debezium confirms a transaction
    /// with the next one, and both only what is stored.
    fn settle(&self, psql: &mut Psql, n: u32) -> Result<()> {
        let n_slots = MODES.len() * SIDES.len();
        let wait = |psql: &mut Psql, condition: &str| {
            psql.run(&format!(
                "do $$ declare n int := 0; begin
                   while (select count(*) from pg_replication_slots where {condition}) < {n_slots} loop
                     perform pg_sleep(0.1);
                     n := n + 1;
                     if n > {PATIENCE} then
                       raise exception 'a slot stands still: %', (select string_agg(slot_name, ', ')
                         from pg_replication_slots where not coalesce({condition}, false));
                     end if;
                   end loop; end $$"
            ))
        };
        let waited = wait(psql, "confirmed_flush_lsn is not null").and_then(|()| {
            psql.run(&format!("insert into g.zz_marker values ({n}1)"))?;
            let end = psql.value("select pg_current_wal_lsn()")?;
            for more in [2, 3] {
                psql.run(&format!("insert into g.zz_marker values ({n}{more})"))?;
            }
            wait(psql, &format!("active and confirmed_flush_lsn >= '{end}'"))
        });
        waited.with_context(|| self.state())
    }

    /// How the connectors of both fare.
    fn state(&self) -> String {
        let status = |rest: &Rest| rest.get("/connectors?expand=status").unwrap_or_default();
        let ours = self
            .worker
            .rest()
            .map(|rest| status(&rest))
            .unwrap_or_default();
        format!("Debezium: {}\nhere: {ours}", status(&self.peer.rest))
    }

    fn compare(&self, tables: &BTreeMap<String, Table>) -> Result<Vec<Difference>> {
        let mut differences = Vec::new();
        for mode in MODES {
            let prefix = format!("{}.", mode.name);
            let theirs = topics(&self.peer.broker, &prefix)?;
            let ours = topics(&self.worker.kafka, &prefix)?;
            let letters = records::dead_letters(&self.worker.kafka, &mode.dead_letters())?;
            let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
            for name in names {
                let of = |all: &BTreeMap<String, Vec<Record>>| {
                    all.get(name).cloned().unwrap_or_default()
                };
                let topic = Topic {
                    mode: mode.name,
                    name,
                    table: tables.get(name),
                };
                differences.extend(topic.compare(&of(&theirs), &of(&ours), &letters));
            }
            let n = |all: &BTreeMap<String, Vec<Record>>| all.values().map(Vec::len).sum::<usize>();
            println!(
                "{}: {} records of Debezium, {} here",
                mode.name,
                n(&theirs),
                n(&ours)
            );
        }
        Ok(differences)
    }
}

/// The records of all topics by their names behind the prefix.
fn topics(broker: &str, prefix: &str) -> Result<BTreeMap<String, Vec<Record>>> {
    let names = records::topics(broker, prefix)?;
    std::thread::scope(|scope| {
        // kcat mostly waits.
        let start = |name: &String| {
            let (name, short) = (name.clone(), name[prefix.len()..].to_owned());
            (short, scope.spawn(move || records::read(broker, &name)))
        };
        let readers: Vec<_> = names.iter().map(start).collect();
        let join = |(name, reader): (String, ScopedJoinHandle<'_, Result<Vec<Record>>>)| {
            Ok((name, reader.join().expect("a reader does not panic")?))
        };
        readers.into_iter().map(join).collect()
    })
}

/// Says how often each explanation was needed.
fn judge(differences: &[Difference]) -> Result<()> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut strange = Vec::new();
    for difference in differences {
        let known = rule(IGNORED, difference).or_else(|| rule(EXPLAINED, difference));
        match known {
            Some(rule) => *counts.entry(rule.name).or_default() += 1,
            None => strange.push(difference),
        }
    }
    for (rules, verdict) in [(IGNORED, "ignored"), (EXPLAINED, "explained")] {
        for Rule { name, why, .. } in rules {
            let count = counts.get(name).copied().unwrap_or_default();
            println!("{verdict} {count} times: {name} ({why})");
        }
    }
    // One of each kind.
    let mut shown = BTreeSet::new();
    let kind = |d: &Difference| {
        (
            d.topic.clone(),
            d.record.split(' ').next().map(ToOwned::to_owned),
            (d.theirs.is_some(), d.ours.is_some()),
            format!("{:?} {:?} {}", d.phase, d.part, d.path.join(".")),
        )
    };
    let mut kinds = strange
        .iter()
        .filter(|difference| shown.insert(kind(difference)));
    for difference in kinds.by_ref().take(SHOWN_MAX) {
        println!("not explained: {difference}");
    }
    ensure!(
        strange.is_empty(),
        "{} differences are not explained",
        strange.len()
    );
    let mut unused = EXPLAINED
        .iter()
        .map(|rule| rule.name)
        .filter(|name| !counts.contains_key(name));
    if let Some(name) = unused.next() {
        anyhow::bail!("nothing needed the explanation: {name}");
    }
    Ok(())
}
