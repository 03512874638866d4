//! When a record counts as delivered, as types.
//!
//! A [`Receipt`] says that an append is durable; a [`Stored`] says that its positions are too. Both
//! have one private constructor, called in one place, [`TaskLog::append`]; both are moved, never
//! copied. A plugin host confirms upstream only with a [`Stored`] in hand, so no worker, host or
//! connector can acknowledge early (invariant 1).

mod ledger;
mod offsets;
mod task_log;

pub use ledger::{Ledger, LedgerError};
pub use offsets::{OFFSETS_TOPIC, offset_key, offset_record, parse_offset_key, stored_positions};
pub use task_log::{Receipt, Settles, Stored, TaskLog};
