//! Writes a batch: rows go straight into the buffer that is sent, tables gather beside it.

use alloc::string::String;
use alloc::vec::Vec;

use super::Datum;
use super::layout::{
    HEADER_BYTES, MAGIC, Malformed, NO_TIMESTAMP, NONE, ROW_FIXED_BYTES, SECTION_FAULTS,
    SECTION_HEADER_NAMES, SECTION_POSITIONS, SECTION_SOURCES, SECTION_TOPICS, bytes_max,
};
use super::reader::Row;
use crate::{Fault, Position};

/// Room for the tables of a batch of few rows, and for their keys and headers.
const TABLES_BYTES: usize = 64 << 10;

/// A topic of the batch being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicIndex(u16);

/// A source partition of the batch being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceIndex(u16);

/// A fault of the batch being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultIndex(u16);

/// One row to write. `..NewRow::default()` leaves out what a connector has not got.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRow<'a> {
    /// Where the record goes; only a row with a fault may have none.
    pub topic: Option<TopicIndex>,
    /// Where it came from. A record without one has no order among others.
    pub source: Option<SourceIndex>,
    /// The topic's partition; the host chooses where it is absent.
    pub partition: Option<u32>,
    /// The input row it came from, for transforms.
    pub origin: u32,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// The record's offset in its topic, from host to guest.
    pub offset: Option<i64>,
    /// The key.
    pub key: Datum<'a>,
    /// The value.
    pub value: Datum<'a>,
    /// Name and value, in order; names may repeat.
    pub headers: &'a [(&'a str, Datum<'a>)],
    /// Why the record failed on its own account.
    pub fault: Option<FaultIndex>,
}

/// Builds one batch.
#[derive(Debug)]
pub struct BatchWriter {
    buf: Vec<u8>,
    rows: u32,
    topics: Table,
    sources: Table,
    header_names: Table,
    positions: Vec<(u16, Position)>,
    faults: Vec<Fault>,
}

impl Default for BatchWriter {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl BatchWriter {
    /// A writer with room for about that many bytes of rows.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut buf = Vec::with_capacity(HEADER_BYTES + bytes);
        buf.resize(HEADER_BYTES, 0);
        Self {
            buf,
            rows: 0,
            topics: Table::default(),
            sources: Table::default(),
            header_names: Table::default(),
            positions: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Rows written.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Bytes of the rows written, to hold against the `max-bytes` of a poll.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buf.len() - HEADER_BYTES
    }

    /// Whether neither a row nor a position was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0 && self.positions.is_empty()
    }

    /// The index of a topic; the same name gives the same index.
    ///
    /// # Errors
    /// When the batch has 65,535 topics already.
    pub fn topic(&mut self, name: &str) -> Result<TopicIndex, Malformed> {
        self.topics.intern(name, "topics").map(TopicIndex)
    }

    /// The index of a source partition, a JSON object; the same text gives the same index.
    ///
    /// # Errors
    /// When the batch has 65,535 source partitions already.
    pub fn source(&mut self, partition: &str) -> Result<SourceIndex, Malformed> {
        self.sources
            .intern(partition, "source partitions")
            .map(SourceIndex)
    }

    /// Notes a fault that rows can carry.
    ///
    /// # Errors
    /// When the batch has 65,535 faults already.
    pub fn fault(&mut self, fault: Fault) -> Result<FaultIndex, Malformed> {
        let index = next_index(self.faults.len(), "faults")?;
        self.faults.push(fault);
        Ok(FaultIndex(index))
    }

    /// How far this batch takes a source partition; the last call for a partition counts.
    pub fn position(&mut self, source: SourceIndex, position: Position) {
        match self.positions.iter_mut().find(|(s, _)| *s == source.0) {
            Some((_, old)) => *old = position,
            None => self.positions.push((source.0, position)),
        }
    }

