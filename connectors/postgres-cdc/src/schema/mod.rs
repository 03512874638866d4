//! A table's schemas, as Debezium names and shapes them, and for each column what encodes it.
//!
//! Names are Debezium's as they are, also where Avro's grammar would not have them: so takes them the
//! data model, and so a prefix with a hyphen stays itself in JSON.
//!
//! *Must not know*: rows, cells. *Invariant*: a column has an [`Encoder`](crate::value::Encoder) that
//! writes what its schema says, or the table is refused by the name of the column.

mod column;
mod default;
mod envelope;
mod logical;
mod mapping;
mod options;
mod placeholder;
#[cfg(test)]
mod tests;

pub(crate) use column::{Column, ColumnPlan, Names, columns};
pub(crate) use envelope::{envelope, key, legal, value};
pub(crate) use options::{
    BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, ValueOptions,
};
