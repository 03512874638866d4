//! Avro binary: one datum under one schema, to a value and back.
//!
//! Reader's and writer's schema are the same here; resolution between two is the registry's matter.
//!
//! *Invariant*: any bytes give a value or an error. What is allocated is at most proportional to the
//! bytes: a length is checked against what is left before it is believed, and values, of which some
//! take no bytes, are counted.

mod cursor;
mod error;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use cursor::Cursor;
pub use error::{Malformed, Mismatch};
pub use read::read;
pub use write::write;
