//! Messages of `pgoutput`, protocol version 1, written from its documentation and not from the connector's reader.

use super::server::{Change, Transaction};
use super::table::{Row, Shape, TABLES};

const MICROS_1970_TO_2000: i64 = 946_684_800_000_000;

fn time(us: i64) -> [u8; 8] {
    (us - MICROS_1970_TO_2000).to_be_bytes()
}

pub(super) fn begin(transaction: &Transaction) -> Vec<u8> {
    let mut out = vec![b'B'];
    out.extend(transaction.commit.to_be_bytes());
    out.extend(time(transaction.committed_us));
    // The stream has the lower half of the number.
    out.extend(&transaction.xid.to_be_bytes()[4..]);
    out
}

pub(super) fn commit(transaction: &Transaction) -> Vec<u8> {
    let mut out = vec![b'C', 0];
    out.extend(transaction.commit.to_be_bytes());
    out.extend(transaction.end.to_be_bytes());
    out.extend(time(transaction.committed_us));
    out
}

pub(super) fn relation(shape: &Shape) -> Vec<u8> {
    let mut out = vec![b'R'];
    out.extend(shape.oid.to_be_bytes());
    for name in [shape.schema, shape.table] {
        out.extend(name.as_bytes());
        out.push(0);
    }
    out.push(shape.identity);
    out.extend(count(shape.columns().count()));
    for (at, column) in shape.columns().enumerate() {
        out.push(u8::from(shape.identity == b'f' || at < shape.key.len()));
        out.extend(column.name.as_bytes());
        out.push(0);
        out.extend(column.type_oid.to_be_bytes());
        out.extend((-1i32).to_be_bytes());
    }
    out
}

pub(super) fn change(change: &Change) -> Vec<u8> {
    let shape = &TABLES[change.table];
    let (kind, rekeyed) = match (&change.old, &change.new) {
        (None, _) => (b'I', false),
        (Some(old), Some(new)) => (b'U', old.key != new.key),
        (Some(_), None) => (b'D', true),
    };
    let mut out = vec![kind];
    out.extend(shape.oid.to_be_bytes());
    if let Some(old) = &change.old {
        if shape.identity == b'f' {
            out.push(b'O');
            tuple(&mut out, &old.cells());
        } else if rekeyed {
            // An old key is sent only where it is needed.
            out.push(b'K');
            tuple(&mut out, &key_cells(shape, old));
        }
    }
    if let Some(new) = &change.new {
        out.push(b'N');
        tuple(&mut out, &new.cells());
    }
    out
}

/// A row of which only the key is sent.
fn key_cells(shape: &Shape, row: &Row) -> Vec<Option<String>> {
    let mut cells = row.cells();
    cells[shape.key.len()..].fill(None);
    cells
}

fn tuple(out: &mut Vec<u8>, cells: &[Option<String>]) {
    out.extend(count(cells.len()));
    for cell in cells {
        match cell {
            None => out.push(b'n'),
            Some(text) => {
                out.push(b't');
                out.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                out.extend(text.as_bytes());
            }
        }
    }
}

fn count(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap().to_be_bytes()
}
