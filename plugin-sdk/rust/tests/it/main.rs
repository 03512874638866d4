//! The SDK as an author sees it.

mod config;
mod errors;
mod manifest;
