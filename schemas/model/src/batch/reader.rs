//! Reads a batch: everything is checked once, in [`Batch::parse`]; access afterwards cannot fail.

use alloc::vec::Vec;
use core::ops::Range;

use super::Datum;
use super::layout::{
    Cursor, HEADER_BYTES, KIND_AVRO, KIND_BYTES, KIND_JSON, KIND_NULL, KIND_TEXT, MAGIC, Malformed,
    NO_TIMESTAMP, NONE, ROW_FIXED_BYTES, ROW_HEADER_FIXED_BYTES, SECTION_FAULTS,
    SECTION_HEADER_NAMES, SECTION_POSITIONS, SECTION_SOURCES, SECTION_TOPICS, bytes_max,
};
use super::tables::{faults, positions, texts};
use crate::{Fault, Position};

/// A checked batch over any buffer: `Vec<u8>` in a guest, `Bytes` in the host.
#[derive(Clone, Debug)]
pub struct Batch<B> {
    buf: B,
    rows: Vec<u32>,
    topics: Vec<Range<usize>>,
    sources: Vec<Range<usize>>,
    header_names: Vec<Range<usize>>,
    positions: Vec<(u16, Position)>,
    faults: Vec<Fault>,
}

impl<B: AsRef<[u8]>> Batch<B> {
    /// Checks every length, index and text of a batch.
    ///
    /// # Errors
    /// When the bytes are not a batch by the layout.
    pub fn parse(buf: B) -> Result<Self, Malformed> {
        let mut batch = Self {
            buf,
            rows: Vec::new(),
            topics: Vec::new(),
            sources: Vec::new(),
            header_names: Vec::new(),
            positions: Vec::new(),
            faults: Vec::new(),
        };
        if batch.buf.as_ref().is_empty() {
            return Ok(batch);
        }
        let (n_rows, tables_at) = batch.parse_header()?;
        batch.parse_tables(tables_at)?;
        batch.rows = batch.parse_rows(n_rows, tables_at)?;
        Ok(batch)
    }

    fn parse_header(&self) -> Result<(usize, usize), Malformed> {
        let buf = self.buf.as_ref();
        let mut cursor = Cursor::new(buf, 0..buf.len());
        let magic = cursor.u32("magic")?;
        if magic != MAGIC {
            return Err(Malformed::Magic(magic.swap_bytes()));
        }
        let total = cursor.len("batch length")?;
        let n_rows = cursor.len("row count")?;
        let tables_at = cursor.len("start of tables")?;
        if total != buf.len() {
            return Err(Malformed::Field {
                what: "batch length",
                value: total as u64,
            });
        }
        let limit = bytes_max(n_rows);
        if buf.len() > limit {
            let bytes = buf.len();
            return Err(Malformed::TooLarge { bytes, limit });
        }
        let possible_rows = (buf.len() - HEADER_BYTES.min(buf.len())) / ROW_FIXED_BYTES;
        if n_rows > possible_rows || !(HEADER_BYTES..=buf.len()).contains(&tables_at) {
            return Err(Malformed::Truncated {
                what: "rows",
                at: tables_at,
            });
        }
        Ok((n_rows, tables_at))
    }

    fn parse_tables(&mut self, tables_at: usize) -> Result<(), Malformed> {
        let buf = self.buf.as_ref();
        let mut cursor = Cursor::new(buf, tables_at..buf.len());
        let mut placed = Vec::new();
        while !cursor.is_empty() {
            let tag = cursor.u16("table tag")?;
            let count = usize::from(cursor.u16("table count")?);
            let bytes = cursor.len("table length")?;
            let mut entries = Cursor::new(buf, cursor.skip(bytes, "table")?);
            match tag {
                SECTION_TOPICS => self.topics = texts(&mut entries, count, "topic")?,
                SECTION_SOURCES => self.sources = texts(&mut entries, count, "source partition")?,
                SECTION_HEADER_NAMES => {
                    self.header_names = texts(&mut entries, count, "header name")?;
                }
                SECTION_POSITIONS => placed = positions(&mut entries, buf, count)?,
                SECTION_FAULTS => self.faults = faults(&mut entries, buf, count)?,
                _ => {}
            }
        }
        let mut seen = alloc::vec![false; self.sources.len()];
        for (source, _) in &placed {
            index(*source, self.sources.len(), "source partition")?;
            if core::mem::replace(&mut seen[usize::from(*source)], true) {
                return Err(Malformed::TwoPositions(*source));
            }
        }
        self.positions = placed;
        Ok(())
    }

