//! What was refused or failed, by what a caller can do about it.

use std::io;
use std::path::Path;

use longshore_model::{Fault, FaultClass};

/// Why a file operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No config key that feeds the grant names this file or its directory.
    #[error("{path} is not granted: no file key of this connector's config names {needs}")]
    NotGranted {
        /// The path asked for.
        path: String,
        /// What a config key would have to name.
        needs: &'static str,
    },
    /// The path climbs with `..`, which a grant does not follow.
    #[error("{path} is refused: '..' is followed only where the config itself spells it")]
    Climbs {
        /// The path asked for.
        path: String,
    },
    /// A symbolic link that points at what is not granted.
    #[error("{path} is refused: it is a symbolic link that leads out of what is granted")]
    LeadsOut {
        /// The path asked for.
        path: String,
    },
    /// The worker's own data directory.
    #[error("{path} is refused: it lies in the worker's data directory, which is never granted")]
    DataDirectory {
        /// The path asked for.
        path: String,
    },
    /// A directory, a pipe, a device or a socket.
    #[error("{path} is {what}, not a regular file")]
    NotRegular {
        /// The path asked for.
        path: String,
        /// What stands there.
        what: &'static str,
    },
    /// The text is not a path or a glob.
    #[error("{pattern:?} is not a usable path or glob: {reason}")]
    BadPath {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing stands at the path.
    #[error("{path} does not exist")]
    NotFound {
        /// The path asked for.
        path: String,
    },
    /// More than one call may return or one task may hold.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The operating system refused or failed.
    #[error("cannot {op} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        op: &'static str,
        /// The path.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(op: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.display().to_string();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::IsADirectory => Self::NotRegular {
                path,
                what: "a directory",
            },
            _ => Self::Io { op, path, source },
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::NotGranted { .. }
            | Self::Climbs { .. }
            | Self::LeadsOut { .. }
            | Self::DataDirectory { .. } => FaultClass::Denied,
            Self::NotRegular { .. } | Self::BadPath { .. } => FaultClass::Config,
            Self::NotFound { .. } => FaultClass::Retriable,
            Self::TooMany { .. } => FaultClass::Fatal,
            // After a failed sync nothing of the file can be trusted until it is read again from
            // the last position that is known to be durable: the task has to begin anew.
            Self::Io { op: "sync", .. } => FaultClass::Fatal,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    FaultClass::Config
                }
                io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::Interrupted
                | io::ErrorKind::TimedOut
                | io::ErrorKind::StaleNetworkFileHandle => FaultClass::Retriable,
                _ => FaultClass::Fatal,
            },
        }
    }

    /// Stable, machine-readable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotGranted { .. } => "file-not-granted",
            Self::Climbs { .. } => "file-path-climbs",
            Self::LeadsOut { .. } => "file-link-leads-out",
            Self::DataDirectory { .. } => "file-in-data-directory",
            Self::NotRegular { .. } => "file-not-regular",
            Self::BadPath { .. } => "file-bad-path",
            Self::NotFound { .. } => "file-not-found",
            Self::TooMany { .. } => "file-too-many",
            Self::Io { op: "sync", .. } => "file-sync-failed",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "file-permission"
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk-full",
                _ => "file-io",
            },
        }
    }

    fn file(&self) -> Option<&str> {
        match self {
            Self::NotGranted { path, .. }
            | Self::Climbs { path }
            | Self::LeadsOut { path }
            | Self::DataDirectory { path }
            | Self::NotRegular { path, .. }
            | Self::BadPath { pattern: path, .. }
            | Self::NotFound { path }
            | Self::Io { path, .. } => Some(path),
            Self::TooMany { .. } => None,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.class(), error.code(), error.to_string());
        match error.file() {
            Some(file) => fault.with("file", file),
            None => fault,
        }
    }
}
