//! A session in replication mode: messages out, messages in.

use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::Error;
use crate::answer::{Answer, Stage};
use crate::frame::Message;
use crate::socket::Socket;

/// What one look at the socket may bring.
const READ_BYTES: usize = 256 << 10;
/// The time for the last words.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A row of an answer, in text.
pub(crate) type Row = Vec<Option<String>>;

/// Messages over a socket.
pub(crate) struct Wire {
    socket: Socket,
    /// Written once, so that a read need not clear it first.
    input: Vec<u8>,
    /// What came and was not consumed.
    unread: Range<usize>,
    output: BytesMut,
}

/// A message that stands on its own.
pub(crate) struct Received {
    pub(crate) tag: u8,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket,
            input: Vec::new(),
            unread: 0..0,
            output: BytesMut::new(),
        }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends what `write` writes.
    pub(crate) async fn send(&mut self, write: impl FnOnce(&mut BytesMut)) -> io::Result<()> {
        write(&mut self.output);
        self.socket.write_all_buf(&mut self.output).await?;
        self.socket.flush().await
    }

    /// Sends a message, which may hold what the protocol cannot carry.
    pub(crate) async fn write(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut message = BytesMut::new();
        write(&mut message).map_err(|_| Error::ZeroByte)?;
        let sent = self.send(|out| out.extend_from_slice(&message)).await;
        sent.map_err(Error::lost)
    }

    /// Waits for bytes, takes what is there, and tells how many. May be dropped at any moment.
    pub(crate) async fn receive(&mut self) -> io::Result<usize> {
        self.make_room();
        let before = self.unread.end;
        let received = self.socket.read(&mut self.input[self.unread.end..]).await?;
        if received == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.end += received;
        // TLS gives a few records a time, however many are here.
        while self.socket.is_encrypted() && !self.has_much() {
            let more = self.socket.read(&mut self.input[self.unread.end..]);
            match more.now_or_never() {
                Some(Ok(received)) if received > 0 => self.unread.end += received,
                // Whatever has ended it ends the next read too.
                _ => break,
            }
        }
        Ok(self.unread.end - before)
    }

    /// So much came that more of it is likely to be here.
    pub(crate) fn has_much(&self) -> bool {
        self.unread.len() >= READ_BYTES
    }

    fn make_room(&mut self) {
        let len = self.unread.len();
        self.input.copy_within(self.unread.clone(), 0);
        self.unread = 0..len;
        if self.input.len() < len + READ_BYTES {
            // A large message is not copied again and again while it comes, nor is there room for more than it.
            let message = Message::length(self.input()).unwrap_or_default();
            let needed = (len + READ_BYTES).max(message + READ_BYTES);
            self.input.resize(needed.min(2 * (len + READ_BYTES)), 0);
        } else if len < READ_BYTES && self.input.len() > 4 * READ_BYTES {
            self.input.truncate(2 * READ_BYTES);
            self.input.shrink_to_fit();
        }
    }

    /// Lets what comes wait until the next look.
    pub(crate) fn rest(&mut self) -> io::Result<()> {
        self.socket.unwatch()
    }

    /// What came and was not consumed.
    pub(crate) fn input(&self) -> &[u8] {
        &self.input[self.unread.clone()]
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.unread.start += bytes;
    }

    /// The next message but notices and settings. May be dropped at any moment.
    pub(crate) async fn message(&mut self) -> Result<Received, Error> {
        loop {
            while let Some(message) = Message::first(self.input())? {
                let (tag, bytes) = (message.tag, message.bytes);
                let body = message.body.to_vec();
                self.consume(bytes);
                if !matches!(tag, b'N' | b'S' | b'A') {
                    return Ok(Received { tag, body });
                }
            }
            self.receive().await.map_err(Error::lost)?;
        }
    }

    /// Runs one command and returns its rows.
    pub(crate) async fn command(&mut self, sql: &str, stage: Stage) -> Result<Vec<Row>, Error> {
        self.ask(sql).await?;
        let mut rows = Vec::new();
        loop {
            let message = self.message().await?;
            match message.tag {
                b'D' => rows.push(row(&message.body)?),
                b'E' => return Err(self.refused(&message.body, stage).await),
                b'Z' => return Ok(rows),
                b'T' | b'C' | b'I' => {}
                _ => return Err(Error::Protocol("a message that no command has")),
            }
        }
    }

    pub(crate) async fn ask(&mut self, sql: &str) -> Result<(), Error> {
        self.write(|out| frontend::query(sql, out)).await
    }

    /// An error; behind it the server is ready again, or gone.
    pub(crate) async fn refused(&mut self, body: &[u8], stage: Stage) -> Error {
        let error = Error::server(Answer::parse(body), stage);
        while let Ok(message) = self.message().await {
            if message.tag == b'Z' {
                break;
            }
        }
        error
    }

    /// Says what is left to say and waits until the server has heard it: a socket that is closed
    /// before everything was read may take the last words with it.
    pub(crate) async fn close(mut self, write: impl FnOnce(&mut BytesMut)) {
        let close = async {
            self.send(|out| {
                write(out);
                frontend::terminate(out);
            })
            .await?;
            self.socket.shutdown().await?;
            while self.receive().await.is_ok() {
                self.unread = 0..0;
            }
            io::Result::Ok(())
        };
        // However it ends, the server is gone or the socket is closed now.
        drop(timeout(CLOSE_TIMEOUT, close).await);
    }
}

/// The columns of a DataRow's body.
fn row(body: &[u8]) -> Result<Row, Error> {
    columns(body).ok_or(Error::Protocol("a row that is cut off or no text"))
}

fn columns(body: &[u8]) -> Option<Row> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (len, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let value = match i32::from_be_bytes(*len) {
            -1 => None,
            len => {
                let (value, after) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                rest = after;
                Some(String::from_utf8(value.to_vec()).ok()?)
            }
        };
        row.push(value);
    }
    rest.is_empty().then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_or_refused() {
        let good = b"\0\x02\0\0\0\x02hi\xff\xff\xff\xff";
        let read = row(good).unwrap();
        assert_eq!(read, [Some("hi".to_owned()), None]);
        for len in 0..good.len() {
            assert!(row(&good[..len]).is_err(), "cut off at {len}");
        }
        for bad in [
            &b"\0\x01\xff\xff\xff\xfe"[..],
            b"\0\x01\0\0\0\x01\xff",
            b"\0\0x",
        ] {
            assert!(row(bad).is_err());
        }
    }
}
