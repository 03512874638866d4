//! Changes of rows as Debezium's envelopes, and keys: cells in, datum out.
//!
//! A [`Shape`] is compiled once for each shape of a table; what does not change from row to row is
//! written then.
//!
//! *Must not know*: where cells come from. *Invariant*: what is written is a datum of
//! [`Shape::value_schema`] or [`Shape::key_schema`], whole, or the output is as it was.

#[cfg(test)]
pub(crate) mod probe;
mod tail;
#[cfg(test)]
mod tests;

use longshore_sdk::{Fault, FaultClass, LARGE_BATCH_BYTES_MAX};

use crate::pg_type::Types;
use crate::schema::{self, Column, ColumnPlan, Names, ValueOptions};
use crate::value::{Refusal, bytes};

pub(crate) use tail::Tail;

const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const CONNECTOR: &str = "postgresql";
/// The branch of null in `["null", T]`, and that of T.
const NULL: u8 = 0;
const PRESENT: u8 = 2;

/// An envelope without its rows, at most.
const FIXED_BYTES: usize = 1 << 10;

/// What is known of one column in one version of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Text(&'a [u8]),
    /// A large value that the change did not touch and the server did not send again.
    Unchanged,
    /// Not sent: the replica identity does not hold it.
    Absent,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Read,
    Create,
    Update,
    Delete,
    Truncate,
}

impl Op {
    const fn letter(self) -> u8 {
        match self {
            Self::Read => b'r',
            Self::Create => b'c',
            Self::Update => b'u',
            Self::Delete => b'd',
            Self::Truncate => b't',
        }
    }
}

/// `source.snapshot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotMark {
    True,
    First,
    FirstInDataCollection,
    LastInDataCollection,
    Last,
    False,
}

impl SnapshotMark {
    const fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::First => "first",
            Self::FirstInDataCollection => "first_in_data_collection",
            Self::LastInDataCollection => "last_in_data_collection",
            Self::Last => "last",
            Self::False => "false",
        }
    }
}

/// Where a change stands in the database's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceFields {
    /// When its transaction committed, in microseconds since 1970.
    pub(crate) at_us: i64,
    pub(crate) snapshot: SnapshotMark,
    /// The commit before it.
    pub(crate) last_commit: Option<u64>,
    pub(crate) lsn: Option<u64>,
    pub(crate) txid: Option<i64>,
    pub(crate) xmin: Option<i64>,
}

/// A change, its cells in the order of the table's columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) op: Op,
    pub(crate) before: Option<&'a [Cell<'a>]>,
    pub(crate) after: Option<&'a [Cell<'a>]>,
    pub(crate) source: &'a SourceFields,
    /// When it is handled, in microseconds since 1970.
    pub(crate) now_us: i64,
}

/// A table's keys and envelopes.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// As errors name it.
    table: String,
    key_schema: Option<String>,
    value_schema: String,
    key: Vec<ColumnPlan>,
    row: Vec<ColumnPlan>,
    value_bytes_max: usize,
    /// `source` up to `ts_ms`.
    source_head: Vec<u8>,
    /// Its `db`.
    database: Vec<u8>,
    /// Its `schema` and `table`.
    source_table: Vec<u8>,
}

impl Shape {
    /// The shape of a table with these columns. `key` are the places of the key's columns in the
    /// key's order; `captured` says which columns rows have.
    ///
    /// # Errors
    /// When a column that is wanted has a type without a mapping.
    pub(crate) fn compile(
        names: &Names<'_>,
        columns: &[Column],
        key: &[usize],
        captured: &[bool],
        types: &Types,
        options: &ValueOptions,
    ) -> Result<Self, Fault> {
        let wanted = |index: &usize| captured.get(*index).copied().unwrap_or(true);
        let places: Vec<usize> = (0..columns.len()).filter(wanted).collect();
        let (key_fields, key_plans) = schema::columns(columns, key, names, types, options)?;
        let (fields, row) = schema::columns(columns, &places, names, types, options)?;
        let has_key = !key.is_empty();
        let key_schema = has_key.then(|| schema::key(names, key_fields).to_avro_json());
        let value_schema = schema::envelope(names, &schema::value(names, fields)).to_avro_json();
        let texts = |texts: &[&str]| {
            let mut out = Vec::new();
            for text in texts {
                bytes(&mut out, text.as_bytes());
            }
            out
        };
        Ok(Self {
            table: names.table(),
            key_schema,
            value_schema,
            key: key_plans,
            row,
            value_bytes_max: options.value_bytes_max,
            source_head: texts(&[VERSION, CONNECTOR, names.prefix]),
            database: texts(&[names.database]),
            source_table: texts(&[names.schema, names.table]),
        })
    }

