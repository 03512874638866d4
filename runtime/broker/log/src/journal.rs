//! The journal: frames, one after another, in files that each begin with a snapshot of the state.
//!
//! Must not know: what state means, who waits for a write.
//! Invariant: a frame is there wholly or not at all. One that was durable and is damaged is a named error.

mod file;
mod frame;
mod scan;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use file::{FILE_HEADER_BYTES, Files};
pub(crate) use frame::{EncodedFrame, Item, Placed};
pub(crate) use scan::{FrameReader, ValidAfter, valid_after};
pub(crate) use writer::Writer;
