//! Connects to a PostgreSQL server, which its manifest does not ask for.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, PollLimits, Polled, Source, SourcePosition, TaskContext, plugin};

struct Guest;

impl Source for Guest {
    type Config = ();

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        _config: (),
        _positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Ok(Self)
    }

    async fn poll(&mut self, ctx: &Ctx, _limits: PollLimits) -> Result<Polled, Fault> {
        ctx.postgres().connect(&[]).await?;
        Ok(Polled::default())
    }
}

plugin! { name: "intrudes", source: Guest }
