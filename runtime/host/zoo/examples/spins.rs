//! Computes for ever.
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
        let mut n = 0_u64;
        loop {
            n = std::hint::black_box(n.wrapping_add(1));
        }
    }
}

plugin! { name: "spins", source: Guest }