    fn parse_rows(&self, n_rows: usize, tables_at: usize) -> Result<Vec<u32>, Malformed> {
        let buf = self.buf.as_ref();
        let mut cursor = Cursor::new(buf, HEADER_BYTES..tables_at);
        let mut rows = Vec::with_capacity(n_rows);
        for _ in 0..n_rows {
            let at = cursor.at();
            let row_bytes = Cursor::new(buf, at..tables_at).len("row length")?;
            let range = cursor.skip(row_bytes, "row")?;
            self.check_row(range)?;
            rows.push(u32::try_from(at).expect("within the limit, so within u32"));
        }
        if !cursor.is_empty() {
            return Err(Malformed::Truncated {
                what: "rows",
                at: cursor.at(),
            });
        }
        Ok(rows)
    }

    fn check_row(&self, range: Range<usize>) -> Result<(), Malformed> {
        let buf = self.buf.as_ref();
        let start = range.start;
        let mut cursor = Cursor::new(buf, range);
        cursor.skip(ROW_FIXED_BYTES, "row")?;
        let row = Row {
            batch: self,
            at: start,
        };
        let (topic, source, fault) = (row.u16_at(4), row.u16_at(6), row.u16_at(56));
        optional_index(fault, self.faults.len(), "fault")?;
        optional_index(source, self.sources.len(), "source partition")?;
        if topic != NONE || fault == NONE {
            index(topic, self.topics.len(), "topic")?;
        }
        let key_bytes = row.u32_at(44) as usize;
        let value_bytes = row.u32_at(48) as usize;
        let headers_bytes = row.u32_at(52) as usize;
        let key = cursor.skip(key_bytes, "key")?;
        check_datum(buf, row.u8_at(32), key, "key")?;
        let value = cursor.skip(value_bytes, "value")?;
        check_datum(buf, row.u8_at(33), value, "value")?;
        let mut headers = Cursor::new(buf, cursor.skip(headers_bytes, "headers")?);
        for _ in 0..row.u16_at(34) {
            index(
                headers.u16("header name")?,
                self.header_names.len(),
                "header name",
            )?;
            let kind = headers.u8("header kind")?;
            headers.skip(5, "header")?;
            let bytes = headers.len("header length")?;
            check_datum(
                buf,
                kind,
                headers.skip(bytes, "header value")?,
                "header value",
            )?;
        }
        Ok(())
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows; there may be positions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row, counted from 0.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<Row<'_, B>> {
        let at = *self.rows.get(row)? as usize;
        Some(Row { batch: self, at })
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_, B>> {
        self.rows.iter().map(|at| Row {
            batch: self,
            at: *at as usize,
        })
    }

    /// The topics that rows name by index.
    pub fn topics(&self) -> impl ExactSizeIterator<Item = &str> {
        self.topics.iter().map(|range| self.text(range))
    }

    /// The source partitions that rows name by index, JSON objects.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sources.iter().map(|range| self.text(range))
    }

