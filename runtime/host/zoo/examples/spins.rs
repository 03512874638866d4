//! Computes for ever.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Spins;

impl Deed for Spins {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        let mut n = 0_u64;
        loop {
            n = std::hint::black_box(n.wrapping_add(1));
        }
    }
}

plugin! { name: "spins", source: Does<Spins> }
