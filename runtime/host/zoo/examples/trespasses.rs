//! Opens a socket, which nobody is given.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, FaultClass, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Trespasses;

impl Deed for Trespasses {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        let reached = std::net::TcpStream::connect("127.0.0.1:22");
        reached.map_err(|e| Fault::new(FaultClass::Fatal, "no-socket", e.to_string()))?;
        Ok(Polled::default())
    }
}

plugin! { name: "trespasses", source: Does<Trespasses> }
