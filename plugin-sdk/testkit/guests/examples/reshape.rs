//! Changes, drops and refuses records, by config.

use longshore_sdk::{Batch, BatchWriter, Config, Ctx, Datum, Fault, FaultClass, Transform};

/// The transform.
pub struct Reshape {
    config: ReshapeConfig,
}

/// What is done to each record, in this order.
#[derive(Config)]
pub struct ReshapeConfig {
    /// Text values that contain this are left out.
    #[config(name = "drop.containing")]
    drop_containing: Option<String>,
    /// Text values that contain this are bad records.
    #[config(name = "fault.containing")]
    fault_containing: Option<String>,
    /// Whether text values are written in capitals.
    #[config(default = "false")]
    uppercase: bool,
    /// Name of a header that is added.
    #[config(name = "header.name")]
    header_name: Option<String>,
    /// Its value.
    #[config(name = "header.value", default = "")]
    header_value: String,
    /// The topic that records are sent to instead.
    #[config(name = "topic.replacement")]
    topic: Option<String>,
}

impl Transform for Reshape {
    type Config = ReshapeConfig;

    fn configure(_ctx: &Ctx, config: ReshapeConfig) -> Result<Self, Fault> {
        Ok(Self { config })
    }

    fn apply(&mut self, _ctx: &Ctx, batch: &Batch<Vec<u8>>) -> Result<BatchWriter, Fault> {
        let config = &self.config;
        let mut out = BatchWriter::with_capacity(batch.buffer().len());
        for row in batch.rows() {
            let text = match row.value() {
                Datum::Text(text) => text,
                _ => "",
            };
            let contains = |part: &Option<String>| part.as_ref().is_some_and(|p| text.contains(p));
            if contains(&config.drop_containing) {
                continue;
            }
            let mut headers: Vec<_> = row.headers().map(|h| (h.name, h.value)).collect();
            if let Some(name) = &config.header_name {
                headers.push((name, Datum::Text(&config.header_value)));
            }
            let uppercase = text.to_uppercase();
            let mut reshaped = out.like(&row, &headers)?;
            if config.uppercase && !text.is_empty() {
                reshaped.value = Datum::Text(&uppercase);
            }
            if let Some(topic) = &config.topic {
                reshaped.topic = Some(out.topic(topic)?);
            }
            if contains(&config.fault_containing) {
                let message = "the value contains what fault.containing names";
                let fault = Fault::new(FaultClass::BadRecord, "refused-by-config", message);
                reshaped.fault = Some(out.fault(fault)?);
            }
            out.push(&reshaped)?;
        }
        Ok(out)
    }
}

longshore_sdk::plugin! {
    name: "reshape",
    transform: Reshape,
    doc: "Changes, drops and refuses records"
}