    /// A row that says what a row of another batch says, to be changed and pushed; the headers are
    /// given apart, as [`Row::headers`] yields them.
    ///
    /// # Errors
    /// When a table of this batch is full.
    pub fn like<'a, B: AsRef<[u8]>>(
        &mut self,
        row: &Row<'a, B>,
        headers: &'a [(&'a str, Datum<'a>)],
    ) -> Result<NewRow<'a>, Malformed> {
        Ok(NewRow {
            topic: row.topic().map(|topic| self.topic(topic)).transpose()?,
            source: row.source().map(|source| self.source(source)).transpose()?,
            partition: row.partition(),
            origin: row.origin(),
            timestamp: row.timestamp(),
            offset: row.offset(),
            key: row.key(),
            value: row.value(),
            headers,
            fault: row
                .fault()
                .map(|fault| self.fault(fault.clone()))
                .transpose()?,
        })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the batch would be too large for its rows ([`BATCH_BYTES_MAX`](super::BATCH_BYTES_MAX),
    /// [`LARGE_BATCH_BYTES_MAX`](super::LARGE_BATCH_BYTES_MAX)), or the row has more than 65,535 headers. The row is then
    /// not in the batch.
    pub fn push(&mut self, row: &NewRow<'_>) -> Result<(), Malformed> {
        let value = row.value.bytes();
        self.within_limit(ROW_FIXED_BYTES + row.key.bytes().len() + value.len())?;
        self.put_row(row, row.value, |out| {
            out.extend_from_slice(value);
            Ok(())
        })
    }

    /// Writes a row whose value, a datum of a schema, is written in place; that of `row` counts for nothing. A value that
    /// is large stands once that way.
    ///
    /// # Errors
    /// As [`BatchWriter::push`], and what `write` ends with. The row is then not in the batch.
    pub fn push_written<E: From<Malformed>>(
        &mut self,
        row: &NewRow<'_>,
        schema: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = &[];
        self.put_row(row, Datum::Avro { schema, bytes }, write)
    }

    /// Makes room for so many bytes more and for what is around them, and for no more than that.
    pub fn reserve(&mut self, bytes: usize) {
        self.buf.reserve_exact(bytes.saturating_add(TABLES_BYTES));
    }

    fn put_row<E: From<Malformed>>(
        &mut self,
        row: &NewRow<'_>,
        value: Datum<'_>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.buf.len();
        let written = self.write_row(start, row, value, write);
        match written {
            Ok(()) => self.rows += 1,
            Err(_) => self.buf.truncate(start),
        }
        written
    }

    fn write_row<E: From<Malformed>>(
        &mut self,
        start: usize,
        row: &NewRow<'_>,
        value: Datum<'_>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let key = row.key.bytes();
        let n_headers = u16::try_from(row.headers.len()).map_err(|_| Malformed::TooLarge {
            bytes: row.headers.len(),
            limit: usize::from(u16::MAX),
        })?;

        let mut fixed = [0u8; ROW_FIXED_BYTES];
        fixed[4..6].copy_from_slice(&row.topic.map_or(NONE, |t| t.0).to_le_bytes());
        fixed[6..8].copy_from_slice(&row.source.map_or(NONE, |s| s.0).to_le_bytes());
        let partition = row
            .partition
            .map_or(-1, |p| i32::try_from(p).unwrap_or(i32::MAX));
        fixed[8..12].copy_from_slice(&partition.to_le_bytes());
        fixed[12..16].copy_from_slice(&row.origin.to_le_bytes());
        fixed[16..24].copy_from_slice(&row.timestamp.unwrap_or(NO_TIMESTAMP).to_le_bytes());
        fixed[24..32].copy_from_slice(&row.offset.unwrap_or(-1).to_le_bytes());
        fixed[32] = row.key.kind();
        fixed[33] = value.kind();
        fixed[34..36].copy_from_slice(&n_headers.to_le_bytes());
        fixed[36..40].copy_from_slice(&row.key.schema().to_le_bytes());
        fixed[40..44].copy_from_slice(&value.schema().to_le_bytes());
        fixed[44..48].copy_from_slice(&length(key)?);
        fixed[56..58].copy_from_slice(&row.fault.map_or(NONE, |f| f.0).to_le_bytes());

        self.buf
            .reserve(ROW_FIXED_BYTES + key.len() + value.bytes().len());
        self.buf.extend_from_slice(&fixed);
        self.buf.extend_from_slice(key);
        let value_at = self.buf.len();
        write(&mut self.buf)?;
        let headers_at = self.buf.len();
        self.within_limit(0)?;
        for (name, value) in row.headers {
            self.write_header(name, *value)?;
        }
        self.within_limit(0)?;
        let value_bytes = length(&self.buf[value_at..headers_at])?;
        let headers_bytes = length(&self.buf[headers_at..])?;
        let row_bytes = length(&self.buf[start..])?;
        self.buf[start + 48..start + 52].copy_from_slice(&value_bytes);
        self.buf[start + 52..start + 56].copy_from_slice(&headers_bytes);
        self.buf[start..start + 4].copy_from_slice(&row_bytes);
        Ok(())
    }

    fn write_header(&mut self, name: &str, value: Datum<'_>) -> Result<(), Malformed> {
        let name = self.header_names.intern(name, "header names")?;
        self.buf.extend_from_slice(&name.to_le_bytes());
        self.buf.extend_from_slice(&[value.kind(), 0]);
        self.buf.extend_from_slice(&value.schema().to_le_bytes());
        self.within_limit(value.bytes().len())?;
        put_bytes(&mut self.buf, value.bytes())
    }

    /// Whether another row with so many bytes more still makes a batch.
    fn within_limit(&self, bytes: usize) -> Result<(), Malformed> {
        within(self.buf.len() + bytes, self.rows as usize + 1)
    }

    /// The batch.
    ///
    /// # Errors
    /// When it is too large for its rows, together with its tables.
    pub fn finish(self) -> Result<Vec<u8>, Malformed> {
        let Self {
            mut buf,
            rows,
            topics,
            sources,
            header_names,
            positions,
            faults,
        } = self;
        let tables_at = buf.len();
        topics.write(&mut buf, SECTION_TOPICS)?;
        sources.write(&mut buf, SECTION_SOURCES)?;
        header_names.write(&mut buf, SECTION_HEADER_NAMES)?;
        section(
            &mut buf,
            SECTION_POSITIONS,
            &positions,
            |buf, (source, position)| {
                buf.extend_from_slice(&source.to_le_bytes());
                buf.extend_from_slice(&[u8::from(position.order.is_some()), 0]);
                buf.extend_from_slice(&position.order.map_or(0, |o| o.0).to_le_bytes());
                put_bytes(buf, position.offset.as_bytes())
            },
        )?;
        section(&mut buf, SECTION_FAULTS, &faults, write_fault)?;
        within(buf.len(), rows as usize)?;
        let total = length(&buf)?;
        buf[0..4].copy_from_slice(&MAGIC.to_le_bytes());
        buf[4..8].copy_from_slice(&total);
        buf[8..12].copy_from_slice(&rows.to_le_bytes());
        let tables_at = u32::try_from(tables_at).expect("within the limit, so within u32");
        buf[12..16].copy_from_slice(&tables_at.to_le_bytes());
        Ok(buf)
    }
}

