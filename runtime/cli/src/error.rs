//! Why a command failed: a stable code, what happened, where, and what to do about it.

use serde_json::Value;

use crate::exit::Exit;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Stable, machine-readable; `docs/error-codes.md` lists them and a test keeps it true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    ConfigFile,
    ConfigUnknownKey,
    ConfigInvalid,
    ConfigRefused,
    InputFile,
    Rejected,
    NotFound,
    Conflict,
    WorkerFailed,
    WorkerUnreachable,
    PortTaken,
    DataDirInUse,
    DataDirFormat,
    DataDir,
    Plugins,
    DemoFailed,
    Unhealthy,
    Output,
    OutputClosed,
}

impl Code {
    #[cfg(test)]
    pub(crate) const ALL: &[Self] = &[
        Self::OutputClosed,
        Self::ConfigFile,
        Self::ConfigUnknownKey,
        Self::ConfigInvalid,
        Self::ConfigRefused,
        Self::InputFile,
        Self::Rejected,
        Self::NotFound,
        Self::Conflict,
        Self::WorkerFailed,
        Self::Unhealthy,
        Self::DemoFailed,
        Self::WorkerUnreachable,
        Self::PortTaken,
        Self::DataDirInUse,
        Self::DataDirFormat,
        Self::DataDir,
        Self::Plugins,
        Self::Output,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        self.describe().0
    }

    pub(crate) fn exit(self) -> Exit {
        self.describe().1
    }

    /// The code, how the command ends with it, and what it says.
    pub(crate) fn describe(self) -> (&'static str, Exit, &'static str) {
        use Exit::{Environment, Runtime, Success, Validation};
        match self {
            Self::OutputClosed => (
                "output-closed",
                Success,
                "nobody reads stdout any more, as behind `head`; nothing is printed",
            ),
            Self::ConfigFile => (
                "config-file",
                Validation,
                "a configuration file cannot be read",
            ),
            Self::ConfigUnknownKey => ("config-unknown-key", Validation, "no worker has this key"),
            Self::ConfigInvalid => ("config-invalid", Validation, "a key's value is wrong"),
            Self::ConfigRefused => (
                "config-refused",
                Validation,
                "a key asks for what does not work here",
            ),
            Self::InputFile => (
                "input-file",
                Validation,
                "a given file is not what the command takes",
            ),
            Self::Rejected => (
                "rejected",
                Validation,
                "the worker says that the request is wrong",
            ),
            Self::NotFound => (
                "not-found",
                Runtime,
                "the worker has no such connector, task or topic",
            ),
            Self::Conflict => ("conflict", Runtime, "it is there already"),
            Self::WorkerFailed => ("worker-failed", Runtime, "the worker failed at it"),
            Self::Unhealthy => (
                "unhealthy",
                Runtime,
                "the worker answers, but not that it is well",
            ),
            Self::DemoFailed => (
                "demo-failed",
                Runtime,
                "a record of the demo did not arrive",
            ),
            Self::WorkerUnreachable => {
                ("worker-unreachable", Environment, "no worker answers there")
            }
            Self::PortTaken => ("port-taken", Environment, "another program listens there"),
            Self::DataDirInUse => (
                "data-dir-in-use",
                Environment,
                "another worker has the data directory",
            ),
            Self::DataDirFormat => (
                "data-dir-format",
                Environment,
                "another version wrote the data directory",
            ),
            Self::DataDir => ("data-dir", Environment, "the data directory cannot be used"),
            Self::Plugins => ("plugins", Environment, "the plugins cannot be loaded"),
            Self::Output => ("output", Environment, "stdout cannot be written to"),
        }
    }
}

/// A command's end, as people and scripts are told of it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// The key, file or address that it is about.
    pub(crate) path: Option<String>,
    /// What to do.
    pub(crate) fix: Option<String>,
    /// What programs are told beside: all findings of a check.
    pub(crate) result: Option<Box<Value>>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: None,
            fix: None,
            result: None,
        }
    }

    pub(crate) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(crate) fn with_result(mut self, result: Value) -> Self {
        self.result = Some(Box::new(result));
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::Code;
    use crate::document;

    #[test]
    fn the_committed_list_of_error_codes_is_what_the_code_says() {
        let mut text = "# Error codes\n\n\
            Generated from `runtime/cli/src/error.rs`; a test compares the two. Every command but the worker prints\n\
            `{\"ok\", \"result\", \"error\": {\"code\", \"message\", \"path\", \"fix\"}}` with `--json`.\n\n\
            | Code | Exit | Meaning |\n|---|---|---|\n"
            .to_owned();
        for code in Code::ALL {
            let (name, exit, meaning) = code.describe();
            writeln!(text, "| `{name}` | {} | {meaning} |", exit.number()).expect("a string grows");
        }
        document::check("docs/error-codes.md", &text);
    }

    #[test]
    fn no_two_codes_are_the_same() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
