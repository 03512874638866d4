//! The reader's side of a replication stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Error;
use crate::buffer::Buffer;

/// What a stream's two sides share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) buffer: Buffer,
    /// The highest LSN among the frames that were read.
    delivered: AtomicU64,
    confirmed: AtomicU64,
    pub(crate) has_confirmed: Notify,
    pub(crate) closing: CancellationToken,
}

impl Shared {
    pub(crate) fn confirmed(&self) -> u64 {
        self.confirmed.load(Ordering::Acquire)
    }
}

/// A replication stream. Dropping it ends the stream and frees the slot.
#[derive(Debug)]
pub struct WalStream {
    id: u32,
    shared: Arc<Shared>,
    _closing: DropGuard,
}

impl WalStream {
    pub(crate) fn new(id: u32, shared: Arc<Shared>) -> Self {
        let closing = shared.closing.clone().drop_guard();
        Self {
            id,
            shared,
            _closing: closing,
        }
    }

    /// What watermarks call the stream; unique among the client's.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Frames (`longshore_model::WalFrame`), at least one and about `bytes_max`; nothing where none
    /// comes in time. May be dropped at any moment: nothing is lost. One reader at a time.
    ///
    /// # Errors
    /// When the stream has ended and everything that came before was read.
    pub async fn read(&self, bytes_max: usize, timeout: Duration) -> Result<Vec<u8>, Error> {
        let taken = self.shared.buffer.take(bytes_max, timeout).await?;
        if let Some(lsn) = taken.mark {
            self.shared.delivered.fetch_max(lsn, Ordering::AcqRel);
        }
        Ok(taken.bytes)
    }

    /// The highest LSN among the frames that were read.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.shared.delivered.load(Ordering::Acquire)
    }

    /// Tells the server that everything before the LSN is durable. It never goes back, and never
    /// past what was read (invariant 1).
    pub fn confirm(&self, lsn: u64) {
        let lsn = lsn.min(self.delivered());
        self.shared.confirmed.fetch_max(lsn, Ordering::AcqRel);
        self.shared.has_confirmed.notify_one();
    }
}
