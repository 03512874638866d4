//! Server-sent events: the records that a topic gets, as they come.

use reqwest::Response;
use serde_json::Value;

use crate::error::{Code, Failure, Result};

/// An event that is longer is no record of ours.
const EVENT_BYTES_MAX: usize = 256 << 20;

/// A stream of JSON events.
pub(crate) struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    pub(crate) fn new(response: Response) -> Self {
        Self {
            response,
            buffer: Vec::new(),
        }
    }

    /// The next event's data; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data:") else {
                    continue;
                };
                return serde_json::from_slice(data)
                    .map(Some)
                    .map_err(|error| broken(&error));
            }
            if self.buffer.len() > EVENT_BYTES_MAX {
                return Err(broken(&"an event has no end"));
            }
            match self
                .response
                .chunk()
                .await
                .map_err(|error| broken(&error))?
            {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Code::WorkerFailed,
        format!("the stream of records broke: {error}"),
    )
}
