//! A TCP connection that can be left alone.
//!
//! A socket that the runtime watches wakes a thread for every packet, whether anybody waits for it or
//! not, and a server sends a packet for every WAL message. One that is taken off the watch collects
//! them in silence; the next read that finds nothing puts it back.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection, watched by the runtime or not.
pub(crate) struct Tcp(State);

enum State {
    Watched(TcpStream),
    Unwatched(std::net::TcpStream),
    /// It could not be put back on the watch, and is closed.
    Closed,
}

impl Tcp {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(State::Watched(stream))
    }

    /// Takes it off the watch until a read finds nothing or something is written.
    pub(crate) fn unwatch(&mut self) -> io::Result<()> {
        self.0 = match std::mem::replace(&mut self.0, State::Closed) {
            State::Watched(stream) => State::Unwatched(stream.into_std()?),
            state => state,
        };
        Ok(())
    }

    fn watch(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if let State::Unwatched(_) = &self.0
            && let State::Unwatched(stream) = std::mem::replace(&mut self.0, State::Closed)
        {
            self.0 = State::Watched(TcpStream::from_std(stream)?);
        }
        match &mut self.0 {
            State::Watched(stream) => Ok(Pin::new(stream)),
            State::Unwatched(_) | State::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Reads what is there, without waiting; false where nothing is.
    fn read_unwatched(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<bool> {
        let State::Unwatched(stream) = &mut self.0 else {
            return Ok(false);
        };
        match stream.read(buf.initialize_unfilled()) {
            Ok(n) => {
                buf.advance(n);
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(e),
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.read_unwatched(buf)? {
            return Poll::Ready(Ok(()));
        }
        this.watch()?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().watch()?.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().watch()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().watch()?.poll_shutdown(cx)
    }
}
