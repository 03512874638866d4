//! Exit codes, which scripts rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing went wrong.
    Success,
    /// Something went wrong while it ran.
    Runtime,
    /// What was asked for is not valid: a config, an argument.
    Validation,
    /// Where it runs does not fit: a port, a directory, a worker that does not answer.
    Environment,
}

impl Exit {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Runtime => 1,
            Self::Validation => 2,
            Self::Environment => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}
