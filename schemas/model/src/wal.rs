//! Messages of a Postgres replication stream as they cross to a guest, many in one call.
//!
//! A frame is: kind (one byte), LSN (u64), length (u32), and so many bytes, numbers little-endian. Kind
//! [`WalFrame::Message`] holds one message of the output plugin and the LSN that the server gave it; [`WalFrame::Large`]
//! tells of one that is too large to cross by its size (u64) and its first bytes;
//! [`WalFrame::Keepalive`] holds none, and its LSN is how far the server has read: all transactions
//! that committed before it were sent.

use alloc::vec::Vec;

const MESSAGE: u8 = b'w';
const KEEPALIVE: u8 = b'k';
const LARGE: u8 = b'l';
const HEAD_BYTES: usize = 13;

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalFrame<'a> {
    /// A message of the output plugin.
    Message {
        /// Where the server says that it stands.
        lsn: u64,
        /// The message, whole.
        body: &'a [u8],
    },
    /// A message of the output plugin that is too large.
    Large {
        /// Where the server says that it stands.
        lsn: u64,
        /// How many bytes it has.
        bytes: u64,
        /// Its first bytes.
        head: &'a [u8],
    },
    /// The server has sent everything that committed before this LSN.
    Keepalive {
        /// The server's position.
        lsn: u64,
    },
}

impl WalFrame<'_> {
    /// Appends the frame.
    pub fn write(self, out: &mut Vec<u8>) {
        let (kind, lsn, size, body) = match self {
            Self::Message { lsn, body } => (MESSAGE, lsn, None, body),
            Self::Large { lsn, bytes, head } => (LARGE, lsn, Some(bytes.to_le_bytes()), head),
            Self::Keepalive { lsn } => (KEEPALIVE, lsn, None, &[][..]),
        };
        let size = size.as_ref().map_or(&[][..], |size| size);
        let len = u32::try_from(size.len() + body.len());
        let len = len.expect("the protocol's messages are under 1 GiB");
        out.push(kind);
        out.extend_from_slice(&lsn.to_le_bytes());
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(size);
        out.extend_from_slice(body);
    }
}

/// Goes through frames; ends at the first that is not one.
#[derive(Clone, Debug)]
pub struct WalFrames<'a> {
    rest: &'a [u8],
}

impl<'a> WalFrames<'a> {
    /// The frames of a read.
    #[must_use]
    pub fn new(messages: &'a [u8]) -> Self {
        Self { rest: messages }
    }

    /// Bytes that were not gone through.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for WalFrames<'a> {
    type Item = WalFrame<'a>;

    fn next(&mut self) -> Option<WalFrame<'a>> {
        let (head, rest) = self.rest.split_first_chunk::<HEAD_BYTES>()?;
        let lsn = u64::from_le_bytes(*head[1..].first_chunk()?);
        let len = u32::from_le_bytes(*head[9..].first_chunk()?);
        let (body, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        let frame = match head[0] {
            MESSAGE => WalFrame::Message { lsn, body },
            LARGE => {
                let (size, head) = body.split_first_chunk()?;
                let bytes = u64::from_le_bytes(*size);
                WalFrame::Large { lsn, bytes, head }
            }
            KEEPALIVE if body.is_empty() => WalFrame::Keepalive { lsn },
            _ => return None,
        };
        self.rest = rest;
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back() {
        let frames = [
            WalFrame::Message { lsn: 7, body: b"B" },
            WalFrame::Keepalive { lsn: u64::MAX },
            WalFrame::Message { lsn: 0, body: b"" },
            WalFrame::Large {
                lsn: 8,
                bytes: 1 << 40,
                head: b"I",
            },
        ];
        let mut bytes = Vec::new();
        for frame in frames {
            frame.write(&mut bytes);
        }
        let mut read = WalFrames::new(&bytes);
        assert_eq!(read.by_ref().collect::<Vec<_>>(), frames);
        assert_eq!(read.rest(), b"");
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_left() {
        let mut bytes = Vec::new();
        WalFrame::Message {
            lsn: 1,
            body: b"row",
        }
        .write(&mut bytes);
        for len in 0..bytes.len() {
            let mut read = WalFrames::new(&bytes[..len]);
            assert_eq!(read.next(), None);
            assert_eq!(read.rest().len(), len);
        }
        for kind in [b'x', b'l'] {
            bytes[0] = kind;
            assert_eq!(WalFrames::new(&bytes).next(), None);
        }
    }
}