/// Interned strings, in order of arrival. Rows come in runs, so the last one found is tried first.
#[derive(Debug, Default)]
struct Table {
    entries: Vec<String>,
    last: usize,
}

impl Table {
    fn intern(&mut self, text: &str, what: &'static str) -> Result<u16, Malformed> {
        if self.entries.get(self.last).is_none_or(|e| e != text) {
            self.last = match self.entries.iter().position(|e| e == text) {
                Some(found) => found,
                None => {
                    next_index(self.entries.len(), what)?;
                    self.entries.push(String::from(text));
                    self.entries.len() - 1
                }
            };
        }
        next_index(self.last, what)
    }

    fn write(&self, buf: &mut Vec<u8>, tag: u16) -> Result<(), Malformed> {
        section(buf, tag, &self.entries, |buf, text| {
            put_bytes(buf, text.as_bytes())
        })
    }
}

fn section<T>(
    buf: &mut Vec<u8>,
    tag: u16,
    entries: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    if entries.is_empty() {
        return Ok(());
    }
    let count = u16::try_from(entries.len()).map_err(|_| Malformed::TooLarge {
        bytes: entries.len(),
        limit: usize::from(u16::MAX),
    })?;
    buf.extend_from_slice(&tag.to_le_bytes());
    buf.extend_from_slice(&count.to_le_bytes());
    let length_at = buf.len();
    buf.extend_from_slice(&[0; 4]);
    for entry in entries {
        write(buf, entry)?;
    }
    let bytes = length(&buf[length_at + 4..])?;
    buf[length_at..length_at + 4].copy_from_slice(&bytes);
    Ok(())
}

fn write_fault(buf: &mut Vec<u8>, fault: &Fault) -> Result<(), Malformed> {
    let n_details = u16::try_from(fault.details.len()).map_err(|_| Malformed::TooLarge {
        bytes: fault.details.len(),
        limit: usize::from(u16::MAX),
    })?;
    buf.extend_from_slice(&[fault.class.code(), 0]);
    buf.extend_from_slice(&n_details.to_le_bytes());
    put_bytes(buf, fault.code.as_bytes())?;
    put_bytes(buf, fault.message.as_bytes())?;
    for (name, fact) in &fault.details {
        put_bytes(buf, name.as_bytes())?;
        put_bytes(buf, fact.as_bytes())?;
    }
    Ok(())
}

fn put_bytes(buf: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Malformed> {
    buf.extend_from_slice(&length(bytes)?);
    buf.extend_from_slice(bytes);
    Ok(())
}

fn length(bytes: &[u8]) -> Result<[u8; 4], Malformed> {
    match u32::try_from(bytes.len()) {
        Ok(n) => Ok(n.to_le_bytes()),
        Err(_) => Err(Malformed::TooLarge {
            bytes: bytes.len(),
            limit: u32::MAX as usize,
        }),
    }
}

fn within(bytes: usize, rows: usize) -> Result<(), Malformed> {
    let limit = bytes_max(rows);
    if bytes > limit {
        return Err(Malformed::TooLarge { bytes, limit });
    }
    Ok(())
}

/// The index after `len` entries; `NONE` is not one.
fn next_index(len: usize, what: &'static str) -> Result<u16, Malformed> {
    match u16::try_from(len) {
        Ok(index) if index != NONE => Ok(index),
        _ => Err(Malformed::Index {
            what,
            index: NONE,
            len,
        }),
    }
}
