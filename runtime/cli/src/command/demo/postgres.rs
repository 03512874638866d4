//! The demo of `examples/02-postgres`: tables with rows, changes of them, and the events that they become.

use std::time::Duration;

use longshore_cap_postgres::{PostgresClient, PostgresGrant};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::folder::Folder;
use super::{ACTS_EVERY, ARRIVES_WITHIN, FIRST_ARRIVES_WITHIN, follow, missing, next_record};
use crate::args::DemoArgs;
use crate::client::Client;
use crate::compose::Running;
use crate::error::{Code, Failure, Result};
use crate::events::Events;
use crate::output::{Answer, event};

const SOURCE: &str = include_str!("../../../../../examples/02-postgres/source.json");
const SINK: &str = include_str!("../../../../../examples/02-postgres/sink.json");
const TABLES: &str = include_str!("../../../../../examples/02-postgres/tables.sql");
const CUSTOMERS: &str = "shop.longshore_demo.customers";
const ORDERS: &str = "shop.longshore_demo.orders";
/// The schema, the slot and the publication of the example.
const NAME: &str = "longshore_demo";
const ONCE_ROUNDS: u64 = 2;
/// An answer to SQL of ours is smaller.
const PAGE_BYTES: usize = 1 << 20;
/// A slot is free again soon after its worker has gone.
const SLOT_FREE_WITHIN: Duration = Duration::from_secs(10);

/// A server, and the keys of a connector that captures it.
pub(super) struct Database {
    client: PostgresClient,
    keys: Vec<(&'static str, String)>,
}

impl Database {
    /// Reads an address such as `postgres://user:password@host:5432/database` and makes the tables.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let keys = keys_of(url).ok_or_else(|| {
            let message = "--postgres takes postgres://user:password@host:port/database";
            Failure::new(Code::ConfigInvalid, message).at("--postgres")
        })?;
        let lookup = |name: &str| {
            let mut keys = keys.iter();
            keys.find(|(key, _)| *key == name)
                .map(|(_, value)| &**value)
        };
        let grant = PostgresGrant::from_config("database.", lookup).map_err(refused)?;
        let client = PostgresClient::new(Some(grant), Handle::current());
        let database = Self { client, keys };
        database.is_free().await?;
        database.run(TABLES).await?;
        Ok(database)
    }

    /// What bears the example's name may be somebody's, or be left of a demo that was killed.
    async fn is_free(&self) -> Result<()> {
        let session = self.client.connect(&[]).await.map_err(refused)?;
        let named = format!(
            "select 1 from pg_namespace where nspname = '{NAME}' union all \
             select 1 from pg_publication where pubname = '{NAME}' union all \
             select 1 from pg_replication_slots where slot_name = '{NAME}'"
        );
        let rows = session.query(&named).await.map_err(refused)?;
        if rows.read(PAGE_BYTES).await.map_err(refused)?.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the server has a schema, a publication or a slot {NAME}, which the demo makes and removes"
        );
        let fix = format!(
            "if nobody needs them: select pg_drop_replication_slot(slot_name) from pg_replication_slots where \
             slot_name = '{NAME}'; drop publication if exists {NAME}; drop schema if exists {NAME} cascade"
        );
        Err(Failure::new(Code::Conflict, message)
            .at("--postgres")
            .fix(fix))
    }

    /// Statements, each ending with its line.
    async fn run(&self, sql: &str) -> Result<()> {
        let session = self.client.connect(&[]).await.map_err(refused)?;
        for statement in sql
            .split(";\n")
            .filter(|statement| !statement.trim().is_empty())
        {
            let rows = session.query(statement).await.map_err(refused)?;
            while !rows.read(PAGE_BYTES).await.map_err(refused)?.is_empty() {}
        }
        Ok(())
    }

    /// Removes everything that the example has made.
    pub(super) async fn clear(&self) -> Result<()> {
        let session = self.client.connect(&[]).await.map_err(refused)?;
        let slots = format!("select 1 from pg_replication_slots where slot_name = '{NAME}'");
        let rows = session.query(&slots).await.map_err(refused)?;
        let n_slots = rows.read(PAGE_BYTES).await.map_err(refused)?.len();
        if n_slots > 0 {
            let replication = self
                .client
                .connect_replication(&[])
                .await
                .map_err(refused)?;
            let dropped = replication.drop_slot(NAME, SLOT_FREE_WITHIN).await;
            dropped.map_err(refused)?;
        }
        self.run(&format!(
            "drop publication if exists {NAME};\ndrop schema if exists {NAME} cascade"
        ))
        .await
    }

    /// A connector's body, with this server in the place of the example's.
    fn connector(&self, example: &str) -> Value {
        let mut body: Value = serde_json::from_str(example).expect("the example is JSON");
        let config = &mut body["config"];
        if config["connector.class"] == "postgres-cdc" {
            for (key, value) in &self.keys {
                config[*key] = json!(value);
            }
        }
        body
    }
}

