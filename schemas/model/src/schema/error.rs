use alloc::string::String;

use super::{SCHEMA_DEPTH_MAX, SCHEMA_NODES_MAX};
use crate::json::JsonError;

/// Why a text is not a schema. `path` leads to the type, as in `Order.lines.price`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchema {
    /// Not JSON.
    #[error("schema is {0}")]
    Json(#[from] JsonError),
    /// An attribute is missing or is not what it should be.
    #[error("schema at {path}: {attribute} is missing or is not {expected}")]
    Attribute {
        /// Where.
        path: String,
        /// The attribute.
        attribute: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A type that nothing defines.
    #[error("schema at {path}: no type is named {name}")]
    UnknownType {
        /// Where.
        path: String,
        /// The name.
        name: String,
    },
    /// A name that is defined twice, or two fields of one name.
    #[error("schema at {path}: {name} is defined twice")]
    Duplicate {
        /// Where.
        path: String,
        /// The name.
        name: String,
    },
    /// What Avro allows and this model does not hold.
    #[error("schema at {path}: {what}")]
    Unsupported {
        /// Where.
        path: String,
        /// What.
        what: &'static str,
    },
    /// A default that the type does not take.
    #[error("schema at {path}: the default is not a value of the type")]
    Default {
        /// Where.
        path: String,
    },
    /// Nested too deep.
    #[error("schema at {path}: nested deeper than {SCHEMA_DEPTH_MAX}")]
    Depth {
        /// Where.
        path: String,
    },
    /// Too large, with its named types written out.
    #[error("schema at {path}: more than {SCHEMA_NODES_MAX} types")]
    Nodes {
        /// Where.
        path: String,
    },
}
