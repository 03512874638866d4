//! The flows over the broker's twin in memory and scripted plugins, under paused time.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod fixture;
mod sink_flow;
mod source_flow;