fn keys_of(url: &str) -> Option<Vec<(&'static str, String)>> {
    let url = Url::parse(url).ok()?;
    let is_postgres = matches!(url.scheme(), "postgres" | "postgresql");
    let text = |encoded: &str| {
        percent_decode_str(encoded)
            .decode_utf8()
            .map(String::from)
            .ok()
    };
    let user = text(url.username())?;
    let database = text(url.path().trim_start_matches('/'))?;
    let mut keys = vec![
        ("database.hostname", url.host_str()?.to_owned()),
        ("database.port", url.port().unwrap_or(5432).to_string()),
        (
            "database.dbname",
            if database.is_empty() {
                user.clone()
            } else {
                database
            },
        ),
        ("database.user", user),
    ];
    if let Some(password) = url.password() {
        keys.push(("database.password", text(password)?));
    }
    if let Some((_, mode)) = url.query_pairs().find(|(name, _)| name == "sslmode") {
        keys.push(("database.sslmode", mode.into_owned()));
    }
    is_postgres.then_some(keys)
}

/// What was done to a table, and the events that it must become.
struct Act {
    sql: String,
    is_order: bool,
    expected: Vec<(&'static str, Value)>,
}

fn acts(round: u64) -> [Act; 3] {
    let order = 100 + round;
    [
        Act {
            sql: format!(
                "insert into {NAME}.orders (id, customer, total) values ({order}, 2, 4.50)"
            ),
            is_order: true,
            expected: vec![("c", json!({"id": order}))],
        },
        Act {
            sql: format!(
                "update {NAME}.customers set email = 'grace.{round}@example.com' where id = 2"
            ),
            is_order: false,
            expected: vec![("u", json!({"id": 2}))],
        },
        Act {
            sql: format!("delete from {NAME}.orders where id = {order}"),
            is_order: true,
            expected: vec![("d", json!({"id": order})), ("", json!({"id": order}))],
        },
    ]
}

pub(super) async fn show(
    args: &DemoArgs,
    running: &Running,
    folder: &Folder,
    database: &Database,
) -> Result<Answer> {
    let client = Client::new(&running.rest_url())?;
    for example in [SOURCE, SINK] {
        let body = database.connector(example);
        client.post(&["connectors"], &[], Some(&body)).await?;
    }
    if !args.json {
        event(introduction(running, folder))?;
    }
    let mut n_seen = 0;
    let mut customers = Topic::follow(&client, CUSTOMERS, args).await?;
    for id in 1..=3 {
        n_seen += customers
            .expect(&[("r", json!({ "id": id }))], FIRST_ARRIVES_WITHIN)
            .await?;
    }
    let mut orders = Topic::follow(&client, ORDERS, args).await?;
    n_seen += orders
        .expect(&[("r", json!({ "id": 1 }))], FIRST_ARRIVES_WITHIN)
        .await?;
    let mut round = 0;
    while !args.once || round < ONCE_ROUNDS {
        for act in acts(round) {
            database.run(&act.sql).await?;
            let topic = if act.is_order {
                &mut orders
            } else {
                &mut customers
            };
            // The first change may find the stream not yet begun.
            let within = if round == 0 {
                FIRST_ARRIVES_WITHIN
            } else {
                ARRIVES_WITHIN
            };
            n_seen += topic.expect(&act.expected, within).await?;
            sleep(ACTS_EVERY).await;
        }
        round += 1;
    }
    let text = format!("{n_seen} events of two tables arrived, each as it was expected");
    Ok(Answer::new(json!({ "records": n_seen }), text))
}

/// A topic that is read as it grows.
struct Topic<'a> {
    name: &'static str,
    events: Events,
    args: &'a DemoArgs,
}

impl<'a> Topic<'a> {
    async fn follow(client: &Client, name: &'static str, args: &'a DemoArgs) -> Result<Self> {
        let events = follow(client, name).await?;
        Ok(Self { name, events, args })
    }

    /// Prints the next events, which must be these; a tombstone has no operation.
    async fn expect(&mut self, expected: &[(&str, Value)], within: Duration) -> Result<u64> {
        for (op, key) in expected {
            let record = next_record(&mut self.events, within).await?;
            let (found_key, value) = (parsed(&record["key"]), parsed(&record["value"]));
            let found = value["op"].as_str().unwrap_or_default();
            if found != *op || found_key != *key {
                return Err(missing(format!(
                    "{}: the next event is not {op:?} of {key}: {record}",
                    self.name
                )));
            }
            if !self.args.json {
                let shown = if found.is_empty() { "tombstone" } else { found };
                event(format!("{}  {shown}  {key}  {}", self.name, value["after"]))?;
            }
        }
        Ok(expected.len() as u64)
    }
}

fn parsed(payload: &Value) -> Value {
    let text = payload.as_str().unwrap_or("null");
    serde_json::from_str(text).unwrap_or_default()
}

fn refused(error: longshore_cap_postgres::Error) -> Failure {
    missing(error.to_string()).at("--postgres")
}

fn introduction(running: &Running, folder: &Folder) -> String {
    let (rest, kafka) = (running.rest_url(), running.kafka_addresses());
    let folder = folder.path.display();
    format!(
        "A worker runs in {folder}; Ctrl-C ends it and removes everything.\n\
         \n\
         Two connectors were deployed with POST {rest}/connectors:\n\
         \x20 postgres-cdc  tables of the schema {NAME} -> topics {CUSTOMERS} and {ORDERS}\n\
         \x20 file-sink     topic {ORDERS} -> {folder}/orders.log\n\
         \n\
         In another terminal, try\n\
         \x20 curl '{rest}/connectors/shop/status'\n\
         \x20 curl -N '{rest}/topics/{ORDERS}/records?follow=true'\n\
         \x20 kcat -b {kafka} -t {CUSTOMERS} -C\n"
    )
}