    /// How far the batch takes its source partitions, at most one position each.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = (&str, &Position)> {
        self.positions
            .iter()
            .map(|(source, position)| (self.text(&self.sources[usize::from(*source)]), position))
    }

    /// The buffer that rows' ranges point into.
    pub fn buffer(&self) -> &B {
        &self.buf
    }

    /// The buffer, without the checked index.
    pub fn into_buffer(self) -> B {
        self.buf
    }

    /// The same batch without the rows for which `leave_out` is true of their number; tables and
    /// positions stay as they are.
    #[must_use]
    pub fn without(&self, leave_out: impl Fn(usize) -> bool) -> Vec<u8> {
        let buf = self.buf.as_ref();
        let mut rest = Vec::with_capacity(buf.len());
        rest.extend_from_slice(&buf[..HEADER_BYTES.min(buf.len())]);
        let mut n_rows = 0u32;
        for (number, row) in self.rows().enumerate() {
            if !leave_out(number) {
                rest.extend_from_slice(&buf[row.at..row.at + row.u32_at(0) as usize]);
                n_rows += 1;
            }
        }
        if !buf.is_empty() {
            let tables_at = u32::from_le_bytes([buf[12], buf[13], buf[14], buf[15]]) as usize;
            let new_tables_at = u32::try_from(rest.len()).expect("no larger than the batch");
            rest.extend_from_slice(&buf[tables_at..]);
            let total = u32::try_from(rest.len()).expect("no larger than the batch");
            rest[4..8].copy_from_slice(&total.to_le_bytes());
            rest[8..12].copy_from_slice(&n_rows.to_le_bytes());
            rest[12..16].copy_from_slice(&new_tables_at.to_le_bytes());
        }
        rest
    }

    fn text(&self, range: &Range<usize>) -> &str {
        let bytes = &self.buf.as_ref()[range.clone()];
        core::str::from_utf8(bytes).expect("checked by parse")
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Batch<B> {
    /// Writes each row's number into it as its origin, so that what a transform makes of a row can
    /// be traced to it.
    pub fn number_rows(&mut self) {
        for (number, at) in (0u32..).zip(&self.rows) {
            let field = *at as usize + 12;
            self.buf.as_mut()[field..field + 4].copy_from_slice(&number.to_le_bytes());
        }
    }

    /// Writes into each row the topic partition, and the offset that belongs to its origin.
    pub fn place_rows(&mut self, partition: u32, offset: impl Fn(u32) -> i64) {
        let partition = i32::try_from(partition).unwrap_or(i32::MAX);
        for at in &self.rows {
            let row = &mut self.buf.as_mut()[*at as usize..];
            let origin = u32::from_le_bytes([row[12], row[13], row[14], row[15]]);
            row[8..12].copy_from_slice(&partition.to_le_bytes());
            row[24..32].copy_from_slice(&offset(origin).to_le_bytes());
        }
    }
}

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a, B> {
    batch: &'a Batch<B>,
    at: usize,
}

impl<'a, B: AsRef<[u8]>> Row<'a, B> {
    /// The topic's index in [`Batch::topics`]; absent only where there is a fault.
    #[must_use]
    pub fn topic_index(&self) -> Option<usize> {
        some_index(self.u16_at(4))
    }

    /// The topic.
    #[must_use]
    pub fn topic(&self) -> Option<&'a str> {
        let range = &self.batch.topics[self.topic_index()?];
        Some(self.batch.text(range))
    }

    /// The source partition's index in [`Batch::sources`].
    #[must_use]
    pub fn source_index(&self) -> Option<usize> {
        some_index(self.u16_at(6))
    }

    /// The source partition, a JSON object.
    #[must_use]
    pub fn source(&self) -> Option<&'a str> {
        let range = &self.batch.sources[self.source_index()?];
        Some(self.batch.text(range))
    }

    /// The topic partition that the connector chose or the record came from.
    #[must_use]
    pub fn partition(&self) -> Option<u32> {
        u32::try_from(i32::from_le_bytes(self.array_at(8))).ok()
    }

    /// The row of the input batch that this one came from.
    #[must_use]
    pub fn origin(&self) -> u32 {
        self.u32_at(12)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        Some(i64::from_le_bytes(self.array_at(16))).filter(|t| *t != NO_TIMESTAMP)
    }

    /// The record's offset in its topic partition.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        Some(i64::from_le_bytes(self.array_at(24))).filter(|o| *o >= 0)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Datum<'a> {
        self.datum(self.u8_at(32), self.u32_at(36), self.key_range())
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Datum<'a> {
        self.datum(self.u8_at(33), self.u32_at(40), self.value_range())
    }

    /// Where the key's bytes stand in [`Batch::buffer`].
    #[must_use]
    pub fn key_range(&self) -> Range<usize> {
        let start = self.at + ROW_FIXED_BYTES;
        start..start + self.u32_at(44) as usize
    }

    /// Where the value's bytes stand in [`Batch::buffer`].
    #[must_use]
    pub fn value_range(&self) -> Range<usize> {
        let start = self.key_range().end;
        start..start + self.u32_at(48) as usize
    }

    /// The headers in order; names may repeat.
    #[must_use]
    pub fn headers(&self) -> Headers<'a, B> {
        Headers {
            batch: self.batch,
            at: self.value_range().end,
            left: self.u16_at(34),
        }
    }

    /// Why the record failed on its own account.
    #[must_use]
    pub fn fault(&self) -> Option<&'a Fault> {
        Some(&self.batch.faults[some_index(self.u16_at(56))?])
    }

    fn datum(&self, kind: u8, schema: u32, range: Range<usize>) -> Datum<'a> {
        datum(self.batch.buf.as_ref(), kind, schema, range)
    }

    fn array_at<const N: usize>(&self, field: usize) -> [u8; N] {
        let at = self.at + field;
        self.batch.buf.as_ref()[at..at + N]
            .try_into()
            .expect("the slice has N bytes")
    }

    fn u8_at(&self, field: usize) -> u8 {
        self.array_at::<1>(field)[0]
    }

    fn u16_at(&self, field: usize) -> u16 {
        u16::from_le_bytes(self.array_at(field))
    }

    fn u32_at(&self, field: usize) -> u32 {
        u32::from_le_bytes(self.array_at(field))
    }
}

