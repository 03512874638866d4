//! How far a source has come. The offset means something to its connector only; the host compares
//! the order, and nothing else.

use alloc::string::String;

/// Where a position stands among the positions of its source partition: greater is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order(pub u128);

/// A place in one source partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// JSON object of the connector's own, stored as the value of an offsets record.
    pub offset: String,
    /// Absent where the offset was set from outside, so that its place in the order is not known.
    pub order: Option<Order>,
}

impl Position {
    /// A place whose order is known.
    #[must_use]
    pub fn at(offset: impl Into<String>, order: impl Into<u128>) -> Self {
        Self {
            offset: offset.into(),
            order: Some(Order(order.into())),
        }
    }
}

/// A position and the source partition that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourcePosition {
    /// JSON object that names the source partition.
    pub partition: String,
    /// How far it has been read.
    pub position: Position,
}

/// How far a capability's stream has been turned into records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Watermark {
    /// The stream's id, as its capability gave it.
    pub stream: u32,
    /// Whatever the stream counts in, such as an LSN.
    pub value: u64,
}
