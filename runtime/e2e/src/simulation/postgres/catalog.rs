//! What the server answers to the questions that the connector asks of its catalog, known by a piece of their SQL.

use longshore_sdk::postgres::Row;
use serde_json::json;

use super::server::Server;
use super::table::{INT4, INT8, Shape, TABLES, TEXT};

pub(super) const DATABASE: &str = "shop";
pub(super) const PUBLICATION: &str = "shop_publication";

pub(super) fn lsn_text(lsn: u64) -> String {
    format!("{:X}/{:X}", lsn >> 32, lsn & 0xffff_ffff)
}

fn row(cells: &[&str]) -> Row {
    cells.iter().map(|cell| Some((*cell).to_owned())).collect()
}

impl Server {
    /// Panics at a question that it was never asked before.
    pub(super) fn answer(&mut self, sql: &str) -> Vec<Row> {
        let has = |piece: &str| sql.contains(piece);
        if has("current_setting('server_version_num')") {
            let cells = ["150018", "logical", "f", "capture", "t", "10", "1", "10"];
            vec![row(&cells)]
        } else if has("FROM pg_replication_slots s") {
            self.slot_row().into_iter().collect()
        } else if has("SELECT CASE WHEN pg_is_in_recovery()") {
            vec![row(&[&lsn_text(self.lsn())])]
        } else if has("FROM pg_publication WHERE pubname") {
            let there = self.publication.then(|| row(&["t", "t", "t", "t", "t"]));
            there.into_iter().collect()
        } else if has("CREATE PUBLICATION") {
            assert!(!self.publication, "the publication exists");
            self.publication = true;
            Vec::new()
        } else if has("LOCK TABLE ONLY ") && has(" IN ACCESS SHARE MODE") {
            Vec::new()
        } else if has("<> pg_relation_filenode(member.oid)") {
            // No table is ever rewritten here.
            vec![row(&["0"])]
        } else if has("FROM pg_publication_tables p") {
            TABLES.iter().map(published).collect()
        } else if has("FROM pg_attribute a ") {
            tables(sql, "a.attrelid IN (").flat_map(columns).collect()
        } else if has("FROM pg_index i") {
            tables(sql, "i.indrelid IN (").filter_map(primary).collect()
        } else if has("FROM pg_type t") {
            types(sql)
        } else {
            panic!("the simulated server does not know: {sql}")
        }
    }

    fn slot_row(&self) -> Option<Row> {
        let slot = self.slot.as_ref()?;
        let lag = (self.lsn() - slot.confirmed).to_string();
        let confirmed = lsn_text(slot.confirmed);
        Some(row(&[
            "pgoutput", DATABASE, &confirmed, "reserved", &lag, &lag,
        ]))
    }
}

/// The tables whose numbers stand in the list behind a piece of SQL.
fn tables(sql: &str, piece: &str) -> impl Iterator<Item = &'static Shape> {
    let (_, rest) = sql.split_once(piece).unwrap();
    let (list, _) = rest.split_once(')').unwrap();
    let oids: Vec<u32> = list.split(',').map(|oid| oid.parse().unwrap()).collect();
    TABLES.iter().filter(move |table| oids.contains(&table.oid))
}

fn published(shape: &Shape) -> Row {
    let (oid, identity) = (
        shape.oid.to_string(),
        char::from(shape.identity).to_string(),
    );
    let mut cells = row(&[shape.schema, shape.table, &oid, "f", &identity, "-1", "t"]);
    cells.extend([None, None]);
    cells
}

fn columns(shape: &Shape) -> Vec<Row> {
    let flag = |yes: bool| Some(if yes { "t" } else { "f" }.to_owned());
    let in_key = |name: &str| shape.key.iter().any(|column| column.name == name);
    let described = shape.columns().map(|column| {
        vec![
            Some(shape.oid.to_string()),
            Some(column.name.to_owned()),
            Some(column.type_oid.to_string()),
            Some("-1".to_owned()),
            flag(in_key(column.name)),
            flag(false),
            flag(false),
            flag(column.collation_is_c),
        ]
    });
    described.collect()
}

fn primary(shape: &Shape) -> Option<Row> {
    let names: Vec<_> = shape.key.iter().map(|column| column.name).collect();
    let (oid, names) = (shape.oid.to_string(), json!(names).to_string());
    shape.has_key.then(|| row(&[&oid, "t", "f", &names]))
}

fn types(sql: &str) -> Vec<Row> {
    // Nobody made a type here, of which a first question asks as well.
    let (_, list) = sql.split_once("t.oid IN (").unwrap();
    let (list, _) = list.split_once(')').unwrap();
    let known = list.split(',').map(|oid| {
        let (name, category) = match oid.parse().unwrap() {
            INT4 => ("int4", "N"),
            INT8 => ("int8", "N"),
            TEXT => ("text", "S"),
            other => panic!("the simulated server has no type {other}"),
        };
        let mut cells = row(&[oid, "pg_catalog", name, "b", category, "0", "0", "-1"]);
        cells.push(None);
        cells
    });
    known.collect()
}
