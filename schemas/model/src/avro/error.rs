use alloc::string::String;

use crate::schema::Type;

/// Why bytes are not a datum of the schema; `at` is a byte's place. Never holds the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end too early.
    #[error("datum ends early: {wanted} bytes are wanted at byte {at}, {left} are left")]
    Truncated {
        /// Where.
        at: usize,
        /// What is wanted.
        wanted: usize,
        /// What is there.
        left: usize,
    },
    /// A number of more bytes than its type has.
    #[error("datum has a number at byte {at} that is out of its type's range")]
    Number {
        /// Where.
        at: usize,
    },
    /// A boolean that is neither 0 nor 1.
    #[error("datum has a boolean at byte {at} that is neither 0 nor 1")]
    Boolean {
        /// Where.
        at: usize,
    },
    /// A negative length.
    #[error("datum has a negative length at byte {at}")]
    Length {
        /// Where.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("datum has text that is not UTF-8 at byte {at}")]
    Utf8 {
        /// Where.
        at: usize,
    },
    /// The number of a branch or a symbol that the schema does not have.
    #[error("datum has a number at byte {at} that none of the schema's branches or symbols has")]
    Choice {
        /// Where.
        at: usize,
    },
    /// More values than the bytes can hold.
    #[error("datum has more values than its bytes can hold, at byte {at}")]
    Items {
        /// Where.
        at: usize,
    },
    /// Bytes behind the datum.
    #[error("datum ends at byte {at}, and more follows")]
    Trailing {
        /// Where.
        at: usize,
    },
}

/// Why a value is not one of the schema. `path` leads to it, as in `lines[].price`; never holds the
/// value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Null, or nothing, where the schema wants a value.
    #[error("null at {}, which is required", named(path))]
    Null {
        /// Where.
        path: String,
    },
    /// A value of another type.
    #[error("value at {} is not {}", named(path), expected.name())]
    Type {
        /// Where.
        path: String,
        /// The schema's type.
        expected: Type,
    },
    /// A value of the type that the schema does not allow: an unknown symbol, another length of a
    /// fixed, another number of fields, no branch or several.
    #[error("value at {} is not {expected}", named(path))]
    Value {
        /// Where.
        path: String,
        /// What the schema allows.
        expected: &'static str,
    },
}

impl Mismatch {
    /// The same, one step further out.
    pub(super) fn within(mut self, step: &str) -> Self {
        let (Self::Null { path } | Self::Type { path, .. } | Self::Value { path, .. }) = &mut self;
        if !path.is_empty() && !path.starts_with('[') {
            path.insert(0, '.');
        }
        path.insert_str(0, step);
        self
    }
}

fn named(path: &str) -> &str {
    if path.is_empty() { "the top" } else { path }
}
