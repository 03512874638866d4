//! Returns bytes that are no batch.
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

    async fn poll(&mut self, _ctx: &Ctx, _limits: PollLimits) -> Result<Polled, Fault> {
        Ok(Polled {
            batch: b"LSB\x01 and then nonsense".to_vec(),
            ..Polled::default()
        })
    }
}

plugin! { name: "garbles", source: Guest }
