//! PostgreSQL's text to Avro's binary: one [`Encoder`] a column, chosen once a table's shape is known,
//! and then bytes to bytes.
//!
//! The text is that of sessions with `DateStyle=ISO`, `IntervalStyle=postgres`, `TimeZone=UTC`,
//! `extra_float_digits=3`, `bytea_output=hex` and `lc_monetary=C`.
//!
//! *Must not know*: tables, columns, envelopes. *Invariant*: whatever the text, it is written whole
//! and true or is refused by name ([`Refusal`]); nothing panics and nothing wraps (invariant 6).

mod array;
mod binary;
mod clock;
mod datum;
mod decimal;
mod encoder;
mod hstore;
mod interval;
mod number;
mod point;
mod refusal;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use datum::{Fields, bytes, long, zigzag};
pub(crate) use encoder::Encoder;
pub(crate) use refusal::Refusal;
pub(crate) use time::Unit;