/// A header of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name.
    pub name: &'a str,
    /// The value.
    pub value: Datum<'a>,
}

/// Iterates over the headers of a row.
#[derive(Clone, Debug)]
pub struct Headers<'a, B> {
    batch: &'a Batch<B>,
    at: usize,
    left: u16,
}

impl<'a, B: AsRef<[u8]>> Iterator for Headers<'a, B> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.left = self.left.checked_sub(1)?;
        let buf = self.batch.buf.as_ref();
        let fixed = &buf[self.at..self.at + ROW_HEADER_FIXED_BYTES];
        let name = u16::from_le_bytes([fixed[0], fixed[1]]);
        let schema = u32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let bytes = u32::from_le_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]) as usize;
        let value = self.at + ROW_HEADER_FIXED_BYTES;
        self.at = value + bytes;
        Some(Header {
            name: self.batch.text(&self.batch.header_names[usize::from(name)]),
            value: datum(buf, fixed[2], schema, value..self.at),
        })
    }
}

fn datum(buf: &[u8], kind: u8, schema: u32, range: Range<usize>) -> Datum<'_> {
    let bytes = &buf[range];
    let text = || core::str::from_utf8(bytes).expect("checked by parse");
    match kind {
        KIND_NULL => Datum::Null,
        KIND_TEXT => Datum::Text(text()),
        KIND_JSON => Datum::Json(text()),
        KIND_AVRO => Datum::Avro { schema, bytes },
        _ => Datum::Bytes(bytes),
    }
}

fn check_datum(
    buf: &[u8],
    kind: u8,
    range: Range<usize>,
    what: &'static str,
) -> Result<(), Malformed> {
    let at = range.start;
    match kind {
        KIND_BYTES | KIND_AVRO => Ok(()),
        KIND_NULL if range.is_empty() => Ok(()),
        KIND_TEXT | KIND_JSON => match core::str::from_utf8(&buf[range]) {
            Ok(_) => Ok(()),
            Err(_) => Err(Malformed::Utf8 { what, at }),
        },
        _ => Err(Malformed::Field {
            what: "kind of a key, value or header",
            value: u64::from(kind),
        }),
    }
}

fn some_index(index: u16) -> Option<usize> {
    (index != NONE).then_some(usize::from(index))
}

fn index(index: u16, len: usize, what: &'static str) -> Result<(), Malformed> {
    if usize::from(index) < len {
        Ok(())
    } else {
        Err(Malformed::Index { what, index, len })
    }
}

fn optional_index(value: u16, len: usize, what: &'static str) -> Result<(), Malformed> {
    if value == NONE {
        Ok(())
    } else {
        index(value, len, what)
    }
}
