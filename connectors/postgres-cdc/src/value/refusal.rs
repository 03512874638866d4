//! Why a value is not written.

/// Why a value is not written. It never holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not the text of its type; what that would be.
    Form(&'static str),
    /// The text is not UTF-8.
    Text,
    /// It does not fit where the mapping puts it; where that is.
    Range(&'static str),
    /// NaN or an infinity where a Decimal stands.
    SpecialDecimal,
    /// An array of more dimensions than the one that the schema has.
    Dimensions,
    /// It is over the limit, in bytes.
    Size { limit: usize },
}

impl Refusal {
    /// Stable and machine-readable.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Form(_) => "postgres-invalid-value",
            Self::Text => "postgres-invalid-text",
            Self::Range(_) => "postgres-value-out-of-range",
            Self::SpecialDecimal => "postgres-special-decimal",
            Self::Dimensions => "postgres-array-dimensions",
            Self::Size { .. } => "postgres-value-too-large",
        }
    }

    /// What is wrong, and what mends it.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Form(expected) => format!("is not {expected}"),
            Self::Text => "is not UTF-8".to_owned(),
            Self::Range(place) => format!("does not fit {place}"),
            Self::SpecialDecimal => {
                "is NaN or an infinity, which a Decimal cannot hold: set decimal.handling.mode to \
                 double or string"
                    .to_owned()
            }
            Self::Dimensions => {
                "is an array of more than one dimension, which its schema cannot hold: leave the \
                 column out with column.exclude.list"
                    .to_owned()
            }
            Self::Size { limit } => format!("is over max.value.bytes ({limit})"),
        }
    }
}
