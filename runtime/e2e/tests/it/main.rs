//! Black-box tests: the real binary, real files, real clients.
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs is there, or the test fails"
)]

mod bad_input;
mod cases;
mod clients;
mod commands;
mod demo;
mod documents;
mod kafka;
mod kill;
mod postgres;
mod simulation;
mod start;
