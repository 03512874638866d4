//! Keeps every byte that it can get.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Leaks;

impl Deed for Leaks {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        let mut kept = Vec::new();
        loop {
            kept.push(std::hint::black_box(vec![1_u8; 1 << 20]));
        }
    }
}

plugin! { name: "leaks", source: Does<Leaks> }
