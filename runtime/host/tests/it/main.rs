//! The real host runs the real guests of the zoo.

mod behaving;
mod connectors;
mod costs;
mod files;
mod hostile_bytes;
mod misbehaving;
mod names;
mod postgres;
mod zoo;
