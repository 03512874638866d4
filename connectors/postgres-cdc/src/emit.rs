//! Changes to records: an event, the tombstone behind a delete, both and a create where a key changed.

use std::borrow::Cow;

use longshore_sdk::{
    BatchWriter, Datum, Fault, FaultClass, LARGE_BATCH_BYTES_MAX, Malformed, NewRow, SourceIndex,
    TopicIndex,
};

use crate::captured::Captured;
use crate::config::PostgresConfig;
use crate::envelope::{CONNECTOR, Cell, Change, Op, SourceFields, Tail};
use crate::select::Skipped;
use crate::work::Shared;

/// Records of one change, at most: delete, tombstone, create.
pub(crate) const RECORDS_PER_CHANGE: u32 = 3;

/// What a batch of one record leaves to its tables and to the position, which names every transaction that a snapshot met.
const EVENT_BYTES_MAX: usize = LARGE_BATCH_BYTES_MAX - (64 << 10);
/// For more than that, room is made once instead of growing.
const LARGE_BYTES: usize = 1 << 20;
/// As many tables take turns, and no more are looked through.
const RUNS_MAX: usize = 8;
/// What the host takes of the server at a time.
const ROW_BYTES_MAX: usize = (128 << 20) + (1 << 20);

const LOGICAL_NAME: &str = "__debezium.context.connectorLogicalName";
const TASK_ID: &str = "__debezium.context.taskId";
const CONNECTOR_NAME: &str = "__debezium.context.connectorName";
/// One slot is one task.
type Context = [(&'static str, String); 3];

const OLD_KEY: &str = "__debezium.oldkey";
const NEW_KEY: &str = "__debezium.newkey";

/// Writes changes into batches, with buffers of its own.
#[derive(Debug)]
pub(crate) struct Emitter {
    pub(crate) tombstones: bool,
    pub(crate) skipped: Skipped,
    /// `extended.headers.enabled`: headers of every record.
    context: Option<Context>,
    key: Vec<u8>,
    other_key: Vec<u8>,
}

/// Where records of a batch come from, and when they are made.
pub(crate) struct Out<'a> {
    pub(crate) batch: &'a mut BatchWriter,
    pub(crate) runs: &'a mut Runs,
    pub(crate) source: SourceIndex,
    /// Microseconds since 1970.
    pub(crate) now_us: i64,
}

/// The tables that rows of a batch came of last: few take turns in a transaction, names take long to compare, and tails to
/// write.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    runs: Vec<Run>,
    /// Whose place the next table takes.
    oldest: usize,
}

#[derive(Debug)]
struct Run {
    table: Shared,
    topic: TopicIndex,
    tail: Tail,
}

impl Runs {
    fn of(&mut self, table: &Shared, batch: &mut BatchWriter) -> Result<&mut Run, Malformed> {
        let known = |run: &Run| Shared::ptr_eq(&run.table, table);
        if let Some(at) = self.runs.iter().position(known) {
            return Ok(&mut self.runs[at]);
        }
        let run = Run {
            table: Shared::clone(table),
            topic: batch.topic(&table.topic)?,
            tail: Tail::default(),
        };
        if self.runs.len() < RUNS_MAX {
            self.runs.push(run);
            return Ok(self.runs.last_mut().expect("it was just pushed"));
        }
        let at = self.oldest;
        self.oldest = (at + 1) % RUNS_MAX;
        self.runs[at] = run;
        Ok(&mut self.runs[at])
    }
}

impl Out<'_> {
    fn topic(&mut self, table: &Shared) -> Result<TopicIndex, Malformed> {
        Ok(self.runs.of(table, self.batch)?.topic)
    }
}

/// A row's change, as it is to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowChange<'a> {
    Read(&'a [Cell<'a>]),
    Create(&'a [Cell<'a>]),
    Update {
        before: Option<&'a [Cell<'a>]>,
        after: &'a [Cell<'a>],
    },
    Delete(&'a [Cell<'a>]),
    /// An update that changed the message's key.
    Rekey {
        before: &'a [Cell<'a>],
        after: &'a [Cell<'a>],
    },
}

