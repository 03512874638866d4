//! Who may ask: no page of another origin, and over a loopback listener no name that merely
//! resolves to it. There is no CORS.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Set on requests that came over a listener on loopback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loopback(pub(crate) bool);

/// Refuses what a browser was tricked into.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let Loopback(loopback) = request
        .extensions()
        .get()
        .copied()
        .unwrap_or(Loopback(true));
    match check(request.headers(), loopback) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap, loopback: bool) -> Result<(), ApiError> {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let host = text(HOST);
    // DNS rebinding: a page's own name that resolves to 127.0.0.1. A browser always sends the name.
    if loopback && let Some(host) = host.filter(|host| !names_loopback(host)) {
        let message = format!("a listener on loopback does not answer to the name {host:?}");
        return Err(ApiError::refused_origin(message));
    }
    match text(ORIGIN) {
        Some(origin)
            if host.is_none() || origin.split_once("://").map(|(_, from)| from) != host =>
        {
            let message = format!("requests of pages from {origin:?} are refused");
            Err(ApiError::refused_origin(message))
        }
        _ => Ok(()),
    }
}

fn names_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(host: &str, origin: Option<&str>, loopback: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        check(&headers, loopback).is_ok()
    }

    #[test]
    fn only_loopbacks_own_names_reach_a_loopback_listener() {
        for host in [
            "localhost:8083",
            "LOCALHOST",
            "127.0.0.1:8083",
            "127.1.2.3",
            "[::1]:8083",
        ] {
            assert!(allowed(host, None, true), "{host}");
        }
        for host in [
            "evil.example:8083",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.168.0.1",
            "",
        ] {
            assert!(!allowed(host, None, true), "{host}");
        }
        assert!(allowed("worker:8083", None, false));
    }

    #[test]
    fn a_program_that_names_no_host_is_answered_and_a_page_is_not() {
        let mut headers = HeaderMap::new();
        assert!(check(&headers, true).is_ok());
        for origin in ["http://localhost:8083", "null", "://"] {
            headers.insert(ORIGIN, origin.parse().unwrap());
            assert!(check(&headers, true).is_err(), "{origin}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        assert!(allowed(
            "localhost:8083",
            Some("http://localhost:8083"),
            true
        ));
        for origin in ["http://evil.example", "http://localhost:3000", "null"] {
            assert!(!allowed("localhost:8083", Some(origin), true), "{origin}");
            assert!(!allowed("worker:8083", Some(origin), false), "{origin}");
        }
    }
}
