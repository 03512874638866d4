//! Black-box tests: the real binary, real files, real clients.

mod bad_input;
mod cases;
mod clients;
mod commands;
mod documents;
mod kafka;
mod kill;
mod start;
