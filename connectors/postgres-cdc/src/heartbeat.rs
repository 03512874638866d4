//! Records that say that the capture lives, and a query that makes the server write something to capture.

use longshore_sdk::postgres::Session;
use longshore_sdk::{Ctx, Datum, Fault, FaultClass, Level, NewRow};

use crate::config::Keys;
use crate::work::Filling;

const KEY_SCHEMA: &str = r#"{"type":"record","name":"ServerNameKey","namespace":"io.debezium.connector.common","fields":[{"name":"serverName","type":"string"}],"connect.name":"io.debezium.connector.common.ServerNameKey","connect.version":1}"#;
const VALUE_SCHEMA: &str = r#"{"type":"record","name":"Heartbeat","namespace":"io.debezium.connector.common","fields":[{"name":"ts_ms","type":"long"}],"connect.name":"io.debezium.connector.common.Heartbeat","connect.version":1}"#;

/// When the next heartbeat is due, and what it says.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval_us: i64,
    last_us: i64,
    topic: String,
    key: Vec<u8>,
    /// Handles of key and value.
    schemas: Option<(u32, u32)>,
    query: Option<String>,
}

impl Heartbeat {
    pub(crate) fn new(ctx: &Ctx, keys: &Keys) -> Result<Self, Fault> {
        let mut key = Vec::new();
        crate::value::bytes(&mut key, keys.topic_prefix.as_bytes());
        let schemas = match keys.heartbeat_interval_ms {
            0 => None,
            _ => Some((
                ctx.declare_schema(KEY_SCHEMA)?,
                ctx.declare_schema(VALUE_SCHEMA)?,
            )),
        };
        Ok(Self {
            interval_us: i64::try_from(keys.heartbeat_interval_ms * 1000).unwrap_or(i64::MAX),
            last_us: ctx.now_us(),
            topic: format!("{}.{}", keys.heartbeat_prefix, keys.topic_prefix),
            key,
            schemas,
            query: keys
                .heartbeat_query
                .clone()
                .filter(|query| !query.trim().is_empty()),
        })
    }

    /// Milliseconds until the next one.
    pub(crate) fn due_in_ms(&self, ctx: &Ctx) -> u64 {
        if self.schemas.is_none() {
            return u64::MAX;
        }
        let left_us = self.last_us + self.interval_us - ctx.now_us();
        u64::try_from(left_us).map_or(0, |left_us| left_us.div_ceil(1000))
    }

    /// Writes one where it is due.
    pub(crate) async fn beat(
        &mut self,
        ctx: &Ctx,
        asking: &Session,
        filling: &mut Filling,
    ) -> Result<(), Fault> {
        let Some((key_schema, value_schema)) = self.schemas else {
            return Ok(());
        };
        if self.due_in_ms(ctx) > 0 {
            return Ok(());
        }
        self.last_us = ctx.now_us();
        if let Some(query) = &self.query {
            match asking.query(query).await {
                Ok(_) => {}
                Err(fault) if fault.class == FaultClass::Retriable => return Err(fault),
                Err(fault) => {
                    let text = fault.to_string();
                    let fields = [("code", &*fault.code), ("error", &*text)];
                    ctx.log(Level::Warn, "heartbeat.action.query failed", &fields);
                }
            }
        }
        let mut value = Vec::new();
        crate::value::long(&mut value, self.last_us / 1000);
        let topic = Some(filling.batch.topic(&self.topic)?);
        let row = NewRow {
            topic,
            source: Some(filling.source),
            key: Datum::Avro {
                schema: key_schema,
                bytes: &self.key,
            },
            value: Datum::Avro {
                schema: value_schema,
                bytes: &value,
            },
            ..NewRow::default()
        };
        Ok(filling.batch.push(&row)?)
    }
}
