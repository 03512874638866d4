//! Tables of every kind of key, writers that change them at random, and triggers that note what was committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::postgres::{Database, Psql};
use crate::seed::Random;

/// A table whose last row says that everything has arrived.
pub(super) const MARKER: &str =
    "create table marker (id int primary key); insert into marker values (0);";

const WRITERS: u64 = 4;

/// How a table's rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyed {
    /// By a key whose order the connector knows: everything arrives once.
    Ordered,
    /// By a key whose order is the server's: an interrupted snapshot reads it again.
    Unordered,
    /// By nothing but all columns.
    Not,
}

/// A captured table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) keyed: Keyed,
    pub(super) key: &'static [&'static str],
    definition: &'static str,
    /// A row's columns from a number.
    row: &'static str,
    /// Which rows a number means.
    which: &'static str,
    /// Gives a row the key of another number.
    rekey: &'static str,
    /// A row of JSON, `$x`, as an event shows it.
    shown: &'static str,
}

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "by_number",
        keyed: Keyed::Ordered,
        key: &["id"],
        definition: "id bigint primary key, v text not null",
        row: "$1, $2",
        which: "id = $1",
        rekey: "id = $1",
        shown: "$x",
    },
    Table {
        name: "by_pair",
        keyed: Keyed::Ordered,
        key: &["b", "a"],
        definition: "a int, v text not null, b date, primary key (b, a)",
        row: "$1 % 1000, $2, date '2020-01-01' + ($1 / 1000)::int",
        which: "a = $1 % 1000 and b = date '2020-01-01' + ($1 / 1000)::int",
        rekey: "a = $1 % 1000, b = date '2020-01-01' + ($1 / 1000)::int",
        shown: "jsonb_set($x, '{b}', to_jsonb(($x->>'b')::date - date '1970-01-01'))",
    },
    Table {
        name: "by_uuid",
        keyed: Keyed::Ordered,
        key: &["id"],
        definition: "v text not null, id uuid primary key",
        row: "$2, md5($1::text)::uuid",
        which: "id = md5($1::text)::uuid",
        rekey: "id = md5($1::text)::uuid",
        shown: "$x",
    },
    Table {
        name: "by_word",
        keyed: Keyed::Unordered,
        key: &["id"],
        definition: "id text collate \"en-x-icu\" primary key, v text not null",
        row: "'k-' || $1, $2",
        which: "id = 'k-' || $1",
        rekey: "id = 'k-' || $1",
        shown: "$x",
    },
    Table {
        name: "without",
        keyed: Keyed::Not,
        key: &["n", "v"],
        definition: "n bigint, v text not null",
        row: "$1, $2",
        which: "n = $1",
        rekey: "n = $1",
        shown: "$x",
    },
];

/// What a table held and what happened to it, in an order that holds for each row.
pub(super) struct History {
    pub(super) before: Vec<Value>,
    pub(super) changes: Vec<Change>,
    pub(super) after: Vec<Value>,
}

/// A committed change: the row before, and after.
pub(super) struct Change {
    pub(super) old: Option<Value>,
    pub(super) new: Option<Value>,
}

/// Tables with rows in them.
pub(super) struct Workload {
    rows: u32,
    writers: Vec<Psql>,
}

impl Workload {
    /// Makes the tables with so many rows each, and notes everything from then on.
    pub(super) fn prepare(database: &Database, rows: u32) -> Result<Self> {
        let mut psql = database.psql()?;
        psql.run(MARKER)?;
        psql.run(
            "create table audit (seq bigserial primary key, name text, old jsonb, new jsonb);
             create function note() returns trigger language plpgsql as $note$ begin
               insert into audit (name, old, new) values (tg_table_name,
                 case when tg_op <> 'INSERT' then to_jsonb(old) end,
                 case when tg_op <> 'DELETE' then to_jsonb(new) end);
               return null;
             end $note$",
        )?;
        for table in TABLES {
            let name = table.name;
            let row = table.row.replace("$2", "'first ' || n").replace("$1", "n");
            psql.run(&format!(
                "create table {name} ({}); alter table {name} replica identity {};
                 insert into {name} select {row} from generate_series(1, {rows}) n;
                 create table before_{name} as table {name};
                 create trigger note after insert or update or delete on {name}
                   for each row execute function note()",
                table.definition,
                if table.keyed == Keyed::Not {
                    "full"
                } else {
                    "default"
                },
            ))?;
        }
        psql.run("analyze")?;
        let writers = (0..WRITERS)
            .map(|_| database.psql())
            .collect::<Result<_>>()?;
        Ok(Self { rows, writers })
    }

