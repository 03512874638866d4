//! The log through its interface, over the simulated disk unless a test says otherwise.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod appends;
mod faults;
mod opening;
mod ports;
mod producing;
mod reading;
mod retention;
mod rig;
mod simulation;
mod threads;
mod topics;
