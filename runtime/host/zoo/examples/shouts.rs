//! Well-behaved transform: text in capitals, and a record that whispers is dropped.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Batch, BatchWriter, Config, Ctx, Datum, Fault, NewRow, Transform, plugin};

struct Shouts {
    ending: String,
}

#[derive(Config)]
struct ShoutsConfig {
    /// What every value ends with.
    #[config(default = "!")]
    ending: String,
}

impl Transform for Shouts {
    type Config = ShoutsConfig;

    fn configure(_ctx: &Ctx, config: ShoutsConfig) -> Result<Self, Fault> {
        let ending = config.ending;
        Ok(Self { ending })
    }

    fn apply(&mut self, _ctx: &Ctx, batch: &Batch<Vec<u8>>) -> Result<BatchWriter, Fault> {
        let mut out = BatchWriter::default();
        for (origin, row) in (0..).zip(batch.rows()) {
            let Datum::Text(text) = row.value() else {
                continue;
            };
            if text == "whisper" {
                continue;
            }
            let topic = row.topic().map(|topic| out.topic(topic)).transpose()?;
            let text = text.to_uppercase() + &self.ending;
            let row = NewRow {
                topic,
                origin,
                value: Datum::Text(&text),
                ..NewRow::default()
            };
            out.push(&row)?;
        }
        Ok(out)
    }
}

plugin! { name: "shouts", transform: Shouts }
