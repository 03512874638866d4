//! Frames as they arrive: a length, then so many bytes, within limits of memory and time.

use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout_at};

use crate::budget::{Budget, Reserved};
use crate::config::WireConfig;
use crate::error::Broken;

/// What stands before a frame.
pub(crate) const LENGTH_BYTES: usize = 4;
/// Kind, version and correlation id: nothing shorter can be answered.
const FRAME_BYTES_MIN: usize = 8;

/// A whole frame, and the memory that it takes while it is worked on.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    pub(crate) memory: Reserved,
}

/// Reads frame after frame. What was read of one stays here when a wait is given up.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    io: R,
    budget: Budget,
    limits: Limits,
    length: BytesMut,
    body: Option<Body>,
    /// When the peer was last heard of, or waited for.
    heard: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    bytes_max: usize,
    idle_max: Duration,
    stall_max: Duration,
}

#[derive(Debug)]
struct Body {
    bytes: BytesMut,
    len: usize,
    memory: Reserved,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(crate) fn new(io: R, config: &WireConfig, budget: Budget) -> Self {
        Self {
            io,
            budget,
            limits: Limits {
                bytes_max: config.request_bytes_max,
                idle_max: config.idle_max,
                stall_max: config.stall_max,
            },
            length: BytesMut::with_capacity(LENGTH_BYTES),
            body: None,
            heard: Instant::now(),
        }
    }

    /// The next frame; nothing at the end of the stream. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, Broken> {
        if self.length.is_empty() {
            self.heard = Instant::now();
        }
        while self.length.len() < LENGTH_BYTES {
            let begun = !self.length.is_empty();
            if !self.read(begun).await? {
                return if begun { Err(Broken::Cut) } else { Ok(None) };
            }
        }
        if self.body.is_none() {
            let len = self.announced()?;
            let memory = self.budget.reserve(len).await;
            self.heard = Instant::now();
            self.body = Some(Body {
                bytes: BytesMut::with_capacity(len),
                len,
                memory,
            });
        }
        while self
            .body
            .as_ref()
            .is_some_and(|body| body.bytes.len() < body.len)
        {
            if !self.read(true).await? {
                return Err(Broken::Cut);
            }
        }
        self.length.clear();
        Ok(self.body.take().map(|body| Frame {
            bytes: body.bytes.freeze(),
            memory: body.memory,
        }))
    }

    fn announced(&self) -> Result<usize, Broken> {
        let announced = (&self.length[..]).get_i32();
        let len =
            usize::try_from(announced).map_err(|_| Broken::Malformed("its length is negative"))?;
        if len < FRAME_BYTES_MIN {
            Err(Broken::Malformed("it is shorter than a request's header"))
        } else if len > self.limits.bytes_max {
            Err(Broken::FrameTooLarge {
                bytes: len,
                max: self.limits.bytes_max,
            })
        } else {
            Ok(len)
        }
    }

    /// Reads what is there of the part under way; false at the end of the stream.
    async fn read(&mut self, begun: bool) -> Result<bool, Broken> {
        let limit = if begun {
            self.limits.stall_max
        } else {
            self.limits.idle_max
        };
        let (into, wanted) = match &mut self.body {
            None => (&mut self.length, LENGTH_BYTES),
            Some(body) => (&mut body.bytes, body.len),
        };
        let missing = wanted - into.len();
        let mut rest = into.limit(missing);
        let read = timeout_at(self.heard + limit, self.io.read_buf(&mut rest)).await;
        let n_bytes = match read {
            Ok(read) => read?,
            Err(_) if begun => return Err(Broken::Stalled(limit)),
            Err(_) => return Err(Broken::Idle(limit)),
        };
        self.heard = Instant::now();
        Ok(n_bytes > 0)
    }
}

#[cfg(test)]
mod tests;
