//! What goes on beside writing: checkpoints, retention, removal of dead entries and files, cleaning.
//!
//! Must not know: how a frame is written. It changes the journal only by asking the committer, like everybody else.
//! Invariant: a file goes only after a checkpoint in which nothing points to it.

mod cleaner;
mod retention;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::log::Log;
use crate::shared::Shared;
use crate::view::JournalEnd;

/// How many dead entries are removed while readers and the committer wait.
const PURGE_ENTRIES: usize = 512;

/// Keeps disk and memory within bounds. In a worker it has a thread of its own; in simulation it is one more task.
#[derive(Debug)]
pub struct Upkeep {
    log: Log,
    shared: Arc<Shared>,
    /// Files that could not be cleaned; they are left as they are.
    unclean: BTreeSet<u32>,
}

impl Upkeep {
    pub(crate) fn new(log: Log, shared: Arc<Shared>) -> Self {
        Self {
            log,
            shared,
            unclean: BTreeSet::new(),
        }
    }

    /// Works until told to stop, and leaves a checkpoint.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.shared.config.upkeep_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once; there is enough to do at the start.
        ticks.tick().await;
        let shared = Arc::clone(&self.shared);
        loop {
            let done = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = shared.checkpoint_due.notified() => self.checkpoint(),
                // A round is not given up for a checkpoint: it takes its own.
                _ = ticks.tick() => match stop.run_until_cancelled(self.round()).await {
                    None => break,
                    Some(done) => done,
                },
            };
            if let Err(error) = done {
                tracing::error!(error = %error, "the log's upkeep failed and tries again later");
            }
        }
        if let Err(error) = self.checkpoint() {
            tracing::warn!(error = %error, "the last checkpoint failed, so the next start reads more of the journal");
        }
    }

    /// Does everything there is to do now.
    ///
    /// # Errors
    /// When the log refuses writes, the index store fails, or the journal turns out to be damaged.
    pub async fn round(&mut self) -> Result<(), Error> {
        if self.shared.failed().is_some() {
            // Whoever writes has been told.
            return Ok(());
        }
        self.purge().await?;
        // On a full disk neither can write, but files that are dead already can still go.
        let retained = self.retain().await;
        self.purge().await?;
        let cleaned = self.clean().await;
        if self.shared.view().index.n_changed() > 0 {
            self.checkpoint()?;
        }
        retained.and(cleaned)
    }

    /// Writes down where the index stands, then removes files that nothing points to any more.
    ///
    /// # Errors
    /// When the index store fails, or a file cannot be removed.
    pub fn checkpoint(&self) -> Result<(), Error> {
        let files = self.shared.files.list()?;
        let mut view = self.shared.view_mut();
        let end: JournalEnd = view.end;
        let summary = view.summary();
        let frozen = view.index.freeze();
        let dead: Vec<_> = files
            .into_iter()
            .filter(|file| *file < end.file && view.file_bytes(*file).live == 0)
            .collect();
        drop(view);
        frozen.write(&summary)?;
        // The changes are handed back before the layer goes, so that it goes without a copy.
        drop(frozen);
        let mut view = self.shared.view_mut();
        view.index.thaw();
        view.checkpoint_end = end;
        view.forget_files(&dead);
        drop(view);
        self.shared.files.remove(&dead)
    }

    /// Removes the entries of what was declared dead, a few at a time.
    async fn purge(&self) -> Result<(), Error> {
        loop {
            let more = self.shared.view_mut().purge(PURGE_ENTRIES)?;
            if !more {
                return Ok(());
            }
            self.checkpoint_if_due()?;
            tokio::task::yield_now().await;
        }
    }

    fn checkpoint_if_due(&self) -> Result<(), Error> {
        let due = self.shared.view().checkpoint_is_due(&self.shared.config);
        if due { self.checkpoint() } else { Ok(()) }
    }
}
