//! Guests that misbehave on purpose, one to an example, and a few that behave.
//!
//! The host's tests run each of them as the WebAssembly that it compiles to:
//! `cargo build --package longshore-zoo --examples --target wasm32-wasip2 --profile guest`.
//!
//! They are guests only: for the machine that builds them they are empty.
//!
//! *Invariant*: every guest here has a test in the host; a test compares the names.

use std::marker::PhantomData;

use longshore_sdk::{Ctx, Fault, PollLimits, Polled, Source, SourcePosition, TaskContext};

/// What a guest does whenever it is polled.
pub trait Deed {
    /// Does it.
    ///
    /// # Errors
    /// Where the deed is to fail.
    fn poll(ctx: &Ctx) -> impl Future<Output = Result<Polled, Fault>>;
}

/// A source without a config that does one thing.
#[derive(Debug)]
pub struct Does<D>(PhantomData<D>);

impl<D: Deed> Source for Does<D> {
    type Config = ();

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        _config: (),
        _positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Ok(Self(PhantomData))
    }

    async fn poll(&mut self, ctx: &Ctx, _limits: PollLimits) -> Result<Polled, Fault> {
        D::poll(ctx).await
    }
}
