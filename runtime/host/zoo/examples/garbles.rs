//! Returns bytes that are no batch.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Garbles;

impl Deed for Garbles {
    async fn poll(_ctx: &Ctx) -> Result<Polled, Fault> {
        Ok(Polled {
            batch: b"LSB\x01 and then nonsense".to_vec(),
            watermarks: Vec::new(),
        })
    }
}

plugin! { name: "garbles", source: Does<Garbles> }
