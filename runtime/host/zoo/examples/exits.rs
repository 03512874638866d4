//! Ends its process, which it has not.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Exits;

impl Deed for Exits {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        std::process::exit(3);
    }
}

plugin! { name: "exits", source: Does<Exits> }
