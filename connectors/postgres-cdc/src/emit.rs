//! Changes to records: an event, the tombstone behind a delete, both and a create where a key changed.

use longshore_sdk::{BatchWriter, Datum, Fault, FaultClass, Malformed, NewRow, SourceIndex};

use crate::captured::Captured;
use crate::envelope::{Cell, Change, Op, SourceFields};
use crate::select::Skipped;

/// Records of one change, at most: delete, tombstone, create.
pub(crate) const RECORDS_PER_CHANGE: u32 = 3;

const OLD_KEY: &str = "__debezium.oldkey";
const NEW_KEY: &str = "__debezium.newkey";

/// Writes changes into batches, with buffers of its own.
#[derive(Debug)]
pub(crate) struct Emitter {
    pub(crate) tombstones: bool,
    pub(crate) skipped: Skipped,
    key: Vec<u8>,
    other_key: Vec<u8>,
    value: Vec<u8>,
}

/// Where records of a batch come from, and when they are made.
pub(crate) struct Out<'a> {
    pub(crate) batch: &'a mut BatchWriter,
    pub(crate) source: SourceIndex,
    pub(crate) now_us: i64,
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
    pub(crate) fn new(tombstones: bool, skipped: Skipped) -> Self {
        Self {
            tombstones,
            skipped,
            key: Vec::new(),
            other_key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Writes what a change is told by. A record that cannot be written goes along as a bad one.
    pub(crate) fn change(
        &mut self,
        out: &mut Out<'_>,
        table: &Captured,
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
        &mut self,
        out: &mut Out<'_>,
        table: &Captured,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        self.value.clear();
        let change = Change {
            op: Op::Truncate,
            before: None,
            after: None,
            source,
            now_us: out.now_us,
        };
        table.shape.write_envelope(&change, &mut self.value)?;
        let value = Datum::Avro {
            schema: table.value_schema,
            bytes: &self.value,
        };
        push(out, table, Datum::Null, value, &[])
    }

    fn event(
        &mut self,
        out: &mut Out<'_>,
        table: &Captured,
        op: Op,
        before: Option<&[Cell<'_>]>,
        after: Option<&[Cell<'_>]>,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        let now_us = out.now_us;
        let change = Change {
            op,
            before,
            after,
            source,
            now_us,
        };
        self.key.clear();
        self.value.clear();
        let row = after.or(before).unwrap_or_default();
        let written = key_of(table, row, &mut self.key)
            .and_then(|()| table.shape.write_envelope(&change, &mut self.value));
        if let Err(fault) = written {
            return set_aside(out, table, fault, source);
        }
        let key = keyed(table, &self.key);
        let value = Datum::Avro {
            schema: table.value_schema,
            bytes: &self.value,
        };
        push(out, table, key, value, &[])
    }

    fn tombstone(
        &mut self,
        out: &mut Out<'_>,
        table: &Captured,
        before: &[Cell<'_>],
    ) -> Result<(), Fault> {
        if !self.tombstones || table.key.is_empty() {
            return Ok(());
        }
        self.key.clear();
        // The delete was set aside where its key cannot be written; there is nothing to bury then.
        match key_of(table, before, &mut self.key) {
            Ok(()) => push(out, table, keyed(table, &self.key), Datum::Null, &[]),
            Err(_) => Ok(()),
        }
    }

    /// A delete of the old key that names the new one, its tombstone, and a create that names the old.
    fn rekeyed(
        &mut self,
        out: &mut Out<'_>,
        table: &Captured,
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
            self.value.clear();
            let change = Change {
                op,
                before,
                after,
                source,
                now_us: out.now_us,
            };
            match table.shape.write_envelope(&change, &mut self.value) {
                Ok(()) => {
                    let value = Datum::Avro {
                        schema: table.value_schema,
                        bytes: &self.value,
                    };
                    let header = [(header, keyed(table, other))];
                    push(out, table, keyed(table, key), value, &header)?;
                }
                Err(fault) => set_aside(out, table, fault, source)?,
            }
            if op == Op::Delete && self.tombstones {
                let header = [(header, keyed(table, other))];
                push(out, table, keyed(table, key), Datum::Null, &header)?;
            }
        }
        Ok(())
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

fn push(
    out: &mut Out<'_>,
    table: &Captured,
    key: Datum<'_>,
    value: Datum<'_>,
    headers: &[(&str, Datum<'_>)],
) -> Result<(), Fault> {
    let topic = Some(out.batch.topic(&table.topic)?);
    let row = NewRow {
        topic,
        source: Some(out.source),
        key,
        value,
        headers,
        ..NewRow::default()
    };
    match out.batch.push(&row) {
        Err(Malformed::TooLarge { bytes, limit }) => {
            let message = format!(
                "a record of {} takes {bytes} bytes, and a batch holds {limit}",
                table.name
            );
            let fault = Fault::new(FaultClass::BadRecord, "record-too-large", message);
            bad(out, table, fault.with("table", table.name.to_string()))
        }
        pushed => Ok(pushed?),
    }
}

/// Notes a record that could not be written.
fn set_aside(
    out: &mut Out<'_>,
    table: &Captured,
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

fn bad(out: &mut Out<'_>, table: &Captured, fault: Fault) -> Result<(), Fault> {
    let topic = Some(out.batch.topic(&table.topic)?);
    let fault = Some(out.batch.fault(fault)?);
    let row = NewRow {
        topic,
        source: Some(out.source),
        fault,
        ..NewRow::default()
    };
    Ok(out.batch.push(&row)?)
}
