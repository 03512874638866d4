//! Uses files, which its manifest does not ask for.
#![cfg(target_family = "wasm")]

use longshore_sdk::{Ctx, Fault, Polled, plugin};
use longshore_zoo::{Deed, Does};

struct Oversteps;

impl Deed for Oversteps {
    async fn poll(ctx: &Ctx) -> Result<Polled, Fault> {
        ctx.files().open("/etc/passwd").await?;
        Ok(Polled::default())
    }
}

plugin! { name: "oversteps", source: Does<Oversteps> }
