//! What `sslmode` makes of a connection: how often it is tried, and with which encryption.

use std::str::FromStr;

use crate::Error;
use crate::answer::Meaning;

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The encryption of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    None,
    /// Where the server offers it.
    Offered,
    /// Without it there is no connection.
    Required,
}

impl SslMode {
    /// Whether a server has to show who it is.
    pub(crate) fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }

    /// What is tried, in turn. Only modes that allow plain text ever try it.
    pub(crate) fn attempts(self) -> &'static [Encryption] {
        match self {
            Self::Disable => &[Encryption::None],
            Self::Allow => &[Encryption::None, Encryption::Required],
            Self::Prefer => &[Encryption::Offered, Encryption::None],
            Self::Require | Self::VerifyCa | Self::VerifyFull => &[Encryption::Required],
        }
    }
}

impl FromStr for SslMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return Err(()),
        })
    }
}

/// Whether another encryption may help: the server's access rules ask for one, or TLS fails.
pub(crate) fn may_help(error: &Error) -> bool {
    match error {
        Error::Tls { .. } | Error::Untrusted { .. } | Error::WrongHost { .. } => true,
        Error::Server { meaning, .. } => *meaning == Meaning::LoginRefused,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mode: &str, attempts: &[Encryption], verifies: bool) {
        let mode: SslMode = mode.parse().unwrap();
        assert_eq!(mode.attempts(), attempts);
        assert_eq!(mode.verifies(), verifies);
    }

    #[test]
    fn plain_text_is_tried_only_where_the_mode_allows_it() {
        use Encryption::{None, Offered, Required};
        check("disable", &[None], false);
        check("allow", &[None, Required], false);
        check("prefer", &[Offered, None], false);
        check("require", &[Required], false);
        check("verify-ca", &[Required], true);
        check("verify-full", &[Required], true);
        assert!("verify".parse::<SslMode>().is_err());
    }
}
