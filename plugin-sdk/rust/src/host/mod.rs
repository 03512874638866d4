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

#[expect(
    clippy::disallowed_methods,
    reason = "a guest's clock is WASI's, which std reads; a host with a time of its own says so"
)]
fn machine_us() -> i64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_1970.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}
