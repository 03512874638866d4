//! A fake host for connectors, and the contract that every connector passes.
//!
//! Connectors compile natively and run over [`FakeHost`]: files in memory, a clock that stands until
//! it is moved, waits that end when the test says so, a log that can be read. The host can be killed
//! at any call and can forget what was not synced. Its [`FakeUpstream`] forgets what was acknowledged,
//! from the first day: a source that claims more than it delivered loses records here.
//! [`contract::source`] and [`contract::sink`] are the suites.
//!
//! *Must not know*: any connector, any part of the runtime. *Invariant*: nothing sleeps and nothing is
//! random; a failure names the call at which the host was killed.
#![cfg(not(target_family = "wasm"))]

pub mod contract;
mod drive;
mod files;
mod host;
mod upstream;

pub use drive::{Call, Step, complete};
pub use files::Loss;
pub use host::{FakeHost, LogLine};
pub use upstream::FakeUpstream;
