//! The one data model inside: Kafka Connect's schemas, as Avro with the `connect.*` properties.
//!
//! A [`Schema`] is Connect's schema tree, and each of its nodes says too how Avro writes it, so one
//! tree serves the converters and the datum reader and writer. It is read from Avro's JSON and
//! printed to it by the rules of Confluent's `AvroData`.
//!
//! What is not kept: Avro's aliases, `order`, the `doc` of fields, and properties that nobody here
//! knows. A registry keeps the declared text itself. Recursive types are refused. Names are taken as
//! they are; only a registry holds them to Avro's grammar.
//!
//! *Invariant*: nesting is at most [`SCHEMA_DEPTH_MAX`] and a tree, its named types written out where
//! they are used, has at most [`SCHEMA_NODES_MAX`] nodes.

mod defaults;
mod error;
mod parse;
mod print;
#[cfg(test)]
mod tests;
mod tree;

pub use error::InvalidSchema;
pub use tree::{DATE, DECIMAL, Entry, Field, Kind, Schema, TIME, TIMESTAMP, Type};

/// Deepest nesting of types.
pub const SCHEMA_DEPTH_MAX: usize = 64;
/// Most nodes of a tree.
pub const SCHEMA_NODES_MAX: usize = 65_536;

/// Avro's name of a struct that has none; more of them are numbered.
const DEFAULT_NAME: &str = "io.confluent.connect.avro.ConnectDefault";
/// The record that stands for a map's entry where the keys are not plain strings.
const MAP_ENTRY: &str = "io.confluent.connect.avro.MapEntry";
/// The name of the struct that a union becomes.
const UNION: &str = "io.confluent.connect.avro.Union";
/// The parameter that names an enum; with a dot and a symbol behind it, one for each symbol.
const ENUM_PARAMETER: &str = "io.confluent.connect.avro.Enum";
const FIXED_SIZE_PARAMETER: &str = "connect.fixed.size";
const PRECISION_PARAMETER: &str = "connect.decimal.precision";
const SCALE_PARAMETER: &str = "scale";
/// The precision that is not written as a parameter.
const PRECISION_DEFAULT: i64 = 64;
