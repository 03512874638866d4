//! Hears that it must stop, and goes on.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Lingers;

impl Deed for Lingers {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        loop {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

plugin! { name: "lingers", source: Does<Lingers> }