impl Emitter {
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        let context = [
            (LOGICAL_NAME, config.keys.topic_prefix.clone()),
            (TASK_ID, "0".to_owned()),
            (CONNECTOR_NAME, CONNECTOR.to_owned()),
        ];
        Self {
            tombstones: config.keys.tombstones,
            skipped: config.selection.skipped,
            context: config.keys.extended_headers.then_some(context),
            key: Vec::new(),
            other_key: Vec::new(),
        }
    }

    /// Writes what a change is told by. A record that cannot be written goes along as a bad one.
    pub(crate) fn change(
        &mut self,
        out: &mut Out<'_>,
        table: &Shared,
        change: RowChange<'_>,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        match change {
            RowChange::Read(after) => self.event(out, table, Op::Read, None, Some(after), source),
            RowChange::Create(_) if self.skipped.create => Ok(()),
            RowChange::Create(after) => {
                self.event(out, table, Op::Create, None, Some(after), source)
            }
            RowChange::Update { .. } | RowChange::Rekey { .. } if self.skipped.update => Ok(()),
            RowChange::Update { before, after } => {
                self.event(out, table, Op::Update, before, Some(after), source)
            }
            RowChange::Delete(_) if self.skipped.delete => Ok(()),
            RowChange::Delete(before) => {
                self.event(out, table, Op::Delete, Some(before), None, source)?;
                self.tombstone(out, table, before)
            }
            RowChange::Rekey { before, after } => self.rekeyed(out, table, before, after, source),
        }
    }

    /// A truncate, which has neither key nor rows.
    pub(crate) fn truncate(
        &self,
        out: &mut Out<'_>,
        table: &Shared,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        let change = Change {
            op: Op::Truncate,
            before: None,
            after: None,
            source,
            now_us: out.now_us,
        };
        self.push_event(out, table, Datum::Null, &change, &[])
    }

    /// Tells of a row that the server sent in so many bytes that it was not taken.
    pub(crate) fn too_large(
        &self,
        out: &mut Out<'_>,
        table: &Shared,
        op: Op,
        bytes: u64,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        let is_skipped = match op {
            Op::Create => self.skipped.create,
            Op::Update => self.skipped.update,
            Op::Delete => self.skipped.delete,
            Op::Read | Op::Truncate => false,
        };
        if is_skipped {
            return Ok(());
        }
        let name = table.name.to_string();
        let message = format!(
            "a row of {name} came in {bytes} bytes, and {ROW_BYTES_MAX} are taken at a time"
        );
        let fault = Fault::new(FaultClass::BadRecord, "row-too-large", message);
        set_aside(out, table, fault.with("table", name), source)
    }

    fn event(
        &mut self,
        out: &mut Out<'_>,
        table: &Shared,
        op: Op,
        before: Option<&[Cell<'_>]>,
        after: Option<&[Cell<'_>]>,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        let change = Change {
            op,
            before,
            after,
            source,
            now_us: out.now_us,
        };
        self.key.clear();
        let row = after.or(before).unwrap_or_default();
        if let Err(fault) = key_of(table, row, &mut self.key) {
            return set_aside(out, table, fault, source);
        }
        self.push_event(out, table, keyed(table, &self.key), &change, &[])
    }

    fn tombstone(
        &mut self,
        out: &mut Out<'_>,
        table: &Shared,
        before: &[Cell<'_>],
    ) -> Result<(), Fault> {
        if !self.tombstones || table.key.is_empty() {
            return Ok(());
        }
        self.key.clear();
        // The delete was set aside where its key cannot be written; there is nothing to bury then.
        match key_of(table, before, &mut self.key) {
            Ok(()) => self.push_tombstone(out, table, keyed(table, &self.key), &[]),
            Err(_) => Ok(()),
        }
    }

    /// A delete of the old key that names the new one, its tombstone, and a create that names the old.
    fn rekeyed(
        &mut self,
        out: &mut Out<'_>,
        table: &Shared,
        before: &[Cell<'_>],
        after: &[Cell<'_>],
        source: &SourceFields,
    ) -> Result<(), Fault> {
        self.key.clear();
        self.other_key.clear();
        let keys = key_of(table, before, &mut self.key)
            .and_then(|()| key_of(table, after, &mut self.other_key));
        if let Err(fault) = keys {
            return set_aside(out, table, fault, source);
        }
        let bytes = [before, after].map(|row| {
            let change = Change {
                op: Op::Read,
                before: None,
                after: Some(row),
                source,
                now_us: out.now_us,
            };
            table.shape.size(&change)
        });
        let bytes = bytes.iter().sum::<usize>() + 5 * (self.key.len() + self.other_key.len());
        if bytes > EVENT_BYTES_MAX {
            return set_aside(out, table, table.shape.too_large(bytes), source);
        }
        if bytes > LARGE_BYTES {
            out.batch.reserve(bytes);
        }
        let sides = [
            (
                Op::Delete,
                Some(before),
                None,
                &self.key,
                NEW_KEY,
                &self.other_key,
            ),
            (
                Op::Create,
                None,
                Some(after),
                &self.other_key,
                OLD_KEY,
                &self.key,
            ),
        ];
        for (op, before, after, key, header, other) in sides {
            let change = Change {
                op,
                before,
                after,
                source,
                now_us: out.now_us,
            };
            let header = [(header, keyed(table, other))];
            self.push_event(out, table, keyed(table, key), &change, &header)?;
            if op == Op::Delete && self.tombstones {
                self.push_tombstone(out, table, keyed(table, key), &header)?;
            }
        }
        Ok(())
    }

    /// A record's own headers, and those of every record.
    fn in_context<'a>(
        &'a self,
        own: &'a [(&'a str, Datum<'a>)],
    ) -> Cow<'a, [(&'a str, Datum<'a>)]> {
        let Some(context) = &self.context else {
            return Cow::Borrowed(own);
        };
        let context = context
            .iter()
            .map(|(name, text)| (*name, Datum::Text(text)));
        own.iter().copied().chain(context).collect()
    }

    /// Writes an event where it is sent from: a large value stands once. One that cannot be written goes along as a bad record.
    fn push_event(
        &self,
        out: &mut Out<'_>,
        table: &Shared,
        key: Datum<'_>,
        change: &Change<'_>,
        headers: &[(&str, Datum<'_>)],
    ) -> Result<(), Fault> {
        let headers = self.in_context(headers);
        let headers_bytes: usize = headers.iter().map(|(_, value)| value.bytes().len()).sum();
        let bytes = table.shape.size(change) + key.bytes().len() + headers_bytes;
        if bytes > EVENT_BYTES_MAX {
            return set_aside(out, table, table.shape.too_large(bytes), change.source);
        }
        if bytes > LARGE_BYTES {
            out.batch.reserve(bytes);
        }
        let source = Some(out.source);
        let Run { topic, tail, .. } = out.runs.of(table, out.batch)?;
        let row = NewRow {
            topic: Some(*topic),
            source,
            key,
            headers: &headers,
            ..NewRow::default()
        };
        let written = out.batch.push_written(&row, table.value_schema, |value| {
            let written = table.shape.write_envelope(change, tail, value);
            written.map_err(Unwritten::Event)
        });
        match written {
            Ok(()) => Ok(()),
            Err(Unwritten::Event(fault)) => set_aside(out, table, fault, change.source),
            Err(Unwritten::Row(Malformed::TooLarge { bytes, .. })) => {
                set_aside(out, table, table.shape.too_large(bytes), change.source)
            }
            Err(Unwritten::Row(malformed)) => Err(malformed.into()),
        }
    }

    fn push_tombstone(
        &self,
        out: &mut Out<'_>,
        table: &Shared,
        key: Datum<'_>,
        headers: &[(&str, Datum<'_>)],
    ) -> Result<(), Fault> {
        let headers = self.in_context(headers);
        let topic = Some(out.topic(table)?);
        let row = NewRow {
            topic,
            source: Some(out.source),
            key,
            headers: &headers,
            ..NewRow::default()
        };
        match out.batch.push(&row) {
            Err(Malformed::TooLarge { bytes, .. }) => bad(out, table, table.shape.too_large(bytes)),
            pushed => Ok(pushed?),
        }
    }
}

fn key_of(table: &Captured, row: &[Cell<'_>], bytes: &mut Vec<u8>) -> Result<(), Fault> {
    let is_absent = |at: &&usize| matches!(row.get(**at), None | Some(Cell::Absent));
    if let Some(absent) = table.key.iter().find(is_absent) {
        return Err(no_key(table, *absent));
    }
    if table.key.is_empty() {
        return Ok(());
    }
    table.shape.write_key(row, bytes)
}

/// A key made up would bury another row.
fn no_key(table: &Captured, column: usize) -> Fault {
    let column = table.columns.get(column).map_or("", String::as_str);
    let message = format!(
        "an old row of {} came without column {column} of its key, which its replica identity leaves out: \
         name columns of the identity in message.key.columns, or change the identity",
        table.name
    );
    let fault = Fault::new(FaultClass::BadRecord, "postgres-no-key", message);
    fault
        .with("table", table.name.to_string())
        .with("column", column)
}

fn keyed<'a>(table: &Captured, bytes: &'a [u8]) -> Datum<'a> {
    match table.key_schema {
        Some(schema) => Datum::Avro { schema, bytes },
        None => Datum::Null,
    }
}

/// Why an event is not in the batch.
enum Unwritten {
    Event(Fault),
    Row(Malformed),
}

impl From<Malformed> for Unwritten {
    fn from(malformed: Malformed) -> Self {
        Self::Row(malformed)
    }
}

/// Notes a record that could not be written.
fn set_aside(
    out: &mut Out<'_>,
    table: &Shared,
    fault: Fault,
    source: &SourceFields,
) -> Result<(), Fault> {
    if fault.class != FaultClass::BadRecord {
        return Err(fault);
    }
    let fault = match source.lsn {
        Some(lsn) => fault.with("lsn", crate::lsn::Lsn(lsn).to_string()),
        None => fault,
    };
    bad(out, table, fault)
}

fn bad(out: &mut Out<'_>, table: &Shared, fault: Fault) -> Result<(), Fault> {
    let topic = Some(out.topic(table)?);
    let fault = Some(out.batch.fault(fault)?);
    let row = NewRow {
        topic,
        source: Some(out.source),
        fault,
        ..NewRow::default()
    };
    Ok(out.batch.push(&row)?)
}
