//! An ordinary session's socket, with a limit on what a row of a copy takes.
//!
//! tokio-postgres gathers a message before it hands it on, and a row of `COPY` may have 1 GiB. One that is over the limit
//! is replaced by a line that no row can be, `\.` and how many bytes it has, and is never in memory as a whole (invariant
//! 9). All other messages pass as they are.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use crate::frame::{HEAD_BYTES, MESSAGE_BYTES_MAX};
use crate::socket::Socket;

const READ_BYTES: usize = 64 << 10;

/// A socket whose rows are no larger than [`MESSAGE_BYTES_MAX`].
pub(crate) struct Bounded {
    socket: Socket,
    input: Box<[u8]>,
    rows: Rows,
    /// What goes on to the reader.
    output: BytesMut,
}

impl Bounded {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket,
            input: vec![0; READ_BYTES].into(),
            rows: Rows::new(MESSAGE_BYTES_MAX),
            output: BytesMut::new(),
        }
    }
}

/// Where in the messages we are.
#[derive(Debug)]
struct Rows {
    bytes_max: usize,
    head: [u8; HEAD_BYTES],
    /// How much of the head is known.
    known: usize,
    /// How much of the body is still to come, and whether it passes.
    rest: usize,
    passes: bool,
}

impl Rows {
    fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            head: [0; HEAD_BYTES],
            known: 0,
            rest: 0,
            passes: true,
        }
    }

    /// Appends what passes of `input`.
    fn pass(&mut self, mut input: &[u8], output: &mut BytesMut) {
        while !input.is_empty() {
            if self.rest > 0 {
                let (body, behind) = input.split_at(self.rest.min(input.len()));
                if self.passes {
                    output.extend_from_slice(body);
                }
                self.rest -= body.len();
                input = behind;
                continue;
            }
            let (head, behind) = input.split_at(input.len().min(HEAD_BYTES - self.known));
            self.head[self.known..self.known + head.len()].copy_from_slice(head);
            self.known += head.len();
            input = behind;
            if self.known == HEAD_BYTES {
                self.known = 0;
                self.begin(output);
            }
        }
    }

    /// A message of which the head is known.
    fn begin(&mut self, output: &mut BytesMut) {
        let [tag, length @ ..] = self.head;
        // The length counts itself.
        self.rest = (u32::from_be_bytes(length) as usize).saturating_sub(length.len());
        self.passes = tag != b'd' || self.rest <= self.bytes_max;
        if self.passes {
            output.extend_from_slice(&self.head);
            return;
        }
        let line = format!("\\.{}\n", self.rest);
        let length = u32::try_from(line.len() + length.len()).expect("a line is short");
        output.extend_from_slice(&[tag]);
        output.extend_from_slice(&length.to_be_bytes());
        output.extend_from_slice(line.as_bytes());
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            socket,
            input,
            rows,
            output,
        } = self.get_mut();
        while output.is_empty() {
            let mut read = ReadBuf::new(input);
            ready!(Pin::new(&mut *socket).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            rows.pass(read.filled(), output);
        }
        let bytes = output.len().min(buf.remaining());
        buf.put_slice(&output[..bytes]);
        output.advance(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl TlsStream for Bounded {
    fn channel_binding(&self) -> ChannelBinding {
        self.socket.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn a_row_over_the_limit_is_a_line_that_says_so_however_it_comes() {
        let input = [
            message(b'H', b"a copy begins, longer than a row may be"),
            message(b'd', b"1\tx\n"),
            message(b'd', b"2\tyyyyyyyyyyyyyyyyyyyyyyy\n"),
            message(b'd', b"3\tzzzzzzzz\n"),
            message(b'd', b"4\t\n"),
            message(b'c', b""),
        ];
        let expected = [
            input[0].clone(),
            input[1].clone(),
            message(b'd', b"\\.26\n"),
            message(b'd', b"\\.11\n"),
            input[4].clone(),
            input[5].clone(),
        ]
        .concat();
        let input = input.concat();
        for part in 1..input.len() {
            let mut rows = Rows::new(10);
            let mut output = BytesMut::new();
            for part in input.chunks(part) {
                rows.pass(part, &mut output);
            }
            assert_eq!(output, expected, "in parts of {part}");
        }
    }
}
