//! The log through its interface, over the simulated disk unless a test says otherwise.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod rig;
mod simulation;
