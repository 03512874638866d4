#![doc = include_str!("layout.md")]

mod layout;
mod reader;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub use layout::{BATCH_BYTES_MAX, LARGE_BATCH_BYTES_MAX, LARGE_BATCH_ROWS_MAX, Malformed};
pub use reader::{Batch, Header, Headers, Row};
pub use writer::{BatchWriter, FaultIndex, NewRow, SourceIndex, TopicIndex};

/// A key, a value or a header's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Datum<'a> {
    /// Nothing: a tombstone, as a value.
    #[default]
    Null,
    /// Bytes as they are.
    Bytes(&'a [u8]),
    /// Connect's STRING.
    Text(&'a str),
    /// JSON without a schema.
    Json(&'a str),
    /// Avro binary under a declared schema.
    Avro {
        /// Handle that `schemas.declare` returned.
        schema: u32,
        /// The datum.
        bytes: &'a [u8],
    },
}

impl<'a> Datum<'a> {
    /// The bytes as they stand in the batch; none for [`Datum::Null`].
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Null => &[],
            Self::Bytes(bytes) | Self::Avro { bytes, .. } => bytes,
            Self::Text(text) | Self::Json(text) => text.as_bytes(),
        }
    }

    fn kind(self) -> u8 {
        match self {
            Self::Null => layout::KIND_NULL,
            Self::Bytes(_) => layout::KIND_BYTES,
            Self::Text(_) => layout::KIND_TEXT,
            Self::Json(_) => layout::KIND_JSON,
            Self::Avro { .. } => layout::KIND_AVRO,
        }
    }

    fn schema(self) -> u32 {
        match self {
            Self::Avro { schema, .. } => schema,
            _ => 0,
        }
    }
}
