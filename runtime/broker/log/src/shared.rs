//! What readers, the committer and the upkeep share.

use std::io;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::{Bytes, BytesMut};
use longshore_disk::Advice;
use longshore_pipeline::port::Clock;
use tokio::sync::{Notify, watch};

use crate::batch::{Batch, Record};
use crate::config::LogConfig;
use crate::error::Error;
use crate::index::Place;
use crate::journal::Files;
use crate::queue::Queue;
use crate::state::PartitionId;
use crate::view::View;

pub(crate) struct Shared {
    pub(crate) config: LogConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) files: Arc<Files>,
    pub(crate) queue: Queue,
    view: RwLock<View>,
    /// Why the log takes no more writes.
    failed: OnceLock<Error>,
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) topics_changed: watch::Sender<u64>,
    /// Tells the upkeep that a checkpoint is due.
    pub(crate) checkpoint_due: Notify,
    /// Whether reads may block the calling thread: in simulation there is no other.
    pub(crate) single_threaded: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(
        config: LogConfig,
        clock: Arc<dyn Clock>,
        files: Arc<Files>,
        view: View,
        single_threaded: bool,
    ) -> Self {
        let queue = Queue::new(config.queue_bytes_max, config.append_bytes_max);
        Self {
            config,
            clock,
            files,
            queue,
            view: RwLock::new(view),
            failed: OnceLock::new(),
            changes: watch::Sender::new(0),
            topics_changed: watch::Sender::new(0),
            checkpoint_due: Notify::new(),
            single_threaded,
        }
    }

    pub(crate) fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn view_mut(&self) -> RwLockWriteGuard<'_, View> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error that ended writing, once there was one.
    pub(crate) fn failed(&self) -> Option<&Error> {
        self.failed.get()
    }

    /// Ends writing for good: nobody knows what the disk holds of the last write (invariant 7).
    pub(crate) fn fail(&self, cause: Error) -> Error {
        let refusing = match cause {
            Error::Refusing(_) => cause,
            cause => Error::Refusing(Arc::new(cause)),
        };
        self.failed.get_or_init(|| refusing).clone()
    }

    /// Reads places of the journal, one after another, into one buffer.
    pub(crate) fn read(&self, places: &[Place]) -> Result<Bytes, Error> {
        let total = places.iter().map(|place| place.len as usize).sum();
        let mut buffer = BytesMut::zeroed(total);
        let mut rest = &mut buffer[..];
        for place in places {
            let (part, behind) = rest.split_at_mut(place.len as usize);
            rest = behind;
            let file = self.files.get(place.file)?;
            let read = file.read_exact_at(part, u64::from(place.at));
            read.map_err(Error::io("read", self.files.path(place.file)))?;
        }
        Ok(buffer.freeze())
    }

    /// Asks the disk to fetch places that are going to be read.
    pub(crate) fn read_ahead(&self, places: &[Place]) {
        for place in places {
            // The read itself reports whatever is wrong with the file.
            if let Ok(file) = self.files.get(place.file) {
                file.advise(u64::from(place.at), u64::from(place.len), Advice::WillNeed);
            }
        }
    }

    /// The batch at a place, checked: what leaves the journal to be interpreted is what was written.
    pub(crate) fn read_batch(&self, place: Place) -> Result<Batch, Error> {
        let batch = Batch::parse(self.read(&[place])?);
        batch.map_err(|_| self.corrupt(place, "a batch is not what was written"))
    }

    /// The latest record of a key in a compacted partition.
    pub(crate) fn latest(
        &self,
        partition: PartitionId,
        key: &[u8],
    ) -> Result<Option<Record>, Error> {
        retry_moved(|| {
            let Some(entry) = self.view().latest(partition, key)? else {
                return Ok(None);
            };
            let record = self
                .read_batch(entry.place)?
                .records()
                .ok()
                .and_then(|mut records| records.next()?.ok());
            record
                .map(Some)
                .ok_or_else(|| self.corrupt(entry.place, "a keyed record cannot be read"))
        })
    }

    pub(crate) fn corrupt(&self, place: Place, reason: &'static str) -> Error {
        Error::Corrupt {
            file: self.files.path(place.file),
            at: u64::from(place.at),
            reason,
        }
    }
}

/// Tries again where the cleaner moved what was just looked up and removed the file.
pub(crate) fn retry_moved<T>(mut read: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    const TRIES: usize = 3;
    for _ in 1..TRIES {
        match read() {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
    }
    read()
}
