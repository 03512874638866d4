//! Well-behaved source: numbered records, as many as its config says, then it waits.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    BatchWriter, Config, Ctx, Datum, Fault, FaultClass, Level, NewRow, PollLimits, Polled,
    Position, Problem, Source, SourcePosition, TaskContext, Wake, plugin,
};

struct Counts {
    config: CountsConfig,
    next: u64,
}

#[derive(Config)]
struct CountsConfig {
    /// The topic that records go to.
    #[config(importance = "high", topic)]
    topic: String,
    /// How many records there are.
    #[config(default = "10")]
    records: u64,
    /// What validation finds wrong; nothing without it.
    problem: Option<String>,
    /// What validation finds odd; nothing without it.
    oddity: Option<String>,
}

const PARTITION: &str = r#"{"counts":1}"#;

impl Source for Counts {
    type Config = CountsConfig;

    async fn validate(_ctx: &Ctx, config: CountsConfig) -> Vec<Problem> {
        let fault = |text| Fault::new(FaultClass::Config, "counts-problem", text);
        let problem = |text| Problem::refusal("problem", fault(text));
        let oddity = |text| Problem::warning("oddity", fault(text));
        let problems = config.problem.map(problem).into_iter();
        problems.chain(config.oddity.map(oddity)).collect()
    }

    async fn open(
        ctx: &Ctx,
        task: TaskContext,
        config: CountsConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        let name = format!("{}-{}", task.connector, task.task);
        ctx.log(Level::Info, "opened", &[("task", &name)]);
        let stored = positions
            .iter()
            .find(|stored| stored.partition == PARTITION);
        let next = stored
            .and_then(|stored| stored.position.order)
            .map_or(0, |order| order.0);
        let next = u64::try_from(next).unwrap_or(u64::MAX);
        Ok(Self { config, next })
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        let mut batch = BatchWriter::default();
        if self.next >= self.config.records {
            let heard = match ctx.wait(3_600_000).await {
                Wake::Ready => "heard.ready",
                Wake::Woken => "heard.woken",
                Wake::Stopping => "heard.stopping",
            };
            ctx.count(&heard.replace('.', "_"), 1);
            return Polled::batch(batch);
        }
        let topic = Some(batch.topic(&self.config.topic)?);
        let source = batch.source(PARTITION)?;
        while batch.rows() < limits.records_max && self.next < self.config.records {
            let text = format!("record {}", self.next);
            let row = NewRow {
                topic,
                source: Some(source),
                value: Datum::Text(&text),
                ..NewRow::default()
            };
            batch.push(&row)?;
            self.next += 1;
        }
        let offset = format!(r#"{{"next":{}}}"#, self.next);
        batch.position(source, Position::at(offset, self.next));
        ctx.count("records", u64::from(batch.rows()));
        Polled::batch(batch)
    }

    async fn commit(&mut self, ctx: &Ctx, positions: Vec<SourcePosition>) {
        for stored in positions {
            ctx.progress(&stored.position.offset);
        }
    }

    async fn close(self, ctx: &Ctx) {
        ctx.count("closed", 1);
    }
}

plugin! { name: "counts", source: Counts, aliases: ["org.example.Counts"] }
