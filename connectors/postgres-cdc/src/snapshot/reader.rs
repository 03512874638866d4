//! One table being copied out.

use longshore_sdk::postgres::{CopyOut, Session, quote_ident, quote_literal};
use longshore_sdk::{Ctx, Fault, FaultClass, Wake};

use crate::captured::Captured;
use crate::catalog::{self, Description, Table};
use crate::copy::{self, Field};
use crate::emit::{Emitter, Out, RowChange};
use crate::envelope::{Cell, Op, SourceFields};
use crate::ranges::{At, KeyMark};
use crate::work::{Shared, Work, recycle};

/// Bytes of one read: the host has as much again read ahead.
const READ_BYTES: u32 = 512 << 10;
/// Rows are at hand or the server is slow; whatever it is, the host wakes us when it has something to say.
const READ_TIMEOUT_MS: u64 = 60_000;

pub(super) struct Reader {
    pub(super) table: Shared,
    session: Option<Session>,
    copy: CopyOut,
    /// Whole rows, of which those before `at` went out.
    buffer: Vec<u8>,
    at: usize,
    copied: bool,
    /// Which of the table's columns each column of a row is.
    columns: Vec<usize>,
    fields: Vec<Field>,
    cells: Vec<Cell<'static>>,
    /// The key of the last row that went out.
    key: Option<Vec<String>>,
    rows: u64,
}

/// What comes next of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Row {
        /// Nothing follows it.
        is_last: bool,
        bytes: usize,
    },
    /// It must be read first.
    More,
    End,
}

impl Reader {
    /// Starts to copy a table out, behind a key where it was begun before.
    pub(super) async fn start(
        ctx: &Ctx,
        work: &mut Work,
        session: Session,
        table: &Table,
        mut description: Description,
        behind: Option<KeyMark>,
    ) -> Result<Self, Fault> {
        hold(&session, table).await.map_err(changed_meanwhile)?;
        catalog::learn_defaults(&session, table.oid, &mut description).await?;
        let captured = work.making(ctx).described(table, &description)?;
        let columns: Vec<usize> = (0..captured.columns.len())
            .filter(|at| captured.is_read(*at, &work.config.selection))
            .collect();
        let is_same = |mark: &KeyMark| {
            let row_key = captured.row_key.as_ref();
            row_key.is_some_and(|row_key| row_key.made_of == mark.columns)
        };
        let behind = behind.filter(is_same).map(|mark| mark.key);
        let sql = statement(table, &captured, &columns, behind.as_deref());
        let copy = session.copy_out(&sql).await?;
        Ok(Self {
            table: Shared::new(captured),
            session: Some(session),
            copy,
            buffer: Vec::new(),
            at: 0,
            copied: false,
            columns,
            fields: Vec::new(),
            cells: Vec::new(),
            key: behind,
            rows: 0,
        })
    }

    /// Whether it goes on where an earlier snapshot ended.
    pub(super) fn goes_on(&self) -> bool {
        self.rows == 0 && self.key.is_some()
    }

    pub(super) fn is_first(&self) -> bool {
        self.rows == 0
    }

    /// What comes next. A read that is not the last one has a row behind it.
    pub(super) fn next(&self) -> Next {
        let rest = &self.buffer[self.at..];
        match copy::row_end(rest) {
            Some(bytes) => Next::Row {
                is_last: self.copied && bytes + 1 == rest.len(),
                bytes,
            },
            None if self.copied => Next::End,
            None => Next::More,
        }
    }

    /// Reads on once everything that was read went out, which does not stand beside what comes.
    pub(super) async fn read(&mut self) -> Result<Wake, Fault> {
        self.buffer = Vec::new();
        self.at = 0;
        let copied = self.copy.read(READ_BYTES, READ_TIMEOUT_MS).await;
        let copied = copied.map_err(changed_meanwhile)?;
        self.buffer = copied.rows;
        self.copied = copied.done;
        Ok(copied.wake)
    }

    /// Whether a row comes, without taking it: another table's last one may be as large as a row can be. Nothing where the
    /// host has something to say first.
    pub(super) async fn has_rows(&mut self) -> Result<Option<bool>, Fault> {
        match self.next() {
            Next::Row { .. } => return Ok(Some(true)),
            Next::End => return Ok(Some(false)),
            Next::More => {}
        }
        let looked = self.copy.read(0, u64::MAX).await;
        let looked = looked.map_err(changed_meanwhile)?;
        self.copied = looked.done;
        Ok(match looked.wake {
            _ if looked.done => Some(false),
            Wake::Ready => Some(true),
            Wake::Woken | Wake::Stopping => None,
        })
    }

