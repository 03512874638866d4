//! A database of its own on a server that others use too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use longshore_rig::{PASSWORD, Server, USER};
use serde_json::{Value, json};

use super::Psql;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database. Its name is that of its connector, slot, publication and topics as well.
#[derive(Debug)]
pub struct Database {
    /// Its server.
    pub server: Arc<Server>,
    /// Its name.
    pub name: String,
}

impl Database {
    /// Makes an empty one, in UTF-8.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create(server: Arc<Server>) -> Result<Self> {
        Self::create_with(server, "")
    }

    /// The same with options, such as `encoding 'LATIN1'`.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_with(server: Arc<Server>, options: &str) -> Result<Self> {
        let name = format!("d{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut psql = Psql::open(&server, "postgres")?;
        psql.run(&format!(
            "create database {name} template template0 {options}"
        ))?;
        Ok(Self { server, name })
    }

    /// A session as the superuser.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn psql(&self) -> Result<Psql> {
        Psql::open(&self.server, &self.name)
    }

    /// What deploys a connector that captures it: schemaless JSON, and these keys besides or instead; null takes a key away.
    #[must_use]
    pub fn connector(&self, keys: &Value) -> Value {
        let name = &self.name;
        let mut body = json!({"name": name, "config": {
            "connector.class": "postgres-cdc",
            "database.hostname": "127.0.0.1",
            "database.port": self.server.port.to_string(),
            "database.user": USER,
            "database.password": PASSWORD,
            "database.dbname": name,
            "topic.prefix": name,
            "plugin.name": "pgoutput",
            "slot.name": name,
            "publication.name": name,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        }});
        for (key, value) in keys.as_object().into_iter().flatten() {
            if value.is_null() {
                body["config"].as_object_mut().map(|all| all.remove(key));
            } else {
                body["config"][key] = value.clone();
            }
        }
        body
    }
}
