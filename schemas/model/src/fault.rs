//! What went wrong, in the one shape that crosses every boundary.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What a caller can do about a fault. Closed for good: the plugin contract has the same six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// May succeed when tried again: the retry policy applies.
    Retriable,
    /// One record is at fault: `errors.tolerance` applies.
    BadRecord,
    /// The configuration is at fault; the details name the key.
    Config,
    /// Something was not granted; the details name it.
    Denied,
    /// The task cannot go on.
    Fatal,
    /// The task is being stopped and the call ended early.
    Stopping,
}

impl FaultClass {
    /// All classes, in the order of their wire codes.
    pub const ALL: [Self; 6] = [
        Self::Retriable,
        Self::BadRecord,
        Self::Config,
        Self::Denied,
        Self::Fatal,
        Self::Stopping,
    ];

    /// The class's name on the wire, in logs and in headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retriable => "retriable",
            Self::BadRecord => "bad-record",
            Self::Config => "config",
            Self::Denied => "denied",
            Self::Fatal => "fatal",
            Self::Stopping => "stopping",
        }
    }

    /// The class's place in [`FaultClass::ALL`], as the flat batch writes it.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The class with that wire code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failure with a closed class, a stable code, a message for a person and named facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the caller can do about it.
    pub class: FaultClass,
    /// Stable and machine-readable, such as `file-not-found`.
    pub code: String,
    /// What was tried, what is wrong, how to mend it.
    pub message: String,
    /// Named facts, such as `("file", "/var/log/app.log")`.
    pub details: Vec<(String, String)>,
}

impl Fault {
    /// A fault without details.
    #[must_use]
    pub fn new(class: FaultClass, code: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.to_owned(),
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// The same fault with one more named fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<String>) -> Self {
        self.details.push((name.to_owned(), fact.into()));
        self
    }

    /// The fact of that name.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, fact)| fact.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl core::error::Error for Fault {}