    /// Writes the next row.
    pub(super) fn emit(
        &mut self,
        emitter: &mut Emitter,
        out: &mut Out<'_>,
        source: &SourceFields,
    ) -> Result<(), Fault> {
        let rest = &mut self.buffer[self.at..];
        let end = copy::row_end(rest).expect("the caller knows that there is a row");
        let row = &mut rest[..end];
        if let Some(bytes) = copy::left_out(row) {
            emitter.too_large(out, &self.table, Op::Read, bytes, source)?;
            self.at += end + 1;
            self.rows += 1;
            return Ok(());
        }
        copy::split(row, &mut self.fields);
        let row = &*row;
        let mut cells = recycle(std::mem::take(&mut self.cells));
        cells.resize(self.table.columns.len(), Cell::Absent);
        for (field, column) in self.fields.iter().zip(&self.columns) {
            cells[*column] = match field {
                Field::Null => Cell::Null,
                Field::Text(at) => Cell::Text(&row[at.clone()]),
            };
        }
        emitter.change(out, &self.table, RowChange::Read(&cells), source)?;
        if let Some(row_key) = &self.table.row_key {
            remember(&mut self.key, row_key.of(&cells));
        }
        self.cells = recycle(cells);
        self.at += end + 1;
        self.rows += 1;
        Ok(())
    }

    /// How far the table went out; none where nothing of it did.
    pub(super) fn reached(&self) -> Option<At> {
        match (&self.key, &self.table.row_key, self.rows) {
            (Some(key), Some(row_key), _) => Some(At::Key(KeyMark {
                columns: row_key.made_of.clone(),
                key: key.clone(),
            })),
            // Rows that were too large to take have a key that nobody saw; they are met again.
            (_, _, 0) | (None, Some(_), _) => None,
            _ => Some(At::Somewhere),
        }
    }

    /// The session, which is free once everything was copied.
    pub(super) fn free(&mut self) -> Option<Session> {
        self.session.take()
    }
}

/// Keeps a table from being rewritten, and makes sure that it was not since the snapshot was taken: its rows would not be
/// there for this snapshot, and the stream tells nothing of it.
async fn hold(session: &Session, table: &Table) -> Result<(), Fault> {
    let only = if table.is_partitioned { "" } else { "ONLY " };
    let name = &table.name;
    let lock = format!(
        "LOCK TABLE {only}{}.{} IN ACCESS SHARE MODE",
        quote_ident(&name.schema),
        quote_ident(&name.table)
    );
    session.query(&lock).await?;
    // Each member is looked up by its number: however many tables there are, the catalog is not read whole.
    let sql = format!(
        "SELECT count(*) FROM (SELECT {oid} AS oid UNION SELECT relid FROM pg_partition_tree({oid})) member \
         WHERE (SELECT relfilenode FROM pg_class c WHERE c.oid = member.oid) <> pg_relation_filenode(member.oid)",
        oid = table.oid
    );
    let row = catalog::one(session.query(&sql).await?)?;
    if catalog::text(&row, 0)? == "0" {
        return Ok(());
    }
    let message =
        format!("table {name} was rewritten since the snapshot was taken, which a new one reads");
    let fault = Fault::new(FaultClass::Retriable, "postgres-table-rewritten", message);
    Err(fault.with("table", name.to_string()))
}

/// A table that was altered or dropped since the snapshot was taken: a new one knows what it is now.
fn changed_meanwhile(fault: Fault) -> Fault {
    // The last: somebody has held it for long.
    const GONE: [&str; 4] = ["42703", "42P01", "42704", "55P03"];
    match fault.detail("sqlstate") {
        Some(state) if GONE.contains(&state) => Fault {
            class: FaultClass::Retriable,
            ..fault
        },
        _ => fault,
    }
}

/// Keeps a key without giving up the room of the last one.
fn remember(kept: &mut Option<Vec<String>>, key: Option<Vec<&str>>) {
    let Some(key) = key else {
        return;
    };
    let kept = kept.get_or_insert_default();
    kept.resize(key.len(), String::new());
    for (kept, part) in kept.iter_mut().zip(key) {
        kept.clear();
        kept.push_str(part);
    }
}

/// Rows as the stream would publish them, in the order of their key where we know it.
fn statement(
    table: &Table,
    captured: &Captured,
    columns: &[usize],
    behind: Option<&[String]>,
) -> String {
    let quoted = |at: &usize| quote_ident(&captured.columns[*at]);
    let list = |columns: &[usize]| columns.iter().map(quoted).collect::<Vec<_>>().join(", ");
    let mut conditions = Vec::new();
    if let Some(filter) = &table.filter {
        conditions.push(format!("({filter})"));
    }
    let row_key = captured.row_key.as_ref().map(|key| list(&key.columns));
    if let (Some(row_key), Some(behind)) = (&row_key, behind) {
        let literals: Vec<_> = behind.iter().map(|part| quote_literal(part)).collect();
        conditions.push(format!("({row_key}) > ({})", literals.join(", ")));
    }
    // Rows of tables that inherit are those tables' own.
    let only = if table.is_partitioned { "" } else { "ONLY " };
    let name = &table.name;
    let mut sql = format!(
        "COPY (SELECT {} FROM {only}{}.{}",
        list(columns),
        quote_ident(&name.schema),
        quote_ident(&name.table)
    );
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    if let Some(row_key) = row_key {
        sql.push_str(" ORDER BY ");
        sql.push_str(&row_key);
    }
    sql.push_str(") TO STDOUT");
    sql
}
