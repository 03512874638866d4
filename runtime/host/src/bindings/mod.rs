//! One module for each released version of the plugin contract. A new version adds a module and an
//! upward conversion; the rest of the host knows the newest only.

pub(crate) mod v0_1;
