//! A listener's name and address, as `kafka.listeners` and `kafka.advertised.listeners` spell them.

use std::fmt;

use crate::error::Error;

/// The name of a listener that is given without one.
const UNNAMED: &str = "PLAINTEXT";
/// Names that promise something in Kafka's default mapping of names to protocols that is not there.
const PROMISES: [&str; 3] = ["SSL", "SASL_PLAINTEXT", "SASL_SSL"];

/// `[NAME://]host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// In capitals; `PLAINTEXT` where none was given.
    pub name: String,
    /// A host name or address; empty means every address of this machine. IPv6 addresses are without brackets.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
}

impl Endpoint {
    /// Reads a comma-separated list; `key` is what messages call it.
    ///
    /// # Errors
    /// When an entry is malformed, a name comes twice, or a name promises encryption or authentication.
    pub fn parse_list(key: &'static str, list: &str) -> Result<Vec<Self>, Error> {
        let mut endpoints: Vec<Self> = Vec::new();
        for entry in list.split(',').map(str::trim) {
            let wrong = |reason| Error::Endpoint {
                key,
                entry: entry.to_owned(),
                reason,
            };
            let endpoint = Self::parse(entry).map_err(wrong)?;
            if endpoints.iter().any(|other| other.name == endpoint.name) {
                return Err(wrong(
                    "its name is already taken; each listener needs its own",
                ));
            }
            endpoints.push(endpoint);
        }
        Ok(endpoints)
    }

    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (name, address) = entry.split_once("://").unwrap_or((UNNAMED, entry));
        let name = name.to_ascii_uppercase();
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if name.is_empty() || !name.bytes().all(legal) {
            return Err("a listener's name is made of letters, digits, '_', '-' and '.'");
        }
        if PROMISES.contains(&name.as_str()) {
            return Err("encryption and authentication are not supported yet");
        }
        let (host, port) = address
            .rsplit_once(':')
            .ok_or("expected [NAME://]host:port")?;
        let port = port
            .parse()
            .map_err(|_| "the port is not a number up to 65535")?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if bare.is_none() && host.contains([':', '/', '[', ']']) {
            return Err("expected [NAME://]host:port, with an IPv6 address in brackets");
        }
        let host = bare.unwrap_or(host).to_owned();
        Ok(Self { name, host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "{}://[{}]:{}", self.name, self.host, self.port)
        } else {
            write!(f, "{}://{}:{}", self.name, self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    fn check(list: &str, expected: &[(&str, &str, u16)]) {
        let parsed = Endpoint::parse_list("kafka.listeners", list).expect(list);
        let parsed: Vec<_> = parsed
            .iter()
            .map(|e| (e.name.as_str(), e.host.as_str(), e.port))
            .collect();
        assert_eq!(parsed, expected, "{list}");
    }

    #[test]
    fn lists_of_listeners_are_read_as_kafka_reads_them() {
        check("127.0.0.1:9092", &[("PLAINTEXT", "127.0.0.1", 9092)]);
        check(":0", &[("PLAINTEXT", "", 0)]);
        check("[::1]:9092", &[("PLAINTEXT", "::1", 9092)]);
        check(
            "internal://worker-1:9092, OUTSIDE://[2001:db8::1]:19092",
            &[
                ("INTERNAL", "worker-1", 9092),
                ("OUTSIDE", "2001:db8::1", 19092),
            ],
        );
    }

    #[test]
    fn what_is_not_a_listener_is_refused_with_its_key_and_entry() {
        for (list, reason) in [
            ("", "expected"),
            ("localhost", "expected"),
            ("localhost:http", "port"),
            ("localhost:65536", "port"),
            ("::1:9092", "brackets"),
            ("http://localhost:1/", "port"),
            ("my name://localhost:1", "letters"),
            ("a:1,b:2", "already taken"),
            ("A://a:1,a://b:2", "already taken"),
            ("SASL_SSL://a:1", "not supported"),
        ] {
            let error = Endpoint::parse_list("kafka.listeners", list).expect_err(list);
            let message = error.to_string();
            assert!(message.contains(reason), "{list}: {message}");
            assert!(message.starts_with("kafka.listeners"), "{message}");
        }
    }

    #[test]
    fn an_endpoint_prints_as_it_is_written() {
        for text in ["A://b:1", "A://[::1]:1"] {
            let parsed = Endpoint::parse_list("kafka.listeners", text).expect(text);
            assert_eq!(parsed[0].to_string(), text);
        }
    }
}
