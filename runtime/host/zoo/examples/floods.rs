//! Gives far too much of what its config says.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    BatchWriter, Config, Ctx, Datum, Fault, LARGE_BATCH_BYTES_MAX, Level, Malformed, NewRow,
    PollLimits, Polled, Source, SourcePosition, TaskContext, plugin,
};

struct Floods {
    config: FloodsConfig,
}

#[derive(Config)]
struct FloodsConfig {
    /// What there is too much of.
    #[config(one_of(
        "batch", "row", "hostcall", "records", "log", "stderr", "metrics", "progress"
    ))]
    what: String,
}

impl Source for Floods {
    type Config = FloodsConfig;

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        config: FloodsConfig,
        _positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Ok(Self { config })
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        let long = "x".repeat(100_000);
        match self.config.what.as_str() {
            "batch" => return Ok(bytes(9 << 20)),
            "row" => return one_large_row(),
            "hostcall" => return Ok(bytes(112 << 20)),
            "records" => return too_many_records(limits),
            "log" => (0..2_000).for_each(|_| ctx.log(Level::Warn, &long, &[("long", &long)])),
            "stderr" => (0..2_000).for_each(|n| eprintln!("line {n}")),
            "metrics" => (0..1_000).for_each(|n| ctx.count(&format!("metric_{n}"), 1)),
            _ => ctx.progress(&format!("{{\"long\":\"{long}\"}}")),
        }
        Ok(Polled::default())
    }
}

fn bytes(n: usize) -> Polled {
    Polled {
        batch: vec![0; n],
        ..Polled::default()
    }
}

/// As large as a batch may be, which is not too much.
fn one_large_row() -> Result<Polled, Fault> {
    let mut batch = BatchWriter::default();
    let topic = Some(batch.topic("flood")?);
    let row = NewRow {
        topic,
        ..NewRow::default()
    };
    let bytes = LARGE_BATCH_BYTES_MAX - 200;
    batch.reserve(bytes);
    batch.push_written(&row, 0, |out| {
        out.resize(out.len() + bytes, 7);
        Ok::<_, Malformed>(())
    })?;
    Polled::batch(batch)
}

fn too_many_records(limits: PollLimits) -> Result<Polled, Fault> {
    let mut batch = BatchWriter::default();
    let topic = Some(batch.topic("flood")?);
    for _ in 0..=limits.records_max {
        let value = Datum::Text("drop");
        batch.push(&NewRow {
            topic,
            value,
            ..NewRow::default()
        })?;
    }
    Polled::batch(batch)
}

plugin! { name: "floods", source: Floods }
