//! JSON as it stands in the text: a checker that builds nothing, a tree that keeps a number's digits
//! and an object's order, and a writer whose bytes are Jackson's.
//!
//! `serde_json` cannot serve here: its numbers end at 64 bits, its objects are sorted, and its output
//! writes floating-point numbers and characters beyond the basic plane unlike Kafka Connect.
//!
//! *Invariant*: input is an error value or is understood whole, nesting is at most [`DEPTH_MAX`], and
//! memory is at most proportional to the text.

mod reader;
#[cfg(test)]
mod tests;
mod tree;
mod writer;

pub use reader::{DEPTH_MAX, JsonError, Spacing, check, compact};
pub use tree::{Json, parse};
pub use writer::{JsonBuffer, is_plain, write_f32, write_f64, write_short, write_string};
