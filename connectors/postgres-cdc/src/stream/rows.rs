//! Rows of messages as cells.

use longshore_sdk::Fault;

use crate::envelope::Cell;
use crate::pgoutput::{Field, Old, Tuple};
use crate::work::Shared;

pub(super) fn read<'a>(tuple: Tuple<'a>, cells: &mut Vec<Cell<'a>>) -> Result<(), Fault> {
    tuple.read(|field| {
        cells.push(match field {
            Field::Null => Cell::Null,
            Field::Unchanged => Cell::Unchanged,
            Field::Text(text) => Cell::Text(text),
        });
    })
}

/// Reads an old row; what a key does not bring is absent.
pub(super) fn read_old<'a>(
    old: Option<Old<'a>>,
    table: &Shared,
    cells: &mut Vec<Cell<'a>>,
) -> Result<(), Fault> {
    match old {
        None => {}
        Some(Old::Full(tuple)) => read(tuple, cells)?,
        Some(Old::Key(tuple)) => {
            read(tuple, cells)?;
            for (cell, in_identity) in cells.iter_mut().zip(&table.in_identity) {
                if !in_identity {
                    *cell = Cell::Absent;
                }
            }
        }
    }
    Ok(())
}

/// An old row has what the new one leaves out because it is large and did not change: all of it, or a key.
pub(super) fn complete<'a>(new: &mut [Cell<'a>], old: &[Cell<'a>]) {
    for (new, old) in new.iter_mut().zip(old) {
        if matches!((&*new, old), (Cell::Unchanged, Cell::Text(_))) {
            *new = *old;
        }
    }
}

/// Whether the message's key is another; it is not where the old row does not bring it.
pub(super) fn key_changed(table: &Shared, old: &[Cell<'_>], new: &[Cell<'_>]) -> bool {
    let brought = |at: &usize| !matches!(old.get(*at), None | Some(Cell::Absent));
    let differs =
        |at: &usize| old.get(*at) != new.get(*at) && !matches!(new.get(*at), Some(Cell::Unchanged));
    table.key.iter().all(brought) && table.key.iter().any(differs)
}
