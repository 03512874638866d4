//! Messages of `pgoutput`, protocol version 1, borrowed from what the server sent.
//!
//! Source: PostgreSQL 15, "Logical Replication Message Formats". A message that is cut off or unknown is an
//! error, the row that it ends with when it is read; nothing is allocated for what it merely claims to hold.

use std::str;

use longshore_sdk::{Fault, FaultClass};

use crate::envelope::Op;

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    Begin(Begin),
    Commit {
        /// Behind the commit record.
        end: u64,
    },
    Relation(RelationMessage<'a>),
    Insert {
        relation: u32,
        new: Tuple<'a>,
    },
    Update {
        relation: u32,
        old: Option<Old<'a>>,
        new: Tuple<'a>,
    },
    Delete {
        relation: u32,
        old: Old<'a>,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// Names of types and origins, and messages of applications: nothing to capture.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Begin {
    /// Of the commit record: what orders transactions.
    pub(crate) commit: u64,
    /// Microseconds since 1970.
    pub(crate) committed_us: i64,
    pub(crate) xid: u32,
}

/// What a relation looks like from here on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RelationMessage<'a> {
    pub(crate) id: u32,
    pub(crate) schema: &'a str,
    pub(crate) table: &'a str,
    pub(crate) identity: Identity,
    pub(crate) columns: Vec<RelationColumn<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RelationColumn<'a> {
    pub(crate) name: &'a str,
    pub(crate) type_oid: u32,
    pub(crate) modifier: i32,
    /// Part of the replica identity.
    pub(crate) in_identity: bool,
}

/// What of an old row is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Default,
    Nothing,
    Full,
    Index,
}

impl Identity {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            b'd' => Some(Self::Default),
            b'n' => Some(Self::Nothing),
            b'f' => Some(Self::Full),
            b'i' => Some(Self::Index),
            _ => None,
        }
    }
}

/// An old row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Old<'a> {
    /// Columns of the identity; all others are null and mean nothing.
    Key(Tuple<'a>),
    /// All columns.
    Full(Tuple<'a>),
}

/// A row, not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuple<'a> {
    columns: u16,
    bytes: &'a [u8],
}

/// A column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Null,
    /// A large value that did not change and was not sent.
    Unchanged,
    Text(&'a [u8]),
}

impl<'a> Tuple<'a> {
    /// Reads the columns in order, all of them and nothing behind them.
    ///
    /// # Errors
    /// When the tuple is cut off or too long.
    pub(crate) fn read(self, mut each: impl FnMut(Field<'a>)) -> Result<(), Fault> {
        let mut reader = Reader { rest: self.bytes };
        for _ in 0..self.columns {
            each(
                reader
                    .field()
                    .map_err(|CutOff| malformed("a row", self.bytes))?,
            );
        }
        match reader.rest {
            [] => Ok(()),
            _ => Err(malformed("a row", self.bytes)),
        }
    }
}

const MICROS_1970_TO_2000: i64 = 946_684_800_000_000;

impl<'a> Message<'a> {
    /// Reads one message, the whole of it but for the row that it ends with.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut reader = Reader { rest: body };
        let parsed = reader.message();
        match parsed {
            Ok(message) if reader.rest.is_empty() => Ok(message),
            _ => {
                let kind = body.first().copied().unwrap_or_default();
                Err(malformed(
                    &format!("a message of kind {:?}", char::from(kind)),
                    body,
                ))
            }
        }
    }
}

/// Fatal: what was counted of the message is never stored.
fn malformed(what: &str, bytes: &[u8]) -> Fault {
    let bytes = bytes.len();
    let message = format!("{what}, {bytes} bytes long, is not one of pgoutput's protocol 1");
    Fault::new(FaultClass::Fatal, "postgres-malformed-message", message)
}

/// What a message of a row is about, by its first bytes; none where it is not one.
pub(crate) fn row_of(head: &[u8]) -> Option<(Op, u32)> {
    let (kind, rest) = head.split_first()?;
    let op = match kind {
        b'I' => Op::Create,
        b'U' => Op::Update,
        b'D' => Op::Delete,
        _ => return None,
    };
    Some((op, u32::from_be_bytes(*rest.first_chunk()?)))
}

