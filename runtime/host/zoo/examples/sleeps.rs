//! Sleeps where it should wait.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Sleeps;

impl Deed for Sleeps {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        std::thread::sleep(std::time::Duration::from_secs(3_600));
        Ok(Polled::default())
    }
}

plugin! { name: "sleeps", source: Does<Sleeps> }
