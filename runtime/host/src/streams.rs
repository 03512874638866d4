//! Streams of capabilities whose upstream waits to be confirmed.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_model::{Fault, FaultClass, Watermark};
use longshore_pipeline::delivery::Stored;

/// The outside system behind a stream, such as a replication slot.
pub trait Upstream: Send + Sync + 'static {
    /// How far the stream has been given to the guest.
    fn delivered(&self) -> u64;

    /// Lets the upstream forget everything up to there.
    fn confirm(&self, value: u64) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>>;
}

/// The streams that one instance has open. A capability adds a stream when a guest opens one; the
/// guest knows it by its id and has no way to confirm it.
#[derive(Clone, Default)]
pub struct Streams {
    open: Arc<Mutex<HashMap<u32, Arc<dyn Upstream>>>>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Streams {
    /// Adds a stream under the id that the guest was given.
    pub fn add(&self, stream: u32, upstream: Arc<dyn Upstream>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(stream, upstream);
    }

    fn get(&self, stream: u32) -> Option<Arc<dyn Upstream>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&stream).cloned()
    }

    /// Holds what a poll claims to have turned into records against what its streams delivered.
    pub(crate) fn check(&self, watermarks: &[Watermark]) -> Result<(), Fault> {
        for Watermark { stream, value } in watermarks {
            let delivered = self.get(*stream).map(|upstream| upstream.delivered());
            if delivered.is_some_and(|delivered| *value <= delivered) {
                continue;
            }
            let delivered = delivered.map_or("is not open".to_owned(), |delivered| {
                format!("delivered only up to {delivered}")
            });
            let message =
                format!("the plugin completes stream {stream} up to {value}, which {delivered}");
            return Err(Fault::new(FaultClass::Fatal, "false-watermark", message));
        }
        Ok(())
    }

    /// Confirms upstream what is stored: the only caller of [`Upstream::confirm`] (invariant 1).
    pub(crate) async fn confirm(&self, stored: &Stored) -> Result<(), Fault> {
        for Watermark { stream, value } in stored.watermarks() {
            if let Some(upstream) = self.get(*stream) {
                upstream.confirm(*value).await?;
            }
        }
        Ok(())
    }
}
