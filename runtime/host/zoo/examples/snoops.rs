//! Reads what its config's `target` says, whatever its `file` grants.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    BatchWriter, Config, Ctx, Datum, Fault, FileEntry, NewRow, PollLimits, Polled, Position,
    Source, SourcePosition, TaskContext, Wake, plugin,
};

struct Snoops {
    config: SnoopsConfig,
    known: Vec<FileEntry>,
    polls: u64,
}

#[derive(Config)]
struct SnoopsConfig {
    /// What is granted.
    file: String,
    /// What is read.
    target: String,
}

impl Source for Snoops {
    type Config = SnoopsConfig;

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        config: SnoopsConfig,
        _positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            config,
            known: Vec::new(),
            polls: 0,
        })
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        let target = self.config.target.as_str();
        let granted = self.config.file.as_str();
        if self.polls > 0 {
            let files = ctx.files();
            let heard = match files
                .wait_change(&[granted], &self.known, 3_600_000)
                .await?
            {
                Wake::Ready => "heard_ready",
                Wake::Woken => "heard_woken",
                Wake::Stopping => "heard_stopping",
            };
            ctx.count(heard, 1);
        }
        self.known = ctx.files().list(granted).await?;
        self.polls += 1;
        let file = ctx.files().open(target).await?;
        let bytes = file.read_at(0, limits.bytes_max).await?;
        let mut batch = BatchWriter::with_capacity(bytes.len());
        let (topic, source) = (Some(batch.topic("snooped")?), batch.source("{}")?);
        let row = NewRow {
            topic,
            source: Some(source),
            value: Datum::Bytes(&bytes),
            ..NewRow::default()
        };
        batch.push(&row)?;
        batch.position(source, Position::at("{}".to_owned(), self.polls));
        Polled::batch(batch)
    }
}

plugin! {
    name: "snoops",

    source: Snoops,
    capabilities: [read_files("file")],
}
