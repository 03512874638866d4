//! The one writer: takes what waits, writes it with one call, a frame for each request, makes it durable with one sync,
//! and only then shows it to readers and answers (invariant 1).

use std::sync::Arc;

use longshore_pipeline::port::{Generation, Owner};
use tokio::time::Instant;

use crate::config::Flush;
use crate::error::Error;
use crate::index::Place;
use crate::journal::{EncodedFrame, Item, Writer};
use crate::plan::{Answer, Planned, Planner};
use crate::shared::Shared;
use crate::state::Change;
use crate::view::JournalEnd;

/// Under `log.flush=interval` a sync comes early when so much waits for it: until then batches are kept in memory, and
/// recovery writes them again.
const UNSYNCED_BYTES_MAX: u64 = 16 << 20;

/// Drives the log's writes. In a worker it has a thread of its own; in simulation it is one more task, or is stepped by
/// hand.
#[derive(Debug)]
pub struct Committer {
    shared: Arc<Shared>,
    planner: Planner,
    writer: Writer,
    /// Where the first frame behind the file's snapshot begins.
    file_begin: u64,
    /// Written, but not yet synced: outside writes under `log.flush=interval`.
    unsynced: Vec<(Item, Option<Place>)>,
    sync_at: Option<Instant>,
}

/// A group of requests, as it is written.
struct Group {
    /// What each request comes to: a frame, unless it changes nothing.
    frames: Vec<Vec<Item>>,
    answers: Vec<Answer>,
    owners: Vec<(Owner, Generation)>,
    needs_sync: bool,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, writer: Writer) -> Self {
        let planner = Planner::new(shared.view().state.clone());
        let file_begin = writer.end();
        Self {
            shared,
            planner,
            writer,
            file_begin,
            unsynced: Vec::new(),
            sync_at: None,
        }
    }

    /// Commits whatever comes until the log is closed and everything that waited is answered.
    pub async fn run(mut self) {
        loop {
            while self.commit_pending() {
                // On a runtime that is shared, others get their turn between two groups.
                tokio::task::yield_now().await;
            }
            if self.shared.queue.is_finished() {
                self.sync_written();
                return;
            }
            match self.sync_at {
                None => self.shared.queue.arrived().await,
                Some(at) => {
                    if tokio::time::timeout_at(at, self.shared.queue.arrived())
                        .await
                        .is_err()
                    {
                        self.sync_written();
                    }
                }
            }
        }
    }

    /// Commits one group of what waits; false when nothing does.
    pub fn commit_pending(&mut self) -> bool {
        let requests = self.shared.queue.take(self.shared.config.group_bytes_max);
        if requests.is_empty() {
            return false;
        }
        if let Some(error) = self.shared.failed() {
            requests
                .into_iter()
                .for_each(|request| request.refuse(error.clone()));
            return true;
        }
        self.planner.begin_group();
        let commit = self.shared.config.flush == Flush::Commit;
        let mut group = Group {
            frames: Vec::new(),
            answers: Vec::new(),
            owners: Vec::new(),
            needs_sync: false,
        };
        for request in requests {
            let Planned {
                items,
                answer,
                owner,
                outside,
            } = self.planner.plan(request, &self.shared);
            if !items.is_empty() {
                group.needs_sync |= commit || !outside;
                group.frames.push(items);
            }
            group.answers.push(answer);
            group.owners.extend(owner);
        }
        let written = self.write(group.frames, group.needs_sync);
        if written.is_err() {
            for (owner, generation) in group.owners {
                self.planner.end_generation(owner, generation);
            }
        }
        for answer in group.answers {
            answer(written.clone());
        }
        true
    }

    /// Makes durable what `log.flush=interval` left for later. A failure shows in the next write.
    pub fn sync_written(&mut self) {
        if self.shared.failed().is_none() {
            self.sync().ok();
        }
    }

    fn write(&mut self, planned: Vec<Vec<Item>>, needs_sync: bool) -> Result<(), Error> {
        if planned.is_empty() {
            return Ok(());
        }
        let (mut frames, mut places, mut len) = (Vec::with_capacity(planned.len()), Vec::new(), 0);
        for items in &planned {
            let mut frame = EncodedFrame::new();
            let within_frame = items.iter().map(|item| frame.push(item));
            let within = within_frame.map(|at| at.map(|(at, bytes)| (len + at, bytes)));
            places.extend(within);
            len += frame.len();
            frames.push(frame);
        }
        let full = self.writer.end() + len > self.shared.config.file_bytes;
        if full && self.writer.end() > self.file_begin {
            self.roll(planned.iter().flatten())?;
        }
        let (file, begin) = (self.writer.file(), self.writer.end());
        if let Err(error) = self.writer.write(&mut frames) {
            return Err(self.undo(error));
        }
        let place = |(within, len): (u64, u32)| Place {
            file,
            at: narrow(begin + within),
            len,
        };
        let places = places.into_iter().map(|within| within.map(place));
        self.unsynced
            .extend(planned.into_iter().flatten().zip(places));
        match self.shared.config.flush {
            Flush::Interval(interval)
                if !needs_sync && self.writer.unsynced_bytes() < UNSYNCED_BYTES_MAX =>
            {
                self.sync_at
                    .get_or_insert_with(|| Instant::now() + interval);
                Ok(())
            }
            _ => self.sync(),
        }
    }

    /// A full disk is undone, so that writing can go on when there is room. After anything else nobody knows what the
    /// disk holds.
    fn undo(&mut self, error: Error) -> Error {
        if !matches!(error, Error::DiskFull) {
            return self.shared.fail(error);
        }
        if let Err(error) = self.writer.undo_failed_write() {
            return self.shared.fail(error);
        }
        self.forget_planned();
        error
    }

    fn forget_planned(&mut self) {
        let state = self.shared.view().state.clone();
        self.planner
            .reset(state, self.unsynced.iter().map(|(item, _)| item));
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.sync_at = None;
        self.writer
            .sync()
            .map_err(|error| self.shared.fail(error))?;
        self.publish().map_err(|error| self.shared.fail(error))
    }

    /// Shows readers what is durable now.
    fn publish(&mut self) -> Result<(), Error> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        let mut topics_changed = false;
        let mut view = self.shared.view_mut();
        for (item, place) in self.unsynced.drain(..) {
            view.apply(&item, place)?;
            topics_changed |= matches!(
                item,
                Item::Change(Change::TopicCreated { .. } | Change::TopicDeleted { .. })
            );
        }
        view.end = JournalEnd {
            file: self.writer.file(),
            at: self.writer.end(),
        };
        let due = view.checkpoint_is_due(&self.shared.config);
        drop(view);
        self.shared.changes.send_modify(|n| *n += 1);
        if topics_changed {
            self.shared.topics_changed.send_modify(|n| *n += 1);
        }
        if due {
            self.shared.checkpoint_due.notify_one();
        }
        Ok(())
    }

    /// Begins the next file. Everything written before is durable first, so a file that is not the last is whole.
    fn roll<'a>(&mut self, planned: impl Iterator<Item = &'a Item>) -> Result<(), Error> {
        self.sync()?;
        let now_ms = self.shared.clock.now_ms();
        let expiration_ms =
            i64::try_from(self.shared.config.producer_expiration.as_millis()).unwrap_or(i64::MAX);
        let mut state = self.shared.view().state.clone();
        state.producers.begin_file(now_ms, expiration_ms);
        let item = Item::Change(Change::Snapshot(Box::new(state)));
        let mut frame = EncodedFrame::new();
        frame.push(&item);
        let begun = Writer::begin(
            Arc::clone(&self.shared.files),
            self.writer.file() + 1,
            frame,
        );
        self.writer = begun.map_err(|error| match error {
            Error::DiskFull => {
                self.forget_planned();
                error
            }
            error => self.shared.fail(error),
        })?;
        self.file_begin = self.writer.end();
        self.unsynced.push((item, None));
        self.publish().map_err(|error| self.shared.fail(error))?;
        let state = self.shared.view().state.clone();
        self.planner.reset(state, planned);
        Ok(())
    }
}

impl Drop for Committer {
    /// Nobody waits for ever for a committer that is gone, however it went.
    fn drop(&mut self) {
        self.shared.queue.close();
        let left = self.shared.queue.take(usize::MAX);
        left.into_iter()
            .for_each(|request| request.refuse(Error::Closed));
    }
}

fn narrow(at: u64) -> u32 {
    u32::try_from(at).expect("a journal file ends soon after its limit, which is far below 4 GiB")
}
