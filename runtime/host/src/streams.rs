//! Streams of capabilities whose upstream waits to be confirmed.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_model::{Fault, FaultClass, Watermark};
use longshore_pipeline::delivery::Stored;

/// How many closed streams are remembered: a guest that reconnects opens one after the other.
const CLOSED_MAX: usize = 64;

/// The outside system behind a stream, such as a replication slot.
pub trait Upstream: Send + Sync + 'static {
    /// How far the stream has been given to the guest.
    fn delivered(&self) -> u64;

    /// Lets the upstream forget everything up to there.
    fn confirm(&self, value: u64) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>>;
}

/// The streams that one instance has open. A capability adds a stream when a guest opens one; the
/// guest knows it by its id and has no way to confirm it.
///
/// A guest that reconnects closes one stream and opens the next, and what it returns afterwards may
/// still come from the closed one. So what that one had delivered is remembered. It is confirmed no
/// more: the next stream confirms what is behind it.
#[derive(Clone, Default)]
pub struct Streams {
    all: Arc<Mutex<All>>,
}

#[derive(Default)]
struct All {
    open: HashMap<u32, Arc<dyn Upstream>>,
    /// What closed streams had delivered, latest last.
    closed: VecDeque<(u32, u64)>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Streams {
    /// Adds a stream under the id that the guest was given.
    pub fn add(&self, stream: u32, upstream: Arc<dyn Upstream>) {
        self.all().open.insert(stream, upstream);
    }

    /// Lets go of a stream that the guest has closed.
    pub fn close(&self, stream: u32) {
        let mut all = self.all();
        let Some(upstream) = all.open.remove(&stream) else {
            return;
        };
        if all.closed.len() == CLOSED_MAX {
            all.closed.pop_front();
        }
        all.closed.push_back((stream, upstream.delivered()));
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self, stream: u32) -> Option<u64> {
        let all = self.all();
        if let Some(upstream) = all.open.get(&stream) {
            return Some(upstream.delivered());
        }
        let mut closed = all.closed.iter().rev();
        closed.find_map(|(id, delivered)| (*id == stream).then_some(*delivered))
    }

    /// Holds what a poll claims to have turned into records against what its streams delivered.
    pub(crate) fn check(&self, watermarks: &[Watermark]) -> Result<(), Fault> {
        for Watermark { stream, value } in watermarks {
            let delivered = self.delivered(*stream);
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
            let upstream = self.all().open.get(stream).cloned();
            if let Some(upstream) = upstream {
                upstream.confirm(*value).await?;
            }
        }
        Ok(())
    }
}
