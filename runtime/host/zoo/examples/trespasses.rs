//! Opens a socket, which nobody is given.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    Ctx, Fault, FaultClass, PollLimits, Polled, Source, SourcePosition, TaskContext, plugin,
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
        let reached = std::net::TcpStream::connect("127.0.0.1:22");
        reached.map_err(|e| Fault::new(FaultClass::Fatal, "no-socket", e.to_string()))?;
        Ok(Polled::default())
    }
}

plugin! { name: "trespasses", source: Guest }
