//! Hears that it must stop, and goes on.
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
        loop {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

plugin! { name: "lingers", source: Guest }