    /// Lets the writers change tables until they are stopped.
    pub(super) fn start(&mut self, seed: u64) -> Writers {
        let mut random = Random::new(seed);
        let stop = Arc::new(AtomicBool::new(false));
        let rows = u64::from(self.rows);
        let threads = std::mem::take(&mut self.writers)
            .into_iter()
            .map(|mut psql| {
                let (random, stop) = (Random::new(random.number()), Arc::clone(&stop));
                std::thread::spawn(move || write(&mut psql, random, rows, &stop))
            });
        Writers {
            threads: threads.collect(),
            stop,
        }
    }

    /// What is known of a table once the writers have stopped.
    pub(super) fn history(&self, database: &Database, table: &Table) -> Result<History> {
        let mut psql = database.psql()?;
        let name = table.name;
        let mut rows = |sql: &str| -> Result<Vec<Value>> {
            let rows = psql.query(sql)?.into_iter();
            rows.map(|row| json_in(row.into_iter().next().flatten()))
                .collect()
        };
        let shown = |row: &str| table.shown.replace("$x", row);
        let row = shown("to_jsonb(t)");
        let before = rows(&format!("select {row} from before_{name} t"))?;
        let after = rows(&format!("select {row} from {name} t"))?;
        let sql = format!(
            "select {}, {} from audit where name = '{name}' order by seq",
            shown("old"),
            shown("new")
        );
        let changes = psql.query(&sql)?.into_iter().map(|row| {
            let mut sides = row.into_iter();
            let mut side = || {
                sides
                    .next()
                    .flatten()
                    .map(|text| json_in(Some(text)))
                    .transpose()
            };
            Ok(Change {
                old: side()?,
                new: side()?,
            })
        });
        Ok(History {
            before,
            changes: changes.collect::<Result<_>>()?,
            after,
        })
    }
}

fn json_in(text: Option<String>) -> Result<Value> {
    Ok(serde_json::from_str(&text.context("a row is not null")?)?)
}

/// Threads that change tables.
pub(super) struct Writers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Writers {
    /// Ends them; an error of one is an error.
    pub(super) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a writer does not panic")?;
        }
        Ok(())
    }
}

/// Changes tables in transactions of a few statements, some of them rolled back, until it is told to stop.
fn write(psql: &mut Psql, mut random: Random, rows: u64, stop: &AtomicBool) -> Result<()> {
    let mut n = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        let mut sql = "begin;".to_owned();
        // One table a transaction, and its rows in order, so that writers wait for one another and never in a circle.
        let table = &TABLES[usize::try_from(random.within(0..TABLES.len() as u64))?];
        let mut numbers = BTreeMap::new();
        for _ in 0..random.within(1..8) {
            numbers.insert(random.within(1..rows * 2), random.within(0..10));
        }
        for (number, what) in numbers {
            n += 1;
            sql.push_str(&statement(
                table,
                number,
                what,
                &format!("{} {n}", random.number()),
            ));
        }
        sql.push_str(if random.one_in(10) {
            "rollback"
        } else {
            "commit"
        });
        psql.run(&sql)?;
    }
    Ok(())
}

fn statement(table: &Table, number: u64, what: u64, text: &str) -> String {
    let Table {
        name,
        row,
        which,
        rekey,
        ..
    } = table;
    let number = number.to_string();
    let value = format!("'{text}'");
    let fill = |part: &str| part.replace("$1", &number).replace("$2", &value);
    let (row, which) = (fill(row), fill(which));
    match what {
        0..4 if table.keyed == Keyed::Not => format!("insert into {name} select {row};"),
        0..4 => format!("insert into {name} select {row} on conflict do nothing;"),
        // Rows that were different stay so.
        4..7 => format!("update {name} set v = {value} || md5(v) where {which};"),
        7 => {
            // A key that no other statement means.
            let far = format!("({number} + 10000000)");
            let rekey = rekey.replace("$1", &far);
            let taken = table.which.replace("$1", &far);
            format!(
                "update {name} set {rekey}, v = {value} || md5(v) where {which} and not exists (select from {name} where {taken});"
            )
        }
        _ => format!("delete from {name} where {which};"),
    }
}
