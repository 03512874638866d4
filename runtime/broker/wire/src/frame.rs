//! Frames as they arrive: a length, then so many bytes, within limits of memory and time.

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
    config: WireConfig,
    length: BytesMut,
    body: Option<Body>,
    /// When the part under way must be here.
    deadline: Instant,
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
            config: config.clone(),
            length: BytesMut::with_capacity(LENGTH_BYTES),
            body: None,
            deadline: Instant::now(),
        }
    }

    /// The next frame; nothing at the end of the stream. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, Broken> {
        if self.length.is_empty() {
            self.deadline = Instant::now() + self.config.idle_max;
            match self.read().await {
                Ok(0) => return Ok(None),
                Err(Broken::Late) => return Err(Broken::Idle(self.config.idle_max)),
                begun => begun?,
            };
            self.deadline = Instant::now() + self.config.patience(LENGTH_BYTES);
        }
        while self.length.len() < LENGTH_BYTES {
            self.read_on().await?;
        }
        if self.body.is_none() {
            let len = self.announced()?;
            let memory = self.budget.reserve(len).await;
            self.deadline = Instant::now() + self.config.patience(len);
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
            self.read_on().await?;
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
        } else if len > self.config.request_bytes_max {
            Err(Broken::FrameTooLarge {
                bytes: len,
                max: self.config.request_bytes_max,
            })
        } else {
            Ok(len)
        }
    }

    async fn read_on(&mut self) -> Result<(), Broken> {
        match self.read().await? {
            0 => Err(Broken::Cut),
            _ => Ok(()),
        }
    }

    /// Reads what is there of the part under way; no bytes are the end of the stream.
    async fn read(&mut self) -> Result<usize, Broken> {
        let (into, wanted) = match &mut self.body {
            None => (&mut self.length, LENGTH_BYTES),
            Some(body) => (&mut body.bytes, body.len),
        };
        let missing = wanted - into.len();
        let mut rest = into.limit(missing);
        let read = timeout_at(self.deadline, self.io.read_buf(&mut rest)).await;
        Ok(read.map_err(|_| Broken::Late)??)
    }
}

#[cfg(test)]
mod tests;
