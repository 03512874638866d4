//! What can go wrong with a listener, and why a connection ends.

use std::io;
use std::time::Duration;

use longshore_model::FaultClass;

/// Why the listeners could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry of a list of listeners is wrong.
    #[error("{key} {entry:?}: {reason}")]
    Endpoint {
        /// The config key.
        key: &'static str,
        /// The entry at fault.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An address cannot be listened on.
    #[error("listen on {endpoint}: {source}")]
    Bind {
        /// The listener.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::Endpoint { .. } => FaultClass::Config,
            Self::Bind { .. } => FaultClass::Fatal,
        }
    }
}

/// Why a connection is closed before its client closed it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("no request for {0:?}")]
    Idle(Duration),
    #[error("the connection ended in the middle of a frame")]
    Cut,
    #[error("a frame was begun and did not come whole in time")]
    Late,
    #[error("a frame of {bytes} bytes is over socket.request.max.bytes ({max})")]
    FrameTooLarge { bytes: usize, max: usize },
    #[error("malformed frame: {0}")]
    Malformed(&'static str),
    #[error("malformed request of kind {key}, version {version}: {reason}")]
    Undecodable {
        key: i16,
        version: i16,
        reason: String,
    },
    #[error("a request of kind {key}, version {version} is not offered")]
    NotOffered { key: i16, version: i16 },
    #[error("an answer of kind {key}, version {version} cannot be written: {reason}")]
    Unencodable {
        key: i16,
        version: i16,
        reason: String,
    },
    #[error("a write that wants no acknowledgement failed")]
    Unacknowledged,
    #[error("the answer was not taken in time")]
    NotTaken,
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Broken {
    /// Whether it is the ordinary end of a connection, of no interest to an operator.
    pub(crate) fn ordinary(&self) -> bool {
        matches!(self, Self::Idle(_) | Self::Io(_))
    }
}
