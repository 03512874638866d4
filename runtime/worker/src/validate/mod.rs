//! Checks a connector's config before anything is changed: the common keys, the plugin's own, its
//! converters', its transforms', and at last what the plugin itself says.
//!
//! *Invariant*: whatever passes works; a key that does not work yet, or that nobody knows, is
//! refused by name.

mod check;
mod connect_keys;
mod outcome;
mod overrides;
mod refused;

pub(crate) use check::{Checked, check, definition_of};
pub use outcome::{Finding, KeyInfo, KeyValue, Submitted, Validation};
pub(crate) use overrides::ignored_overrides;
