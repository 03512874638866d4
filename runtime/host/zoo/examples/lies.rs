//! Claims to have read what its stream never delivered.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    Ctx, Fault, PollLimits, Polled, Source, SourcePosition, TaskContext, Watermark, plugin,
};

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
            watermarks: vec![Watermark {
                stream: 7,
                value: 100,
            }],
            ..Polled::default()
        })
    }
}

plugin! { name: "lies", source: Guest }
