//! Random transactions over all tables that have a number for a key, or none.

use std::collections::BTreeMap;

use anyhow::Result;

use super::catalog::Table;
use super::literal;
use crate::postgres::Psql;
use crate::seed::Random;

/// Statements of one transaction.
const STATEMENTS: std::ops::Range<u64> = 1..9;
/// Where new keys begin, above those of rows that are always there.
const FIRST_ID: u64 = 100_000;

/// What is there to change.
pub(super) struct Workload {
    random: Random,
    tables: Vec<Target>,
    next_id: u64,
}

struct Target {
    table: Table,
    /// The column that tells rows apart.
    id: Option<String>,
    rows: Vec<u64>,
}

impl Workload {
    /// Changes these tables; partitions are changed by their root.
    pub(super) fn new(seed: u64, tables: &BTreeMap<String, Table>) -> Self {
        let target = |table: &Table| {
            let mut keys = table.columns.iter();
            let id = keys.find(|column| column.is_key && column.pg_type == "integer");
            Target {
                id: id.map(|column| column.name.clone()),
                table: table.clone(),
                rows: Vec::new(),
            }
        };
        // A number of `generated` would be doubled beyond its type.
        let left_out = ["zz_marker", "nan", "generated"];
        let tables = tables.values().filter(|table| {
            !table.is_partitioned
                && !left_out.contains(&&*table.name)
                && !table.name.starts_with("deep_")
        });
        Self {
            random: Random::new(seed),
            tables: tables.map(target).collect(),
            next_id: FIRST_ID,
        }
    }

    /// Goes by what tables have become.
    pub(super) fn look_again(&mut self, tables: &BTreeMap<String, Table>) {
        for target in &mut self.tables {
            let mut tables = tables.values();
            if let Some(table) = tables.find(|table| table.name == target.table.name) {
                target.table = table.clone();
            }
        }
    }

    /// One row more in each table, before anything is captured.
    pub(super) fn fill(&mut self, psql: &mut Psql) -> Result<()> {
        for place in 0..self.tables.len() {
            let sql = self.insert(place);
            psql.run(&sql)?;
        }
        Ok(())
    }

    /// So many transactions.
    pub(super) fn run(&mut self, psql: &mut Psql, n_transactions: u32) -> Result<()> {
        for _ in 0..n_transactions {
            let n = self.random.within(STATEMENTS);
            let statements: Vec<String> = (0..n).map(|_| self.statement()).collect();
            psql.run(&format!("begin; {}; commit", statements.join(";\n")))?;
        }
        Ok(())
    }

    fn statement(&mut self) -> String {
        let n_tables = self.tables.len() as u64;
        let place = usize::try_from(self.random.within(0..n_tables)).unwrap_or_default();
        let target = &self.tables[place];
        let can_change = target.table.has_identity && !target.rows.is_empty();
        match (can_change, self.random.within(0..10)) {
            (false, _) | (true, 0..=2) => self.insert(place),
            (true, 3..=6) => self.update(place),
            (true, 7) => self.change_key(place),
            (true, _) => self.delete(place),
        }
    }

    fn insert(&mut self, place: usize) -> String {
        let target = &mut self.tables[place];
        let id = self.next_id;
        self.next_id += 1;
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for column in &target.table.columns {
            let has_default = !column.default.is_empty();
            if column.is_generated || column.name == "ident" {
                continue;
            }
            let is_id = target.id.as_ref() == Some(&column.name);
            if has_default && !is_id && self.random.one_in(2) {
                continue;
            }
            names.push(quoted(&column.name));
            values.push(
                match is_id || column.is_key && column.pg_type == "integer" {
                    true => id.to_string(),
                    false => literal::of_column(&mut self.random, column),
                },
            );
        }
        target.rows.push(id);
        let table = quoted(&target.table.name);
        format!(
            "insert into g.{table} ({}) values ({})",
            names.join(", "),
            values.join(", ")
        )
    }

    /// Some columns, so that large ones stay as they are and are not told.
    fn update(&mut self, place: usize) -> String {
        let target = &self.tables[place];
        let mut changes = Vec::new();
        for column in &target.table.columns {
            if column.is_generated || column.is_key || !self.random.one_in(3) {
                continue;
            }
            let value = literal::of_column(&mut self.random, column);
            changes.push(format!("{} = {value}", quoted(&column.name)));
        }
        let row = self.pick_row(place);
        let target = &self.tables[place];
        let id = quoted(target.id.as_deref().unwrap_or_default());
        if changes.is_empty() {
            changes.push(format!("{id} = {id}"));
        }
        let table = quoted(&target.table.name);
        format!(
            "update g.{table} set {} where {id} = {row}",
            changes.join(", ")
        )
    }

    fn change_key(&mut self, place: usize) -> String {
        let row = self.take_row(place);
        let new = self.next_id;
        self.next_id += 1;
        let target = &mut self.tables[place];
        target.rows.push(new);
        let id = quoted(target.id.as_deref().unwrap_or_default());
        let table = quoted(&target.table.name);
        format!("update g.{table} set {id} = {new} where {id} = {row}")
    }

    fn delete(&mut self, place: usize) -> String {
        let row = self.take_row(place);
        let target = &self.tables[place];
        let id = quoted(target.id.as_deref().unwrap_or_default());
        let table = quoted(&target.table.name);
        format!("delete from g.{table} where {id} = {row}")
    }

    fn pick_row(&mut self, place: usize) -> u64 {
        let rows = &self.tables[place].rows;
        let n = self.random.within(0..rows.len() as u64);
        rows[usize::try_from(n).unwrap_or_default()]
    }

    fn take_row(&mut self, place: usize) -> u64 {
        let row = self.pick_row(place);
        self.tables[place].rows.retain(|other| *other != row);
        row
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
