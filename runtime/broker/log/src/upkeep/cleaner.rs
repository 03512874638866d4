//! Copies what is alive out of the deadest files, so that they can go.
//!
//! A tombstone stays until its file is the oldest: an older record of its key may lie dead in a file before it, and a
//! rebuild would find that record alone. It stays, too, while it is the last record of its partition: a reader reaches the
//! end only over a record, and would be short of it until somebody writes again.

use tokio::time::Instant;

use super::Upkeep;
use crate::error::Error;
use crate::index::EntryKey;
use crate::journal::{FILE_HEADER_BYTES, FrameReader, Item, Placed};
use crate::log::answered;
use crate::queue::{CopyOf, Request};
use crate::view::FileBytes;

/// A file is not worth copying for less than this many percent of it. Only dead batches count, so that copying cannot
/// go round in circles over what every file has: headers and a snapshot.
const DEAD_PERCENT_MIN: u64 = 10;

/// What a file holds that has to be dealt with.
#[derive(Debug, Default)]
struct Found {
    copies: Vec<CopyOf>,
    bytes: usize,
    tombstones: Vec<EntryKey>,
}

impl Upkeep {
    pub(super) async fn clean(&mut self) -> Result<(), Error> {
        while let Some(file) = self.deadest()? {
            let cleaned = self.clean_file(file).await;
            let stuck = match &cleaned {
                Ok(()) => self.shared.view().file_bytes(file).live > 0,
                Err(error) => matches!(error, Error::Corrupt { .. }),
            };
            if stuck {
                self.unclean.insert(file);
            }
            cleaned?;
            self.checkpoint()?;
        }
        Ok(())
    }

    /// The closed file with the largest dead part, while the disk holds too much.
    fn deadest(&self) -> Result<Option<u32>, Error> {
        let files = self.shared.files.list()?;
        let mut disk_bytes = 0;
        let mut best: Option<(u64, u32)> = None;
        let view = self.shared.view();
        for file in files {
            let size = self.shared.files.size(file)?;
            disk_bytes += size;
            let FileBytes { written, live } = view.file_bytes(file);
            let dead_percent = written.saturating_sub(live) * 100 / size.max(1);
            let worth = dead_percent >= DEAD_PERCENT_MIN && !self.unclean.contains(&file);
            if file < view.end.file && worth && best.is_none_or(|(most, _)| dead_percent > most) {
                best = Some((dead_percent, file));
            }
        }
        let limit = view.live_bytes() / 100 * self.shared.config.disk_percent_max;
        Ok(best.filter(|_| disk_bytes > limit).map(|(_, file)| file))
    }

    async fn clean_file(&self, file: u32) -> Result<(), Error> {
        let oldest = self.shared.files.list()?.first() == Some(&file);
        let mut reader = FrameReader::new(&self.shared.files, file, FILE_HEADER_BYTES)?;
        let mut found = Found::default();
        while let Some(frame) = reader.next()? {
            for (item, place) in frame.items {
                let (Item::Batch(placed) | Item::Copy(placed), Some(from)) = (item, place) else {
                    continue;
                };
                let Placed {
                    partition,
                    base_offset,
                    batch,
                } = placed;
                let key = EntryKey {
                    partition,
                    offset: base_offset,
                };
                let (entry, is_last) = {
                    let view = self.shared.view();
                    (view.index.get(key)?, view.is_last(key))
                };
                let Some(entry) = entry.filter(|entry| entry.place == from) else {
                    continue;
                };
                let tombstone = entry.keyed.is_some_and(|keyed| keyed.tombstone);
                if oldest && tombstone && !is_last {
                    found.tombstones.push(key);
                    continue;
                }
                found.bytes += batch.bytes().len();
                found.copies.push(CopyOf { key, from, batch });
                if found.bytes >= self.shared.config.copy_bytes_max {
                    self.copy(&mut found).await?;
                }
            }
        }
        if !reader.at_end() {
            return Err(reader.corrupt(reader.at(), "a frame is damaged"));
        }
        self.copy(&mut found).await?;
        let mut view = self.shared.view_mut();
        found
            .tombstones
            .into_iter()
            .try_for_each(|key| view.drop_tombstone(key))
    }

    /// An append meets at most one small copy, and a quarter of the time the disk belongs to others alone.
    async fn copy(&self, found: &mut Found) -> Result<(), Error> {
        let copies = std::mem::take(&mut found.copies);
        found.bytes = 0;
        if copies.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        answered(self.log.request(|reply| Request::Copy { copies, reply })).await?;
        self.checkpoint_if_due()?;
        tokio::time::sleep(begun.elapsed() / 3).await;
        Ok(())
    }
}
