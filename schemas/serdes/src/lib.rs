//! Values to the bytes of a topic and back, as Kafka Connect's converters do it.
//!
//! Pure functions over slices, chosen by a class name and its settings: no topics, no registry, no
//! IO. What Java's converters would change without a word (a number that wraps, a word read as 0, an
//! unknown character) is kept or is an error here; each module says where.
//!
//! *Invariant*: any bytes give a value or a [`SerdeError`], which never holds them.

mod converter;
mod decimal;
mod error;
mod header;
mod json;
mod settings;
mod text;

pub use converter::{Converter, Deserialized, HeaderConverter, Plan, Serialized};
pub use error::SerdeError;
pub use settings::{ConfigProblem, classes, header_classes};
