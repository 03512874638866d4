//! What a guest says: log events and stderr. Both go to the task's log, at a limited rate, and the
//! end of stderr is kept for the trace of a task that fails.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use tracing::{Level, Span};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Longest message; what is over is cut off.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// Most fields of an event; the rest is left out.
const FIELDS_MAX: usize = 32;

/// How much of stderr is kept for the trace.
const STDERR_TAIL_BYTES: usize = 16 << 10;

/// Events of one instance in a window; the rest is counted and dropped.
const EVENTS_PER_WINDOW: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(10);

/// An instance's voice in its task's log.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    span: Span,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    window_began: Instant,
    events: u32,
    dropped: u64,
    /// A line of stderr that has no end yet.
    line: Vec<u8>,
    tail: VecDeque<u8>,
}

impl Voice {
    /// Speaks in the current span, which is the task's.
    pub(crate) fn new() -> Self {
        Self {
            span: Span::current(),
            state: Arc::new(Mutex::new(State::new())),
        }
    }

    /// One event of the guest's.
    pub(crate) fn say(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let Some(dropped) = self.state().take_turn() else {
            return;
        };
        let message = cut(message, MESSAGE_BYTES_MAX);
        let mut text = String::new();
        for (name, value) in fields.iter().take(FIELDS_MAX) {
            let left = MESSAGE_BYTES_MAX.saturating_sub(text.len());
            text.push_str(cut(&format!(" {name}={value}"), left));
        }
        self.span.in_scope(|| {
            if dropped > 0 {
                tracing::warn!(
                    origin = "plugin",
                    dropped,
                    "plugin logs too fast: events dropped"
                );
            }
            let fields = text.trim_start();
            match level {
                Level::ERROR => tracing::error!(origin = "plugin", fields, "{message}"),
                Level::WARN => tracing::warn!(origin = "plugin", fields, "{message}"),
                Level::INFO => tracing::info!(origin = "plugin", fields, "{message}"),
                Level::DEBUG => tracing::debug!(origin = "plugin", fields, "{message}"),
                Level::TRACE => tracing::trace!(origin = "plugin", fields, "{message}"),
            }
        });
    }

    /// Bytes of the guest's stderr.
    fn stderr(&self, bytes: &[u8]) {
        let lines = self.state().add_stderr(bytes);
        for line in lines {
            self.say(Level::WARN, &line, &[]);
        }
    }

    /// The end of stderr.
    pub(crate) fn stderr_tail(&self) -> String {
        let mut state = self.state();
        let tail = state.tail.make_contiguous();
        String::from_utf8_lossy(tail).trim_end().to_owned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new() -> Self {
        Self {
            window_began: Instant::now(),
            events: 0,
            dropped: 0,
            line: Vec::new(),
            tail: VecDeque::new(),
        }
    }

    /// Whether one more event fits into the window: how many were dropped before it.
    fn take_turn(&mut self) -> Option<u64> {
        let now = Instant::now();
        if now.duration_since(self.window_began) >= WINDOW {
            self.window_began = now;
            self.events = 0;
        }
        if self.events == EVENTS_PER_WINDOW {
            self.dropped += 1;
            return None;
        }
        self.events += 1;
        Some(std::mem::take(&mut self.dropped))
    }

    /// Keeps the tail; returns the lines that are complete now.
    fn add_stderr(&mut self, bytes: &[u8]) -> Vec<String> {
        self.tail.extend(bytes);
        let over = self.tail.len().saturating_sub(STDERR_TAIL_BYTES);
        self.tail.drain(..over);
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || self.line.len() >= MESSAGE_BYTES_MAX {
                let line = String::from_utf8_lossy(&self.line).trim_end().to_owned();
                self.line.clear();
                if !line.is_empty() {
                    lines.push(line);
                }
            }
        }
        lines
    }
}

/// The text up to that many bytes, cut between characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

// === impl WASI's stderr ===

/// How many bytes a guest may write at once.
const WRITE_BYTES_MAX: usize = 64 << 10;

impl IsTerminal for Voice {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Voice {
    // WASI 0.2 takes the other one. That writes in place, so that a panic's message is there when
    // its trap is; the adapter over this one would write it in a task of its own.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Voice {
    async fn ready(&mut self) {}
}

impl OutputStream for Voice {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.stderr(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_stderr_is_kept_and_lines_are_told_once() {
        let mut state = State::new();
        assert_eq!(state.add_stderr(b"one\ntw"), ["one"]);
        assert_eq!(state.add_stderr(b"o\n\nthree"), ["two"]);
        state.add_stderr(&vec![b'x'; STDERR_TAIL_BYTES + 10]);
        assert_eq!(state.tail.len(), STDERR_TAIL_BYTES);
        assert!(state.line.len() < MESSAGE_BYTES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn events_over_the_rate_are_dropped_and_counted() {
        let mut state = State::new();
        for _ in 0..EVENTS_PER_WINDOW {
            assert_eq!(state.take_turn(), Some(0));
        }
        assert_eq!(state.take_turn(), None);
        assert_eq!(state.take_turn(), None);
        tokio::time::advance(WINDOW).await;
        assert_eq!(state.take_turn(), Some(2));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("a", 10), "a");
    }
}
