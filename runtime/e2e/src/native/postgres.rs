//! A PostgreSQL server, and what only the host may do with its streams.

use longshore_model::{Fault, FaultClass, Watermark};
use longshore_sdk::host::HostPostgres;

/// A server behind native connectors.
pub trait NativePostgres: HostPostgres {
    /// How far a stream, open or closed, was given to the connector.
    fn delivered(&self, stream: u32) -> Option<u64>;

    /// Lets the server forget what came before; a closed stream confirms nothing.
    fn confirm(&self, stream: u32, value: u64);
}

/// Holds what a poll claims to have turned into records against what its streams delivered.
pub(super) fn check(
    server: Option<&dyn NativePostgres>,
    watermarks: &[Watermark],
) -> Result<(), Fault> {
    for Watermark { stream, value } in watermarks {
        let delivered = server.and_then(|server| server.delivered(*stream));
        if delivered.is_none_or(|delivered| *value > delivered) {
            let message = format!(
                "the connector completes stream {stream} up to {value}, of which {delivered:?} was delivered"
            );
            return Err(Fault::new(FaultClass::Fatal, "false-watermark", message));
        }
    }
    Ok(())
}
