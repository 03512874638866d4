//! The tree.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Value;

/// The name of Connect's Decimal.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// The name of Connect's Date.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// The name of Connect's Time.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// The name of Connect's Timestamp.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";

/// A schema. Clones share what lies beneath.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// What it is, and how Avro writes it.
    pub kind: Kind,
    /// Whether it takes null. Avro writes a union with null.
    pub optional: bool,
    /// Whether that union has null second; `AvroData` does so where there is a default.
    pub null_last: bool,
    /// Its name: a struct's, or what a logical type is known by.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<i32>,
    /// Its documentation.
    pub doc: Option<String>,
    /// Named texts, in order.
    pub parameters: Vec<(String, String)>,
    /// What stands where a value is missing.
    pub default: Option<Value>,
}

/// What a schema is, and how Avro writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// BOOLEAN.
    Boolean,
    /// INT8, an Avro int.
    Int8,
    /// INT16, an Avro int.
    Int16,
    /// INT32, an Avro int.
    Int32,
    /// INT64, an Avro long.
    Int64,
    /// FLOAT32.
    Float32,
    /// FLOAT64.
    Float64,
    /// STRING.
    String,
    /// STRING, an Avro enum.
    Enum {
        /// Avro's full name.
        name: String,
        /// The symbols in the order of their numbers.
        symbols: Arc<[String]>,
    },
    /// BYTES.
    Bytes,
    /// BYTES, an Avro fixed.
    Fixed {
        /// Avro's full name.
        name: String,
        /// The length of each value.
        size: usize,
    },
    /// ARRAY of its items.
    Array(Arc<Schema>),
    /// MAP: an Avro map where the keys are required strings, else an array of entries.
    Map(Arc<Entry>),
    /// STRUCT, an Avro record.
    Struct(Arc<[Field]>),
    /// STRUCT of optional fields of which one is set, an Avro union of their types.
    Union(Arc<[Field]>),
}

/// The two sides of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Of the keys.
    pub key: Schema,
    /// Of the values.
    pub value: Schema,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub schema: Schema,
}

/// Connect's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Boolean,
    /// 8 bits with a sign.
    Int8,
    /// 16 bits with a sign.
    Int16,
    /// 32 bits with a sign.
    Int32,
    /// 64 bits with a sign.
    Int64,
    /// A floating-point number of 32 bits.
    Float32,
    /// A floating-point number of 64 bits.
    Float64,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// Values of one schema.
    Array,
    /// Keys of one schema to values of another.
    Map,
    /// Named fields.
    Struct,
}

impl Type {
    /// Connect's name of it, in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Array => "ARRAY",
            Self::Map => "MAP",
            Self::Struct => "STRUCT",
        }
    }
}

impl Schema {
    /// A required schema without a name.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            optional: false,
            null_last: false,
            name: None,
            version: None,
            doc: None,
            parameters: Vec::new(),
            default: None,
        }
    }

    /// The same, taking null.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self.null_last = self.default.is_some();
        self
    }

    /// Connect's type of it.
    #[must_use]
    pub const fn connect_type(&self) -> Type {
        match self.kind {
            Kind::Boolean => Type::Boolean,
            Kind::Int8 => Type::Int8,
            Kind::Int16 => Type::Int16,
            Kind::Int32 => Type::Int32,
            Kind::Int64 => Type::Int64,
            Kind::Float32 => Type::Float32,
            Kind::Float64 => Type::Float64,
            Kind::String | Kind::Enum { .. } => Type::String,
            Kind::Bytes | Kind::Fixed { .. } => Type::Bytes,
            Kind::Array(_) => Type::Array,
            Kind::Map(_) => Type::Map,
            Kind::Struct(_) | Kind::Union(_) => Type::Struct,
        }
    }

    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Sets a parameter, in its old place where there is one.
    pub fn set_parameter(&mut self, name: &str, value: &str) {
        match self.parameters.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = String::from(value),
            None => self.parameters.push((name.into(), value.into())),
        }
    }

    /// The scale, of a Decimal whose scale is a number.
    #[must_use]
    pub fn decimal_scale(&self) -> Option<i32> {
        if self.name.as_deref() != Some(DECIMAL) {
            return None;
        }
        self.parameter(super::SCALE_PARAMETER)?.parse().ok()
    }
}

impl Entry {
    /// Whether Avro has a map for it, which takes required strings as keys only.
    #[must_use]
    pub fn has_text_keys(&self) -> bool {
        matches!(self.key.kind, Kind::String) && !self.key.optional
    }
}
