//! Which server a config names, and how to reach it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};

use crate::Error;
use crate::attempt::SslMode;
use crate::tls::{Identity, Roots, Tls};

const PORT: u16 = 5432;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The server that a connector may use, read from its config. [`fmt::Debug`] shows no password.
pub struct PostgresGrant {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) sslmode: SslMode,
    /// Absent where encryption is switched off.
    pub(crate) tls: Option<Tls>,
    pub(crate) keepalive: bool,
    pub(crate) connect_timeout: Duration,
    password: Option<SecretString>,
}

impl PostgresGrant {
    /// Reads the keys that begin with `prefix` (`database.`), which have Debezium's names, and the
    /// files that they name. `lookup` takes a whole key.
    ///
    /// # Errors
    /// When a key is missing or wrong; the error names it.
    pub fn from_config<'a>(
        prefix: &str,
        lookup: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, Error> {
        let keys = Keys { prefix, lookup };
        let host = keys.required("hostname")?;
        if host.contains([',', '/', ' ']) {
            return Err(keys.wrong("hostname", "names one host, without a port"));
        }
        let sslmode = keys.parsed("sslmode", "is not one of libpq's")?;
        let sslmode = sslmode.unwrap_or(SslMode::Prefer);
        let timeout = keys.parsed("connectTimeout", "is not a number of seconds")?;
        let password = keys.value("password");
        let tls = if sslmode == SslMode::Disable {
            None
        } else {
            Some(keys.tls(host, sslmode)?)
        };
        Ok(Self {
            host: host.to_owned(),
            port: keys.parsed("port", "is not a port")?.unwrap_or(PORT),
            user: keys.required("user")?.to_owned(),
            database: keys.required("dbname")?.to_owned(),
            sslmode,
            tls,
            keepalive: keys
                .parsed("tcpKeepAlive", "is neither true nor false")?
                .unwrap_or(true),
            connect_timeout: timeout.map_or(CONNECT_TIMEOUT, Duration::from_secs),
            password: password.map(|text| SecretString::from(text.to_owned())),
        })
    }

    /// Host and port, for a person.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The password, which goes into no message.
    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(ExposeSecret::expose_secret)
    }
}

impl fmt::Debug for PostgresGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresGrant")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("sslmode", &self.sslmode)
            .finish_non_exhaustive()
    }
}

struct Keys<'p, L> {
    prefix: &'p str,
    lookup: L,
}

impl<'a, L: Fn(&str) -> Option<&'a str>> Keys<'_, L> {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn wrong(&self, name: &str, reason: impl Into<String>) -> Error {
        Error::Setting {
            key: self.key(name),
            reason: reason.into(),
        }
    }

    /// An empty value is none, as Debezium has it.
    fn value(&self, name: &str) -> Option<&'a str> {
        (self.lookup)(&self.key(name)).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&'a str, Error> {
        self.value(name)
            .ok_or_else(|| self.wrong(name, "is missing"))
    }

    fn parsed<T: FromStr>(&self, name: &str, reason: &str) -> Result<Option<T>, Error> {
        let value = self.value(name).map(|text| text.trim().parse());
        value
            .transpose()
            .map_err(|_: T::Err| self.wrong(name, reason))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let read = |path: &str| {
            let content = std::fs::read(Path::new(path));
            content.map_err(|e| self.wrong(name, format!("cannot be read: {e}")))
        };
        self.value(name).map(read).transpose()
    }

    fn tls(&self, host: &str, sslmode: SslMode) -> Result<Tls, Error> {
        let rootcert = |reason| self.wrong("sslrootcert", reason);
        let named = self.value("sslrootcert");
        let roots = match named {
            // libpq, too, lets `require` check the chain where roots are named.
            _ if !sslmode.verifies() && (named.is_none() || sslmode != SslMode::Require) => None,
            None | Some("system") => Some(Roots::system().map_err(rootcert)?),
            Some(_) => {
                let pem = self.read("sslrootcert")?.unwrap_or_default();
                Some(Roots::from_pem(&pem).map_err(rootcert)?)
            }
        };
        let sslkey = |reason| self.wrong("sslkey", reason);
        let identity = match (self.read("sslcert")?, self.read("sslkey")?) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(Identity::parse(&certificate, &key).map_err(sslkey)?)
            }
            (Some(_), None) => return Err(self.wrong("sslkey", "is missing beside sslcert")),
            (None, Some(_)) => return Err(self.wrong("sslcert", "is missing beside sslkey")),
        };
        if self.value("sslpassword").is_some() {
            let reason = "does not work: give the key in sslkey without encryption";
            return Err(self.wrong("sslpassword", reason));
        }
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| self.wrong("hostname", "is no host's name and no address"))?;
        let names = sslmode == SslMode::VerifyFull;
        Tls::new(name, roots, names, identity).map_err(sslkey)
    }
}

#[cfg(test)]
mod tests;
