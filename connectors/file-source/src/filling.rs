//! A batch while it is filled: what still fits, and how a line becomes a row.

use longshore_sdk::{
    BATCH_BYTES_MAX, BatchWriter, Datum, Fault, FaultClass, NewRow, PollLimits, SourceIndex,
    TopicIndex,
};

use crate::config::FileSourceConfig;
use crate::lines::Next;
use crate::tail::Tail;

/// A poll that found nothing to return stops reading after this many pages, so that a line without
/// end does not keep the task from its wake and stop.
const PAGES_PER_POLL: usize = 128;

/// Rows of a batch at most: each may carry a fault, which a batch counts in 16 bits.
const ROWS_MAX: u32 = 60_000;

/// What a row takes beside its value.
const ROW_BYTES: usize = 64;

/// A batch and what may still go into it.
pub(crate) struct Filling {
    pub(crate) writer: BatchWriter,
    topic: TopicIndex,
    rows_max: u32,
    bytes_max: usize,
    line_max: usize,
    pub(crate) pages_left: usize,
}

impl Filling {
    pub(crate) fn new(config: &FileSourceConfig, limits: PollLimits) -> Result<Self, Fault> {
        let bytes_max = limits.bytes_max as usize;
        let mut writer = BatchWriter::with_capacity(bytes_max);
        Ok(Self {
            topic: writer.topic(&config.topic)?,
            writer,
            rows_max: limits.records_max.min(config.batch_size).min(ROWS_MAX),
            bytes_max: bytes_max.min(BATCH_BYTES_MAX / 2),
            line_max: config.max_line_bytes as usize,
            pages_left: PAGES_PER_POLL,
        })
    }

    /// Bytes of a line that still fit; a line of any size fits in an empty batch.
    pub(crate) fn room(&self) -> Option<usize> {
        if self.writer.rows() == 0 {
            return Some(usize::MAX);
        }
        if self.writer.rows() >= self.rows_max {
            return None;
        }
        self.bytes_max.checked_sub(self.writer.bytes() + ROW_BYTES)
    }

    fn line(&mut self, source: SourceIndex, line: &[u8]) -> Result<(), Fault> {
        let value = match std::str::from_utf8(line) {
            Ok(text) => Datum::Text(text),
            Err(_) => Datum::Bytes(line),
        };
        Ok(self.writer.push(&NewRow {
            topic: Some(self.topic),
            source: Some(source),
            value,
            ..NewRow::default()
        })?)
    }

    fn too_long(
        &mut self,
        source: SourceIndex,
        file: &str,
        offset: u64,
        length: u64,
    ) -> Result<(), Fault> {
        let message = format!(
            "the line at byte {offset} of {file} has {length} bytes, over max.line.bytes ({})",
            self.line_max
        );
        let fault = Fault::new(FaultClass::BadRecord, "line-too-long", message)
            .with("file", file)
            .with("offset", offset.to_string())
            .with("length", length.to_string());
        let fault = self.writer.fault(fault)?;
        Ok(self.writer.push(&NewRow {
            topic: Some(self.topic),
            source: Some(source),
            fault: Some(fault),
            ..NewRow::default()
        })?)
    }
}

/// Moves lines into the batch; with `finish` the rest as well, for no line end will follow it. True
/// when the batch is full.
pub(crate) fn cut_lines(
    tail: &mut Tail,
    batch: &mut Filling,
    source: SourceIndex,
    finish: bool,
) -> Result<bool, Fault> {
    let Some(lines) = &mut tail.lines else {
        return Ok(false);
    };
    let line_max = batch.line_max;
    while let Some(room) = batch.room() {
        let next = match finish {
            true if !lines.has_rest() => return Ok(false),
            true => lines.finish(line_max, room),
            false => lines.next(line_max, room),
        };
        match next {
            Next::Line(line) => batch.line(source, line)?,
            Next::TooLong { offset, length } => {
                batch.too_long(source, &tail.entry.path, offset, length)?;
            }
            Next::NoRoom => return Ok(true),
            Next::Unfinished => return Ok(false),
        }
    }
    Ok(true)
}
