//! What was refused or failed, by what a caller can do about it.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use longshore_model::{Fault, FaultClass};

use crate::answer::{Answer, Meaning, Stage};
use crate::client::SESSIONS_MAX;
use crate::frame::MESSAGE_BYTES_MAX;

/// Why something did not happen on a server. No variant holds a password or a row.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The config names no server.
    #[error("no server is granted: the connector's config names none")]
    NotGranted,
    /// A key of the config.
    #[error("{key} {reason}")]
    Setting {
        /// The whole key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection within the time for it.
    #[error("{host} did not answer within {} s", .timeout.as_secs())]
    ConnectTimeout {
        /// Host and port.
        host: String,
        /// The time for it.
        timeout: Duration,
    },
    /// No connection.
    #[error("cannot reach {host}: {source}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The server offers no encryption, and the config asks for it.
    #[error("{host} offers no encryption, which sslmode asks for")]
    NoEncryption {
        /// Host and port.
        host: String,
    },
    /// The server's certificate is not to be trusted.
    #[error("the certificate of {host} is not trusted: {source}")]
    Untrusted {
        /// Host and port.
        host: String,
        /// Why not.
        source: rustls::Error,
    },
    /// The certificate is somebody else's.
    #[error("the certificate of {host} names another host: {source}")]
    WrongHost {
        /// Host and port.
        host: String,
        /// Which ones it names.
        source: rustls::Error,
    },
    /// The encrypted connection did not come about.
    #[error("no encrypted connection to {host}: {source}")]
    Tls {
        /// Host and port.
        host: String,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// The server does not take our certificate, or misses one.
    #[error("the server refuses our certificate: {source}")]
    CertificateRefused {
        /// What it said.
        source: rustls::Error,
    },
    /// The server asks for an authentication that we do not have.
    #[error("cannot log in: {reason}")]
    Authentication {
        /// What it asks for.
        reason: String,
    },
    /// The server refused.
    #[error("{}{}", .answer.message, .meaning.advice())]
    Server {
        /// What it means.
        meaning: Meaning,
        /// What it said.
        answer: Box<Answer>,
        /// The slot it is about.
        slot: Option<String>,
        /// How far its stream had come.
        lsn: Option<u64>,
    },
    /// The connection ended.
    #[error("the connection is lost: {source}")]
    Lost {
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The server says nothing although it is asked to.
    #[error("the server has not answered for {} s", .silence.as_secs())]
    Silent {
        /// For so long.
        silence: Duration,
    },
    /// The server ends the stream because it stops.
    #[error("the server ended the stream; it is stopping")]
    Ended,
    /// Transactions that run for too long.
    #[error("slot {slot} was not made within {} s: the server waits for the transactions that are running", .timeout.as_secs())]
    SlotTimeout {
        /// The slot.
        slot: String,
        /// The time for it.
        timeout: Duration,
    },
    /// What came is not the protocol.
    #[error("the server's answer is not understood: {0}")]
    Protocol(&'static str),
    /// A message that is larger than memory may hold.
    #[error("a message of {bytes} bytes is more than {MESSAGE_BYTES_MAX}")]
    MessageTooLarge {
        /// Its length.
        bytes: usize,
        /// How far the stream had come.
        lsn: Option<u64>,
    },
    /// A statement, a name or a setting that the protocol cannot carry.
    #[error("a zero byte cannot be sent")]
    ZeroByte,
    /// More sessions than one task may have.
    #[error("more than {SESSIONS_MAX} sessions")]
    TooManySessions,
    /// The session does something else already.
    #[error("the session is in use: one statement at a time")]
    Busy,
}

impl Error {
    pub(crate) fn server(mut answer: Answer, stage: Stage) -> Self {
        if stage == Stage::Statement {
            // The detail of a statement's refusal may hold a row.
            answer.detail = None;
        }
        Self::Server {
            meaning: Meaning::of(&answer, stage),
            answer: Box::new(answer),
            slot: None,
            lsn: None,
        }
    }

    pub(crate) fn about_slot(mut self, name: &str) -> Self {
        if let Self::Server { slot, .. } = &mut self {
            *slot = Some(name.to_owned());
        }
        self
    }

    pub(crate) fn at(mut self, position: u64) -> Self {
        if let Self::Server { lsn, .. } | Self::MessageTooLarge { lsn, .. } = &mut self {
            *lsn = Some(position);
        }
        self
    }

    pub(crate) fn lost(source: io::Error) -> Self {
        // TLS 1.3 says so only after the handshake.
        if let Some(source) = refused_certificate(&source) {
            return Self::CertificateRefused { source };
        }
        Self::Lost {
            source: Arc::new(source),
        }
    }

    /// What ended while we were waiting for it.
    pub(crate) fn closed() -> Self {
        Self::lost(io::ErrorKind::ConnectionAborted.into())
    }

    /// An error of the client that speaks for ordinary sessions.
    pub(crate) fn session(error: tokio_postgres::Error, stage: Stage) -> Self {
        if let Some(answer) = error.as_db_error() {
            return Self::server(answer.into(), stage);
        }
        if error.is_closed() {
            return Self::closed();
        }
        let reason = error.to_string();
        let source = error.into_source();
        match source.map(<dyn StdError + Send + Sync>::downcast::<io::Error>) {
            // Only what we write can be refused so, and only for this.
            Some(Ok(io))
                if io.kind() == io::ErrorKind::InvalidInput && stage == Stage::Statement =>
            {
                Self::ZeroByte
            }
            Some(Ok(io)) if stage != Stage::Login || of_the_network(&io) => Self::lost(*io),
            _ if stage == Stage::Login => Self::Authentication { reason },
            _ => Self::lost(io::Error::other(reason)),
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::NotGranted => FaultClass::Denied,
            Self::Setting { .. }
            | Self::NoEncryption { .. }
            | Self::Untrusted { .. }
            | Self::WrongHost { .. }
            | Self::CertificateRefused { .. }
            | Self::Authentication { .. } => FaultClass::Config,
            Self::ConnectTimeout { .. }
            | Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::Lost { .. }
            | Self::Silent { .. }
            | Self::Ended
            | Self::SlotTimeout { .. }
            | Self::Protocol(_) => FaultClass::Retriable,
            Self::Server { meaning, .. } => meaning.class(),
            Self::MessageTooLarge { .. } | Self::ZeroByte | Self::TooManySessions | Self::Busy => {
                FaultClass::Fatal
            }
        }
    }

    /// Stable, machine-readable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotGranted => "postgres-not-granted",
            Self::Setting { .. } => "postgres-setting",
            Self::ConnectTimeout { .. } => "postgres-connect-timeout",
            Self::Unreachable { .. } => "postgres-unreachable",
            Self::NoEncryption { .. } => "postgres-no-encryption",
            Self::Untrusted { .. } => "postgres-certificate-untrusted",
            Self::WrongHost { .. } => "postgres-certificate-host",
            Self::Tls { .. } => "postgres-tls",
            Self::CertificateRefused { .. } => "postgres-certificate-refused",
            Self::Authentication { .. } => "postgres-authentication",
            Self::Server { meaning, .. } => meaning.code(),
            Self::Lost { .. } => "postgres-connection-lost",
            Self::Silent { .. } => "postgres-silent",
            Self::Ended => Meaning::Stopping.code(),
            Self::SlotTimeout { .. } => "postgres-slot-timeout",
            Self::Protocol(_) => "postgres-protocol",
            Self::MessageTooLarge { .. } => "postgres-message-too-large",
            Self::ZeroByte => "postgres-zero-byte",
            Self::TooManySessions => "postgres-too-many-sessions",
            Self::Busy => "postgres-session-busy",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.class(), error.code(), error.to_string());
        match error {
            Error::Setting { key, .. } => fault.with("key", key),
            Error::ConnectTimeout { host, .. }
            | Error::Unreachable { host, .. }
            | Error::NoEncryption { host }
            | Error::Untrusted { host, .. }
            | Error::WrongHost { host, .. }
            | Error::Tls { host, .. } => fault.with("host", host),
            Error::SlotTimeout { slot, .. } => fault.with("slot", slot),
            Error::MessageTooLarge { lsn: Some(lsn), .. } => fault.with("lsn", format_lsn(lsn)),
            Error::Server {
                meaning,
                answer,
                slot,
                lsn,
            } => {
                let pid = answer.pid().filter(|_| meaning == Meaning::SlotActive);
                let facts = [
                    ("sqlstate", Some(answer.sqlstate)),
                    ("detail", answer.detail),
                    ("hint", answer.hint),
                    ("setting", meaning.setting().map(str::to_owned)),
                    ("slot", slot),
                    ("pid", pid.map(|pid| pid.to_string())),
                    ("lsn", lsn.map(format_lsn)),
                ];
                let known = facts
                    .into_iter()
                    .filter_map(|(name, fact)| Some((name, fact?)));
                known.fold(fault, |fault, (name, fact)| fault.with(name, fact))
            }
            _ => fault,
        }
    }
}

/// Whether the operating system says it; what a client finds wrong has other kinds.
fn of_the_network(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
        || error.kind() == io::ErrorKind::UnexpectedEof
        || tls_error(error).is_some()
}

/// What TLS says about it.
pub(crate) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn refused_certificate(error: &io::Error) -> Option<rustls::Error> {
    use rustls::AlertDescription::{
        AccessDenied, BadCertificate, CertificateExpired, CertificateRequired, CertificateRevoked,
        CertificateUnknown, DecryptError, UnknownCA, UnsupportedCertificate,
    };
    let error = tls_error(error)?;
    let rustls::Error::AlertReceived(alert) = error else {
        return None;
    };
    let is_about_ours = matches!(
        alert,
        AccessDenied
            | BadCertificate
            | CertificateExpired
            | CertificateRequired
            | CertificateRevoked
            | CertificateUnknown
            | DecryptError
            | UnknownCA
            | UnsupportedCertificate
    );
    is_about_ours.then(|| error.clone())
}

/// As the server writes it: `16/B374D848`.
pub(crate) fn format_lsn(lsn: u64) -> String {
    format!("{:X}/{:X}", lsn >> 32, lsn & u64::from(u32::MAX))
}
