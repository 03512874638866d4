//! The address that REST listens on. (`longshore-wire` reads the Kafka listeners' own.)

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

/// Where REST binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestListener {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl RestListener {
    /// Parses Kafka Connect's `listeners`.
    pub(super) fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let listeners = parts.map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        if listeners.is_empty() {
            return Err("names no address; write http://host:port".to_owned());
        }
        Ok(listeners)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, address) = text.split_once("://").unwrap_or(("http", text));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(format!("{scheme} does not work so far, only http"));
        }
        let (host, port) = parse_address(address.trim_end_matches('/'))?;
        Ok(Self { host, port })
    }
}

fn parse_address(address: &str) -> Result<(String, u16), String> {
    let split = address.rsplit_once(':');
    let (host, port) = split.ok_or_else(|| format!("{address} has no port; write host:port"))?;
    let port = port.parse().map_err(|_| format!("{port} is not a port"))?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    // As in Kafka, no host is every address.
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    Ok((host.to_owned(), port))
}

/// The address to bind: the first one that the host has.
pub(crate) fn resolve(host: &str, port: u16) -> Result<SocketAddr, String> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let mut addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("{host}: {error}"))?;
    addresses
        .next()
        .ok_or_else(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    use super::RestListener;

    #[test]
    fn a_rest_listener_is_http() {
        let rest = |text: &str| {
            let listeners = RestListener::parse_list(text)?;
            Ok(listeners
                .into_iter()
                .map(|l| (l.host, l.port))
                .collect::<Vec<_>>())
        };
        assert_eq!(
            rest("http://localhost:8083"),
            Ok::<_, String>(vec![("localhost".to_owned(), 8083)])
        );
        assert_eq!(
            rest("HTTP://:8083/"),
            Ok(vec![("0.0.0.0".to_owned(), 8083)])
        );
        for wrong in ["https://a:1", "http://a:1,ftp://b:2", "", "http://a"] {
            assert!(rest(wrong).is_err(), "{wrong}");
        }
    }
}