struct CutOff;

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn message(&mut self) -> Result<Message<'a>, CutOff> {
        Ok(match self.u8()? {
            b'B' => Message::Begin(Begin {
                commit: self.u64()?,
                committed_us: self.i64()?.saturating_add(MICROS_1970_TO_2000),
                xid: self.u32()?,
            }),
            b'C' => {
                let (_flags, _commit) = (self.u8()?, self.u64()?);
                let end = self.u64()?;
                self.i64()?;
                Message::Commit { end }
            }
            b'R' => Message::Relation(self.relation()?),
            b'I' => {
                let relation = self.u32()?;
                self.expect(b'N')?;
                let new = self.last_tuple()?;
                Message::Insert { relation, new }
            }
            b'U' => {
                let relation = self.u32()?;
                let (old, kind) = match self.u8()? {
                    b'K' => (Some(Old::Key(self.tuple()?)), self.u8()?),
                    b'O' => (Some(Old::Full(self.tuple()?)), self.u8()?),
                    kind => (None, kind),
                };
                if kind != b'N' {
                    return Err(CutOff);
                }
                let new = self.last_tuple()?;
                Message::Update { relation, old, new }
            }
            b'D' => {
                let relation = self.u32()?;
                let old = match self.u8()? {
                    b'K' => Old::Key(self.last_tuple()?),
                    b'O' => Old::Full(self.last_tuple()?),
                    _ => return Err(CutOff),
                };
                Message::Delete { relation, old }
            }
            b'T' => {
                let n = self.u32()?;
                self.u8()?;
                let relations = (0..n).map(|_| self.u32()).collect::<Result<_, _>>()?;
                Message::Truncate { relations }
            }
            b'O' | b'Y' | b'M' => {
                self.rest = &[];
                Message::Other
            }
            _ => return Err(CutOff),
        })
    }

    fn relation(&mut self) -> Result<RelationMessage<'a>, CutOff> {
        let id = self.u32()?;
        let schema = match self.text()? {
            "" => "pg_catalog",
            schema => schema,
        };
        let table = self.text()?;
        let identity = Identity::from_code(self.u8()?).ok_or(CutOff)?;
        let n = self.u16()?;
        let mut columns = Vec::new();
        for _ in 0..n {
            let flags = self.u8()?;
            columns.push(RelationColumn {
                name: self.text()?,
                type_oid: self.u32()?,
                modifier: self.u32()?.cast_signed(),
                in_identity: flags & 1 == 1,
            });
        }
        Ok(RelationMessage {
            id,
            schema,
            table,
            identity,
            columns,
        })
    }

    fn tuple(&mut self) -> Result<Tuple<'a>, CutOff> {
        let columns = self.u16()?;
        let start = self.rest;
        for _ in 0..columns {
            self.field()?;
        }
        let bytes = &start[..start.len() - self.rest.len()];
        Ok(Tuple { columns, bytes })
    }

    /// What the message ends with.
    fn last_tuple(&mut self) -> Result<Tuple<'a>, CutOff> {
        let columns = self.u16()?;
        let bytes = std::mem::take(&mut self.rest);
        Ok(Tuple { columns, bytes })
    }

    fn field(&mut self) -> Result<Field<'a>, CutOff> {
        match self.u8()? {
            b'n' => Ok(Field::Null),
            b'u' => Ok(Field::Unchanged),
            b't' => {
                let len = usize::try_from(self.u32()?).map_err(|_| CutOff)?;
                Ok(Field::Text(self.take(len)?))
            }
            // Binary values come only where they were asked for.
            _ => Err(CutOff),
        }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], CutOff> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or(CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CutOff> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(CutOff)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, CutOff> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, CutOff> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, CutOff> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, CutOff> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, CutOff> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn expect(&mut self, kind: u8) -> Result<(), CutOff> {
        if self.u8()? == kind {
            Ok(())
        } else {
            Err(CutOff)
        }
    }

    /// Text up to a zero byte.
    fn text(&mut self) -> Result<&'a str, CutOff> {
        let end = memchr::memchr(0, self.rest).ok_or(CutOff)?;
        let text = self.take(end)?;
        self.u8()?;
        str::from_utf8(text).map_err(|_| CutOff)
    }
}

#[cfg(test)]
mod tests;
