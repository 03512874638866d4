//! `longshore health`: for people, and for a container's health check.

use crate::client::Client;
use crate::error::{Code, Failure, Result};
use crate::output::Answer;

pub(crate) async fn run(client: &Client) -> Result<Answer> {
    let health = client
        .get(&["health"], &[])
        .await
        .map_err(|failure| match failure.code {
            Code::WorkerFailed => Failure {
                code: Code::Unhealthy,
                ..failure
            },
            _ => failure,
        })?;
    let status = health["status"].as_str().unwrap_or("unknown").to_owned();
    if status != "healthy" {
        return Err(Failure::new(
            Code::Unhealthy,
            format!("the worker is {status}"),
        ));
    }
    Ok(Answer::new(health, status))
}
