//! Claims to have read what its stream never delivered.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, Watermark, plugin};
use longshore_zoo::{Deed, Does};

struct Lies;

impl Deed for Lies {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        Ok(Polled {
            batch: Vec::new(),
            watermarks: vec![Watermark {
                stream: 7,
                value: 100,
            }],
        })
    }
}

plugin! { name: "lies", source: Does<Lies> }
