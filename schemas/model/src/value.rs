//! Values of Kafka Connect's types.

use alloc::string::String;
use alloc::vec::Vec;

/// A value. Which one a schema takes: [`crate::schema::Kind`].
///
/// A logical type's value is what lies beneath it: a Decimal is the bytes of its unscaled number
/// (two's complement, the highest byte first), a Date days, a Time milliseconds of the day, a
/// Timestamp milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// INT8.
    Int8(i8),
    /// INT16.
    Int16(i16),
    /// INT32.
    Int32(i32),
    /// INT64.
    Int64(i64),
    /// FLOAT32.
    Float32(f32),
    /// FLOAT64.
    Float64(f64),
    /// STRING.
    String(String),
    /// BYTES.
    Bytes(Vec<u8>),
    /// ARRAY.
    Array(Vec<Self>),
    /// MAP, in the order in which its entries were written.
    Map(Vec<(Self, Self)>),
    /// STRUCT: a value for each field of the schema, in its order.
    Struct(Vec<Self>),
}
