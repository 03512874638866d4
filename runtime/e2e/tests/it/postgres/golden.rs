//! The golden table: columns of every mapped type, with their extremes, zeros, empties and nulls, read by a snapshot and
//! streamed. `golden.txt` says how each value is written in SQL and shown in JSON.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use longshore_e2e::postgres::{Capture, Database, programs};
use longshore_e2e::program;
use longshore_rig::Server;
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("golden.txt");

/// A column, and the type and name of its schema.
struct Column {
    definition: &'static str,
    schema: &'static str,
    /// SQL and JSON of each value.
    values: Vec<(&'static str, &'static str)>,
}

fn columns() -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for line in GOLDEN.lines() {
        if let Some((sql, json)) = line.split_once("  ->  ") {
            let column = columns.last_mut().expect("a value stands below its column");
            column.values.push((sql.trim_start(), json));
        } else {
            let (definition, schema) = line.split_once(": ").expect("a type and its schema");
            columns.push(Column {
                definition,
                schema,
                values: Vec::new(),
            });
        }
    }
    columns
}

fn tables(columns: &[Column]) -> String {
    let columns = columns.iter().enumerate();
    let columns: String = columns
        .map(|(n, column)| format!(", c{n} {}", column.definition))
        .collect();
    format!(
        "create extension citext; create extension hstore; create extension ltree;
         create type mood as enum ('sad', 'it''s, ok');
         create domain positive as int4 check (value > 0);
         create domain price as numeric(8, 3);
         create table t (id int primary key{columns});"
    )
}

/// A row for each place in the lists of values, and at last one of nulls.
fn insert(columns: &[Column], n_rows: usize, first_id: usize) -> String {
    let value = |column: &Column, row: usize| column.values.get(row).map_or("null", |it| it.0);
    let row = |row: usize| {
        let values = columns.iter().map(|column| value(column, row));
        let values: String = values.map(|value| format!(", {value}")).collect();
        format!("insert into t values ({}{values});", first_id + row)
    };
    (0..n_rows).map(row).collect()
}

/// 53, 55 and 56
#[test]
fn every_type_shows_the_same_values_and_schemas_from_snapshot_and_stream() {
    let columns = columns();
    let n_values = columns.iter().map(|column| column.values.len()).max();
    let n_rows = n_values.unwrap_or_default() + 1;
    let tables = tables(&columns) + &insert(&columns, n_rows, 0);
    let keys = json!({"value.converter.schemas.enable": "true"});
    let mut capture = Capture::start(&tables, &keys).unwrap();
    capture.apply(&insert(&columns, n_rows, 100)).unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events.len(), 2 * n_rows);
    let (snapshot, stream) = events.split_at(n_rows);
    for (row, (read, streamed)) in snapshot.iter().zip(stream).enumerate() {
        assert_eq!(read.value["schema"], streamed.value["schema"]);
        let fields = &read.value["schema"]["fields"][1]["fields"];
        let [read, streamed] = [read, streamed].map(|event| &event.value["payload"]["after"]);
        for (n, column) in columns.iter().enumerate() {
            let field = &fields[n + 1];
            let name = field["name"].as_str().unwrap_or_default();
            let schema = format!("{} {name}", field["type"].as_str().unwrap());
            let written = column.values.get(row);
            let about = format!("{} {written:?}", column.definition);
            assert_eq!(schema.trim_end(), column.schema, "{about}");
            let [read, streamed] = [read, streamed].map(|row| &row[format!("c{n}")]);
            assert_eq!(read, streamed, "{about}");
            let expected: Value = serde_json::from_str(written.map_or("null", |it| it.1)).unwrap();
            assert_eq!(*read, expected, "{about}");
        }
    }
}

/// 55: what no number of 64 bits holds is a bad record, on both sides, and never another moment
#[test]
fn moments_that_no_number_holds_are_bad_records_from_snapshot_and_stream() {
    let tables = "create table t (id int primary key, ts timestamp);
                  insert into t values (1, '294276-12-31 23:59:59.999999'), (2, '2026-01-02 03:04');";
    let keys = json!({"errors.tolerance": "all"});
    let mut capture = Capture::start(tables, &keys).unwrap();
    capture
        .apply("insert into t values (3, '294276-12-31 23:59:59.999999'), (4, '2026-01-02 03:04');")
        .unwrap();
    let events = capture.events("t").unwrap();
    let ids: Vec<_> = events.iter().map(|event| &event.after()["id"]).collect();
    assert_eq!(ids, [2, 4]);
    assert_eq!(events[0].after()["ts"], events[1].after()["ts"]);

    let strict = Capture::prepare(tables).unwrap();
    strict.deploy(&json!({})).unwrap();
    let failure = strict.failure().unwrap();
    assert!(
        failure.contains("postgres-value-out-of-range") && failure.contains("ts"),
        "{failure}"
    );
}

/// 56
#[test]
fn money_of_another_locale_is_the_same_amount() {
    let source = "/usr/share/i18n/locales/de_DE";
    if program::installed(source, "locales").unwrap().is_none() {
        return;
    }
    let locales = tempfile::tempdir().unwrap();
    // The server may run as another user.
    fs::set_permissions(locales.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut localedef = Command::new("localedef");
    localedef.args(["-i", "de_DE", "-f", "UTF-8"]);
    let made = localedef.arg(locales.path().join("de_DE.UTF-8")).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{made:?}");
    let programs = programs().unwrap().environment("LOCPATH", locales.path());
    let server = Server::start(&programs, &[("lc_monetary", "de_DE.UTF-8")]).unwrap();
    let database = Database::create(Arc::new(server)).unwrap();
    let mut capture = Capture::start_in(
        database,
        "create table t (id int primary key, m money); insert into t values (1, '-1.234,50 €')",
        &json!({}),
    )
    .unwrap();
    let shown = capture.psql.value("select m from t").unwrap();
    assert_eq!(shown, "-1.234,50 €");
    capture
        .apply("insert into t values (2, '-1.234,50 €')")
        .unwrap();
    let events = capture.events("t").unwrap();
    let amounts: Vec<_> = events.iter().map(|event| &event.after()["m"]).collect();
    // -123450 cents.
    assert_eq!(amounts, ["/h3G", "/h3G"]);
}
