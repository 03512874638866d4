use longshore_model::FaultClass;
use longshore_model::avro::{Malformed, Mismatch};
use longshore_model::json::JsonError;

/// Why a key or a value is not what its converter takes. Places are paths of field names or bytes;
/// neither values nor the keys of maps are ever in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerdeError {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not a datum of its schema.
    #[error(transparent)]
    Datum(#[from] Malformed),
    /// A value that its schema does not take.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// A datum that came without its schema.
    #[error("an Avro datum came without its schema")]
    SchemaMissing,
    /// JSON with schemas, without the envelope.
    #[error(
        "schemas.enable wants an object of \"schema\" and \"payload\" and nothing else; for plain JSON set schemas.enable=false"
    )]
    Envelope,
    /// The envelope's schema is none.
    #[error("schema at {path} is not {expected}")]
    Schema {
        /// Where.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A value that its schema does not take.
    #[error("value at {path} is not {expected}")]
    Value {
        /// Where.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A converter that takes one type met another.
    #[error("{converter} takes {takes}, and this is {found}")]
    Type {
        /// The converter's name.
        converter: &'static str,
        /// What it takes.
        takes: &'static str,
        /// What it got.
        found: &'static str,
    },
    /// Defaults that stand for nulls make the value too large.
    #[error("defaults in place of nulls make the value larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl SerdeError {
    /// What the caller can do: only this record is at fault.
    #[must_use]
    pub const fn class(&self) -> FaultClass {
        FaultClass::BadRecord
    }

    /// A stable, machine-readable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "not-json",
            Self::Datum(_) => "malformed-datum",
            Self::Mismatch(_) | Self::Value { .. } => "value-not-of-schema",
            Self::SchemaMissing => "schema-missing",
            Self::Envelope => "no-envelope",
            Self::Schema { .. } => "malformed-schema",
            Self::Type { .. } => "wrong-type",
            Self::TooLarge { .. } => "value-too-large",
        }
    }

    pub(crate) fn value(expected: &'static str) -> Self {
        let path = "$".to_owned();
        Self::Value { path, expected }
    }

    pub(crate) fn schema(expected: &'static str) -> Self {
        let path = "$".to_owned();
        Self::Schema { path, expected }
    }

    /// The same, one step further out: the path begins with `$` and the step comes behind it.
    pub(crate) fn within(mut self, step: &str) -> Self {
        if let Self::Schema { path, .. } | Self::Value { path, .. } = &mut self {
            path.insert_str(1, step);
            if !step.starts_with('[') {
                path.insert(1, '.');
            }
        }
        self
    }
}
