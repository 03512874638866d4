//! What stands behind [`crate::Ctx`]: the component's imports in a guest, a [`Host`] natively.
//!
//! Both halves offer the same free functions. A guest's are called directly and not through a table
//! of methods, so that the linker leaves out the imports that a connector does not use: the host
//! links only what was granted.

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(target_family = "wasm")]
pub(crate) use imports::*;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::*;
#[cfg(not(target_family = "wasm"))]
pub use native::{
    Host, HostCopy, HostFile, HostPostgres, HostReplication, HostRows, HostSession, HostWal,
    LocalFuture,
};
