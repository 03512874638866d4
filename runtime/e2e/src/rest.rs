//! A worker's REST API, as `curl` would use it.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::Method;
use reqwest::blocking::{Client, Response};
use serde_json::Value;

/// Where the worker writes down how connectors fare, and which topics they use.
const STATUS_TOPIC: &str = "_longshore_status";

const TIMEOUT: Duration = Duration::from_secs(60);

/// An answer: status and JSON, null where there is no body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// Speaks to one worker.
#[derive(Clone, Debug)]
pub struct Rest {
    base: String,
    client: Client,
}

impl Rest {
    /// Speaks to the worker at an address such as `http://127.0.0.1:8083`.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(base: &str) -> Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self {
            base: base.to_owned(),
            client,
        })
    }

    /// Where the worker is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request and reads the answer, whatever its status is.
    ///
    /// # Errors
    /// When nothing answers, or not with JSON.
    pub fn send(&self, method: &Method, path: &str, body: Option<&str>) -> Result<Answer> {
        let response = self.raw(method, path, body)?;
        let status = response.status().as_u16();
        let text = response.text()?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text)
                .with_context(|| format!("{method} {path}: {status} {text}"))?
        };
        Ok(Answer { status, body })
    }

    /// Reads something that must be there.
    ///
    /// # Errors
    /// When the answer is none of success.
    pub fn get(&self, path: &str) -> Result<Value> {
        expect_success(path, self.send(&Method::GET, path, None)?)
    }

    /// Creates something.
    ///
    /// # Errors
    /// When the answer is none of success.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        expect_success(
            path,
            self.send(&Method::POST, path, Some(&body.to_string()))?,
        )
    }

    /// Deletes something.
    ///
    /// # Errors
    /// When the answer is none of success.
    pub fn delete(&self, path: &str) -> Result<Value> {
        expect_success(path, self.send(&Method::DELETE, path, None)?)
    }

    /// Deploys a connector, or replaces its config.
    ///
    /// # Errors
    /// When the answer is none of success.
    pub fn deploy(&self, body: &Value) -> Result<Value> {
        let name = body["name"].as_str().context("the connector has no name")?;
        let path = format!("/connectors/{name}/config");
        expect_success(
            &path,
            self.send(&Method::PUT, &path, Some(&body["config"].to_string()))?,
        )
    }

    /// Follows a topic's records from its beginning until one satisfies the condition.
    ///
    /// # Errors
    /// When none does within the time of a request.
    pub fn follow(&self, topic: &str, mut done: impl FnMut(&Value) -> bool) -> Result<()> {
        let path = format!("/topics/{topic}/records?follow=true");
        let response = self.raw(&Method::GET, &path, None)?;
        if !response.status().is_success() {
            bail!("GET {path}: {}", response.text()?);
        }
        for line in BufReader::new(response).lines() {
            let line = line.with_context(|| format!("follow {topic}"))?;
            if let Some(data) = line.strip_prefix("data:")
                && done(&serde_json::from_str(data)?)
            {
                return Ok(());
            }
        }
        bail!("the stream of {topic} ended");
    }

    /// Waits until a topic is there, for sources that make theirs with the first record.
    ///
    /// # Errors
    /// When it does not come.
    pub fn follow_created(&self, topic: &str) -> Result<()> {
        self.wait(topic, || self.has_topic(topic))
    }

    /// The same for the topic of a connector: ends when one of its tasks fails.
    ///
    /// # Errors
    /// When a task fails, or the topic does not come.
    pub fn until_created(&self, topic: &str, connector: &str) -> Result<()> {
        let task = format!("status-task-{connector}-");
        let mut told = Ok(self.has_topic(topic)?);
        if matches!(told, Ok(true)) {
            return Ok(());
        }
        self.follow(STATUS_TOPIC, |record| {
            let key = record["key"].as_str().unwrap_or_default();
            told = if key.starts_with(&task) && record["value"]["state"] == "FAILED" {
                self.fails(connector)
            } else if key.contains(topic) {
                self.has_topic(topic)
            } else {
                Ok(false)
            };
            !matches!(told, Ok(false))
        })
        .with_context(|| format!("wait for topic {topic}"))?;
        told.map(drop)
    }

    /// Fails with what a task of a connector failed with; one that was started again did not.
    fn fails(&self, connector: &str) -> Result<bool> {
        let status = self.get(&format!("/connectors/{connector}/status"))?;
        let mut tasks = status["tasks"].as_array().into_iter().flatten();
        match tasks.find(|task| task["state"] == "FAILED") {
            Some(task) => bail!("a task of {connector} failed: {}", task["trace"]),
            None => Ok(false),
        }
    }

    fn has_topic(&self, topic: &str) -> Result<bool> {
        let path = format!("/topics/{topic}");
        let answer = self.send(&Method::GET, &path, None)?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            status => bail!("{path}: {status} {}", answer.body),
        }
    }

    /// Waits until a connector's status satisfies the condition.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_status(
        &self,
        connector: &str,
        mut done: impl FnMut(&Value) -> bool,
    ) -> Result<()> {
        self.wait(connector, || {
            let status = self.get(&format!("/connectors/{connector}/status"))?;
            Ok(done(&status))
        })
    }

    /// Every change of topics and statuses is a record of the status topic, whose key names it, so that following it
    /// replaces asking again and again.
    fn wait(&self, name: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
        if done()? {
            return Ok(());
        }
        let mut outcome = Ok(false);
        self.follow(STATUS_TOPIC, |record| {
            if record["key"].as_str().is_some_and(|key| key.contains(name)) {
                outcome = done();
            }
            !matches!(outcome, Ok(false))
        })
        .with_context(|| format!("wait for {name}"))?;
        outcome.map(drop)
    }

    fn raw(&self, method: &Method, path: &str, body: Option<&str>) -> Result<Response> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_owned());
        }
        request.send().with_context(|| format!("{method} {path}"))
    }
}

fn expect_success(path: &str, answer: Answer) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        bail!("{path}: {} {}", answer.status, answer.body);
    }
    Ok(answer.body)
}