    /// The key's schema in Avro's JSON; `None` where the table has no key.
    pub(crate) fn key_schema(&self) -> Option<&str> {
        self.key_schema.as_deref()
    }

    /// The envelope's schema in Avro's JSON.
    pub(crate) fn value_schema(&self) -> &str {
        &self.value_schema
    }

    /// Appends a key.
    ///
    /// # Errors
    /// When a cell holds what its column's schema cannot.
    pub(crate) fn write_key(&self, cells: &[Cell<'_>], out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        self.cells(&self.key, cells, out)
            .inspect_err(|_| out.truncate(start))
    }

    /// Appends an envelope; `tail` is of this shape's last ones, or new.
    ///
    /// # Errors
    /// When a cell holds what its column's schema cannot.
    pub(crate) fn write_envelope(
        &self,
        change: &Change<'_>,
        tail: &mut Tail,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let start = out.len();
        let rows = self
            .row(change.before, out)
            .and_then(|()| self.row(change.after, out));
        rows.inspect_err(|_| out.truncate(start))?;
        tail.write(self, change, out);
        Ok(())
    }

    fn row(&self, cells: Option<&[Cell<'_>]>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Some(cells) = cells else {
            out.push(NULL);
            return Ok(());
        };
        out.push(PRESENT);
        self.cells(&self.row, cells, out)
    }

    fn cells(
        &self,
        plans: &[ColumnPlan],
        cells: &[Cell<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        for plan in plans {
            match cells.get(plan.index) {
                Some(Cell::Text(text)) => {
                    if plan.encoder.size(text.len()) > self.value_bytes_max {
                        let limit = self.value_bytes_max;
                        return Err(self.refused(plan, Refusal::Size { limit }));
                    }
                    if let Some(branch) = plan.branch {
                        out.push(branch);
                    }
                    let written = plan.encoder.write(text, out);
                    written.map_err(|refusal| self.refused(plan, refusal))?;
                    if out.len() > LARGE_BATCH_BYTES_MAX {
                        return Err(self.too_large(out.len()));
                    }
                }
                Some(Cell::Unchanged) => out.extend_from_slice(&plan.unchanged),
                Some(Cell::Null | Cell::Absent) | None => out.extend_from_slice(&plan.null),
            }
        }
        Ok(())
    }

    /// As many bytes as an envelope takes, and hardly more: room for it is made once.
    pub(crate) fn size(&self, change: &Change<'_>) -> usize {
        let row = |cells: &[Cell<'_>]| {
            let size = |plan: &ColumnPlan| match cells.get(plan.index) {
                Some(Cell::Text(text)) => 1 + plan.encoder.room(text),
                Some(Cell::Unchanged) => plan.unchanged.len(),
                _ => plan.null.len(),
            };
            self.row.iter().map(size).sum::<usize>()
        };
        change.before.map_or(0, row) + change.after.map_or(0, row) + FIXED_BYTES
    }

    /// No batch holds it, so that it need not be written.
    pub(crate) fn too_large(&self, bytes: usize) -> Fault {
        let table = &self.table;
        let message = format!(
            "a record of table {table} takes {bytes} bytes, and {LARGE_BATCH_BYTES_MAX} cross at a time"
        );
        Fault::new(FaultClass::BadRecord, "record-too-large", message).with("table", table)
    }

    /// Names table and column, never the value.
    fn refused(&self, plan: &ColumnPlan, refusal: Refusal) -> Fault {
        let (table, column) = (&self.table, &plan.name);
        let message = format!(
            "a value of column {column} of table {table} {}",
            refusal.words()
        );
        Fault::new(FaultClass::BadRecord, refusal.code(), message)
            .with("table", table)
            .with("column", column)
    }
}
