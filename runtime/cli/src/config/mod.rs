//! The worker's configuration: one flat table of dotted keys, in layers, each value with its origin.
//!
//! Owns: which keys there are, what each accepts, where a value came from.
//! Must not know: what the values are used for.
//! Invariant: whatever is accepted works. A key that decides where data goes and does not work here is refused by name.

mod layers;
mod listener;
mod properties;
mod settings;
mod table;

pub(crate) use layers::{Layers, environment, file, set_options};
pub(crate) use listener::resolve;
pub(crate) use settings::{FlushSetting, Settings};
