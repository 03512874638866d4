//! The contract's types and plain ones, turned into each other; and imports, which only reach for
//! what the instance holds. Nothing else happens here.

pub(crate) mod files;
mod lifecycle;
mod log;
mod metrics;
pub(crate) mod postgres;
pub(crate) mod records;
mod schemas;
