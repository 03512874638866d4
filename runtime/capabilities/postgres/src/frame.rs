//! From what a server sends to what a reader gets, without a copy of its own for each message.

use longshore_model::wal::WalFrame;

use crate::Error;
use crate::answer::{Answer, Stage};
use crate::buffer::Filled;

/// Longest message of a server that is taken: a value of 64 MiB as hexadecimal digits, and a MiB around it. A row that is
/// larger is told by its size, and is never in memory as a whole.
pub const MESSAGE_BYTES_MAX: usize = (128 << 20) + (1 << 20);

pub(crate) const HEAD_BYTES: usize = 5;
/// No server sends longer ones.
const SENT_BYTES_MAX: usize = 1 << 30;
/// What stands before a message of the stream: its kind, where it is, how far the server is, and its clock.
const STREAMED_HEAD_BYTES: usize = 25;
/// How much is told of a message that is too large: what it is about.
const TOLD_BYTES: usize = 16;

/// A message of the server, and how many bytes it took.
pub(crate) struct Message<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
    pub(crate) bytes: usize,
}

impl<'a> Message<'a> {
    /// How many bytes the first message of `input` has, as far as that is known and it is taken.
    pub(crate) fn length(input: &[u8]) -> Option<usize> {
        let head = input.first_chunk::<HEAD_BYTES>()?;
        let [_, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        (length <= MESSAGE_BYTES_MAX).then_some(length + 1)
    }

    /// The first message of `input`; `None` until it is whole.
    pub(crate) fn first(input: &'a [u8]) -> Result<Option<Self>, Error> {
        let Some((head, rest)) = input.split_first_chunk::<HEAD_BYTES>() else {
            return Ok(None);
        };
        let [tag, len @ ..] = *head;
        // The length counts itself.
        let len = usize::try_from(u32::from_be_bytes(len)).ok();
        let Some(len) = len.and_then(|len| len.checked_sub(4)) else {
            return Err(Error::Protocol("a message of less than no length"));
        };
        if len > MESSAGE_BYTES_MAX {
            return Err(Error::MessageTooLarge {
                bytes: len,
                lsn: None,
            });
        }
        Ok(rest.get(..len).map(|body| Self {
            tag,
            body,
            bytes: HEAD_BYTES + len,
        }))
    }
}

/// What a stream has told us besides its messages.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The highest LSN of a message or a keepalive.
    pub(crate) lsn: u64,
    /// The server's clock, in microseconds since 2000, when it last sent something.
    pub(crate) clock: i64,
    /// It wants to hear from us now.
    pub(crate) asks: bool,
    /// What is still to come of a message that is too large.
    passing_over: usize,
}

impl Told {
    /// Frames every whole message of `input`, and returns how many bytes they were. What came
    /// before an error is framed all the same.
    pub(crate) fn frame(
        &mut self,
        input: &[u8],
        out: &mut Filled<'_>,
    ) -> (usize, Result<(), Error>) {
        let mut used = self.pass_over(input);
        let mut keepalive = None;
        let outcome = loop {
            match Message::first(&input[used..]) {
                Err(Error::MessageTooLarge { bytes, .. })
                    if input[used] == b'd' && bytes <= SENT_BYTES_MAX =>
                {
                    let head = &input[used + HEAD_BYTES..];
                    let Some(head) = head.get(..STREAMED_HEAD_BYTES + TOLD_BYTES) else {
                        break Ok(());
                    };
                    if let Err(error) = self.take_large(bytes, head, out) {
                        break Err(error);
                    }
                    keepalive = None;
                    self.passing_over = HEAD_BYTES + bytes;
                    used += self.pass_over(&input[used..]);
                }
                Ok(None) => break Ok(()),
                Ok(Some(message)) => {
                    if let Err(error) = self.take(&message, out, &mut keepalive) {
                        break Err(error);
                    }
                    used += message.bytes;
                }
                Err(error) => break Err(error),
            }
        };
        out.cut(self.lsn);
        (used, outcome.map_err(|e| e.at(self.lsn)))
    }

    /// Passes over what has come of a message that is too large; how much that is.
    fn pass_over(&mut self, input: &[u8]) -> usize {
        let passed = self.passing_over.min(input.len());
        self.passing_over -= passed;
        passed
    }

    fn take_large(&mut self, bytes: usize, head: &[u8], out: &mut Filled<'_>) -> Result<(), Error> {
        if head[0] != b'w' {
            return Err(Error::Protocol("a part of a stream that is too long"));
        }
        let (head, body) = head.split_at(STREAMED_HEAD_BYTES);
        let lsn = number(&head[1..9]);
        self.lsn = self.lsn.max(lsn);
        self.clock = number(&head[17..]).cast_signed();
        let bytes = (bytes - STREAMED_HEAD_BYTES) as u64;
        WalFrame::Large {
            lsn,
            bytes,
            head: body,
        }
        .write(out.bytes());
        Ok(())
    }

    /// `keepalive` is where the last frame begins, if it is one: a later one takes its place.
    fn take(
        &mut self,
        message: &Message<'_>,
        out: &mut Filled<'_>,
        keepalive: &mut Option<usize>,
    ) -> Result<(), Error> {
        match message.tag {
            b'd' => self.take_copied(message.body, out, keepalive),
            // Notices, and settings that changed.
            b'N' | b'S' => Ok(()),
            b'E' => Err(Error::server(Answer::parse(message.body), Stage::Stream)),
            // A stopping server sends what there is and then says that the command is complete.
            b'c' | b'C' => Err(Error::Ended),
            _ => Err(Error::Protocol("a message that no stream has")),
        }
    }

    fn take_copied(
        &mut self,
        body: &[u8],
        out: &mut Filled<'_>,
        keepalive: &mut Option<usize>,
    ) -> Result<(), Error> {
        let short = Error::Protocol("a part of a stream that is too short");
        match body.split_first() {
            Some((b'w', rest)) => {
                let Some((head, body)) = rest.split_first_chunk::<24>() else {
                    return Err(short);
                };
                let lsn = number(&head[..8]);
                self.lsn = self.lsn.max(lsn);
                self.clock = number(&head[16..]).cast_signed();
                *keepalive = None;
                WalFrame::Message { lsn, body }.write(out.bytes());
                out.cut_where_due(self.lsn);
                Ok(())
            }
            Some((b'k', rest)) => {
                let Ok(head) = <&[u8; 17]>::try_from(rest) else {
                    return Err(short);
                };
                let lsn = number(&head[..8]);
                self.lsn = self.lsn.max(lsn);
                self.clock = number(&head[8..16]).cast_signed();
                self.asks |= head[16] == 1;
                if let Some(at) = *keepalive {
                    out.bytes().truncate(at);
                }
                *keepalive = Some(out.bytes().len());
                WalFrame::Keepalive { lsn }.write(out.bytes());
                Ok(())
            }
            _ => Err(Error::Protocol(
                "a part of a stream that is neither data nor keepalive",
            )),
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests;
