//! Orders counted upwards: text keys, Avro values.

use longshore_sdk::schema::Schema;
use longshore_sdk::{
    BatchWriter, Config, Contract, Contracts, Ctx, Datum, Fault, FaultClass, NewRow, PollLimits,
    Polled, Position, Source, SourcePosition, TaskContext, Value, avro,
};
use serde_json::json;

const SOURCE: &str = r#"{"orders":1}"#;

/// A source of orders.
pub struct Orders {
    config: OrdersConfig,
    next: u64,
    schema: Schema,
    handle: u32,
}

/// What is produced.
#[derive(Config)]
pub struct OrdersConfig {
    /// The topic that orders go to.
    #[config(importance = "high", topic)]
    topic: String,
    /// How many orders there are.
    #[config(default = "10")]
    orders: u64,
    /// Namespace of the record, which makes it another schema.
    #[config(default = "shop", not_empty)]
    namespace: String,
}

impl OrdersConfig {
    fn schema(&self) -> String {
        json!({
            "type": "record",
            "name": "Order",
            "namespace": self.namespace,
            "fields": [
                {"name": "id", "type": "long"},
                {"name": "note", "type": ["null", "string"], "default": null},
            ],
        })
        .to_string()
    }
}

impl Source for Orders {
    type Config = OrdersConfig;

    async fn open(
        ctx: &Ctx,
        _task: TaskContext,
        config: OrdersConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        let json = config.schema();
        let schema = Schema::parse(&json).map_err(|e| config_fault("namespace", e.to_string()))?;
        let next = positions.first().map_or(Ok(0), next_of)?;
        Ok(Self {
            handle: ctx.declare_schema(&json)?,
            config,
            next,
            schema,
        })
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        if self.next >= self.config.orders {
            ctx.wait(60_000).await;
            return Ok(Polled::default());
        }
        let mut batch = BatchWriter::default();
        let topic = Some(batch.topic(&self.config.topic)?);
        let source = batch.source(SOURCE)?;
        while batch.rows() < limits.records_max && self.next < self.config.orders {
            let note = match self.next % 2 {
                0 => Value::Null,
                _ => Value::String(format!("order {}", self.next)),
            };
            let id = i64::try_from(self.next).map_err(|e| fatal(e.to_string()))?;
            let order = Value::Struct(vec![Value::Int64(id), note]);
            let mut bytes = Vec::new();
            let written = avro::write(&self.schema, &order, &mut bytes);
            written.map_err(|e| fatal(e.to_string()))?;
            let key = self.next.to_string();
            batch.push(&NewRow {
                topic,
                source: Some(source),
                key: Datum::Text(&key),
                value: Datum::Avro {
                    schema: self.handle,
                    bytes: &bytes,
                },
                ..NewRow::default()
            })?;
            self.next += 1;
        }
        let offset = json!({ "next": self.next }).to_string();
        batch.position(source, Position::at(offset, self.next));
        ctx.count("orders_made", u64::from(batch.rows()));
        Polled::batch(batch)
    }

    async fn alter_offsets(
        _ctx: &Ctx,
        config: OrdersConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<bool, Fault> {
        for position in &positions {
            if next_of(position)? > config.orders {
                let message = format!("offset {} is past the last order", position.position.offset);
                return Err(config_fault("orders", message));
            }
        }
        Ok(true)
    }
}

impl Contracts for Orders {
    async fn contracts(_ctx: &Ctx, config: OrdersConfig) -> Result<Vec<Contract>, Fault> {
        Ok(vec![Contract {
            key_schema: None,
            value_schema: Some(config.schema()),
            topic: config.topic,
        }])
    }
}

fn next_of(position: &SourcePosition) -> Result<u64, Fault> {
    let offset: serde_json::Value = serde_json::from_str(&position.position.offset)
        .map_err(|e| config_fault("offset", e.to_string()))?;
    let next = offset.get("next").and_then(serde_json::Value::as_u64);
    let is_ours = position.partition == SOURCE;
    next.filter(|_| is_ours).ok_or_else(|| {
        let expected = format!("expected {SOURCE} with {{\"next\": number}}");
        config_fault("offset", expected)
    })
}

fn config_fault(key: &str, message: String) -> Fault {
    Fault::new(FaultClass::Config, "invalid-config", message).with("key", key)
}

fn fatal(message: String) -> Fault {
    Fault::new(FaultClass::Fatal, "order-not-written", message)
}

longshore_sdk::plugin! {
    name: "orders",
    source: Orders,
    doc: "Orders counted upwards, as Avro",
    optional: [contracts]
}
