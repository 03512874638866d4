//! Panics.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Traps;

impl Deed for Traps {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        eprintln!("about to panic");
        panic!("the guest has had enough");
    }
}

plugin! { name: "traps", source: Does<Traps> }
