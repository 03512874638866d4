//! A worker's REST API, as the commands use it.

use std::time::Duration;

use reqwest::{Method, Response, Url};
use serde_json::Value;

use crate::error::{Code, Failure, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Speaks to one worker.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    base: Url,
    http: reqwest::Client,
}

/// A path of the API; each part is percent-encoded.
type Path<'a> = &'a [&'a str];

impl Client {
    pub(crate) fn new(base: &str) -> Result<Self> {
        let wrong = |reason: &str| {
            Failure::new(Code::InputFile, format!("--rest {base}: {reason}"))
                .at(base)
                .fix("write http://host:port")
        };
        let url = Url::parse(base).map_err(|error| wrong(&error.to_string()))?;
        if url.scheme() != "http" || url.cannot_be_a_base() {
            return Err(wrong("only http works so far"));
        }
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy();
        let http = builder.build().map_err(|error| wrong(&error.to_string()))?;
        Ok(Self { base: url, http })
    }

    pub(crate) async fn get(&self, path: Path<'_>, query: &[(&str, String)]) -> Result<Value> {
        read(self.send(Method::GET, path, query, None).await?).await
    }

    pub(crate) async fn put(&self, path: Path<'_>, body: Option<&Value>) -> Result<Value> {
        read(self.send(Method::PUT, path, &[], body).await?).await
    }

    pub(crate) async fn post(
        &self,
        path: Path<'_>,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value> {
        read(self.send(Method::POST, path, query, body).await?).await
    }

    pub(crate) async fn delete(&self, path: Path<'_>, query: &[(&str, String)]) -> Result<Value> {
        read(self.send(Method::DELETE, path, query, None).await?).await
    }

    /// Sends a request; an answer that is an error becomes one.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: Path<'_>,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response> {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self
            .http
            .request(method, url)
            .header("accept", "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unanswered(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    /// The same, for an answer that never ends.
    pub(crate) async fn follow(
        &self,
        path: Path<'_>,
        query: &[(&str, String)],
    ) -> Result<Response> {
        self.send(Method::GET, path, query, None).await
    }

    fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), innermost);
        if !error.is_connect() {
            let message = format!("{}: no answer to the request: {reason}", self.base);
            return Failure::new(Code::WorkerFailed, message).at(self.base.as_str());
        }
        Failure::new(Code::WorkerUnreachable, format!("{}: {reason}", self.base))
            .at(self.base.as_str())
            .fix(
                "start a worker with `longshore worker`, or name one with --rest or LONGSHORE_REST",
            )
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

async fn read(response: Response) -> Result<Value> {
    let broken = |error: reqwest::Error| {
        Failure::new(Code::WorkerFailed, format!("read the answer: {error}"))
    };
    let bytes = response.bytes().await.map_err(broken)?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            Code::WorkerFailed,
            format!("the answer is no JSON: {error}"),
        )
    })
}

async fn refusal(response: Response) -> Failure {
    let (status, url) = (response.status(), response.url().path().to_owned());
    let code = match status.as_u16() {
        400 | 405 | 413 | 415 | 422 => Code::Rejected,
        404 => Code::NotFound,
        409 => Code::Conflict,
        _ => Code::WorkerFailed,
    };
    let body: Value = response.json().await.unwrap_or_default();
    let message = body["message"]
        .as_str()
        .map_or_else(|| status.to_string(), str::to_owned);
    Failure::new(code, message).at(url)
}
