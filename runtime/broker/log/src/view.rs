//! What is synced, as readers see it: the state, the index, and which bytes of the journal are alive.
//!
//! Invariant: it changes by applying items in the order of the journal and by purging what those items declared dead,
//! so that a replay ends where the original did.

mod summary;

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::config::LogConfig;
use crate::error::Error;
use crate::index::{Entry, EntryKey, Index, Keyed, Place};
use crate::journal::{Item, Placed};
use crate::state::{Change, PartitionId, State, TopicState};

#[derive(Debug)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) index: Index,
    /// Up to where the journal was applied.
    pub(crate) end: JournalEnd,
    /// Up to where the last checkpoint covers it.
    pub(crate) checkpoint_end: JournalEnd,
    /// The base offset of the latest record of every key, by compacted partition.
    latest: BTreeMap<PartitionId, HashMap<Bytes, i64>>,
    /// Bytes of batches by file; a file that is not there has none.
    files: BTreeMap<u32, FileBytes>,
    /// Live bytes by partition.
    sizes: BTreeMap<PartitionId, u64>,
    /// Entries that are dead and still have to be removed.
    purging: BTreeMap<PartitionId, Purge>,
}

/// A place behind a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct JournalEnd {
    pub(crate) file: u32,
    pub(crate) at: u64,
}

/// Bytes of batches in one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileBytes {
    /// All that were written.
    pub(crate) written: u64,
    /// Those that the index points to.
    pub(crate) live: u64,
}

/// A range of offsets whose entries go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Purge {
    from: i64,
    below: i64,
}

impl View {
    pub(crate) fn new(index: Index) -> Self {
        Self {
            state: State::default(),
            index,
            end: JournalEnd::default(),
            checkpoint_end: JournalEnd::default(),
            latest: BTreeMap::new(),
            files: BTreeMap::new(),
            sizes: BTreeMap::new(),
            purging: BTreeMap::new(),
        }
    }

    /// Whether so much has changed since the last checkpoint that memory or the next start would feel it.
    pub(crate) fn checkpoint_is_due(&self, config: &LogConfig) -> bool {
        self.end.file != self.checkpoint_end.file
            || self.end.at - self.checkpoint_end.at >= config.checkpoint_bytes
            || self.index.n_changed() >= config.checkpoint_entries
    }

    /// Applies one item of a frame. `place` is where its batch lies.
    pub(crate) fn apply(&mut self, item: &Item, place: Option<Place>) -> Result<(), Error> {
        match (item, place) {
            (Item::Batch(placed), Some(place)) => {
                self.state
                    .apply_batch(placed.partition, placed.base_offset, placed.batch.fields());
                self.insert(placed, place, true)
            }
            (Item::Copy(placed), Some(place)) => self.insert(placed, place, false),
            (Item::Change(change), _) => {
                self.declare_dead(change);
                self.state.apply(change);
                Ok(())
            }
            (Item::Batch(_) | Item::Copy(_), None) => unreachable!("every batch has a place"),
        }
    }

    fn insert(&mut self, placed: &Placed, place: Place, fresh: bool) -> Result<(), Error> {
        let len = u64::from(place.len);
        self.files.entry(place.file).or_default().written += len;
        let key = EntryKey {
            partition: placed.partition,
            offset: placed.base_offset,
        };
        let fields = placed.batch.fields();
        let last_offset = placed.base_offset + i64::from(fields.last_offset_delta);
        // A replay meets batches of partitions that were deleted, or cut, in files that are gone.
        let Some(partition) = self
            .state
            .partitions
            .get(&key.partition)
            .filter(|known| last_offset >= known.log_start)
        else {
            return Ok(());
        };
        let keyed = if partition.compacted {
            keyed(placed)
        } else {
            None
        };
        if let Some(keyed) = &keyed
            && !self.supersede(key, &keyed.key)?
        {
            return Ok(());
        }
        let before = if fresh { None } else { self.index.get(key)? };
        if let Some(before) = before {
            self.bury(key.partition, before.place);
        }
        self.files.entry(place.file).or_default().live += len;
        *self.sizes.entry(key.partition).or_default() += len;
        self.index.set(
            key,
            Entry {
                place,
                last_offset,
                max_timestamp: fields.max_timestamp,
                keyed,
            },
            fresh,
        );
        Ok(())
    }

    /// Makes `key` the latest record of `of`, unless a later one is; the older one dies.
    fn supersede(&mut self, key: EntryKey, of: &Bytes) -> Result<bool, Error> {
        let latest = self.latest.entry(key.partition).or_default();
        let Some(known) = latest.get_mut(of) else {
            latest.insert(of.clone(), key.offset);
            return Ok(true);
        };
        if *known > key.offset {
            return Ok(false);
        }
        let older = std::mem::replace(known, key.offset);
        if older < key.offset {
            self.remove(EntryKey {
                partition: key.partition,
                offset: older,
            })?;
        }
        Ok(true)
    }

    fn remove(&mut self, key: EntryKey) -> Result<(), Error> {
        if let Some(entry) = self.index.get(key)? {
            self.index.remove(key);
            self.bury(key.partition, entry.place);
        }
        Ok(())
    }

    fn bury(&mut self, partition: PartitionId, place: Place) {
        let len = u64::from(place.len);
        if let Some(file) = self.files.get_mut(&place.file) {
            file.live = file.live.saturating_sub(len);
        }
        if let Some(size) = self.sizes.get_mut(&partition) {
            *size = size.saturating_sub(len);
        }
    }

    /// Notes which entries a change kills. They are removed later, a few at a time, so that no append waits for it.
    fn declare_dead(&mut self, change: &Change) {
        match change {
            Change::TopicDeleted { name } => {
                let topic = self.state.topics.get(name);
                let ids: Vec<_> = topic
                    .into_iter()
                    .flat_map(TopicState::partition_ids)
                    .collect();
                for id in ids {
                    self.forget_partition(id);
                }
            }
            Change::LogStart { partition, offset } => self.purge_below(*partition, *offset),
            // Only a replay over missing files finds a difference here.
            Change::Snapshot(snapshot) => {
                let gone = |id: &PartitionId| !snapshot.partitions.contains_key(id);
                let gone: Vec<_> = self.state.partitions.keys().copied().filter(gone).collect();
                for id in gone {
                    self.forget_partition(id);
                }
                for (id, partition) in &snapshot.partitions {
                    self.purge_below(*id, partition.log_start);
                }
            }
            _ => {}
        }
    }

    fn forget_partition(&mut self, partition: PartitionId) {
        self.latest.remove(&partition);
        self.purge_below(partition, i64::MAX);
    }

    fn purge_below(&mut self, partition: PartitionId, offset: i64) {
        let log_start = self
            .state
            .partitions
            .get(&partition)
            .map_or(0, |known| known.log_start);
        if offset > log_start {
            let purge = self
                .purging
                .entry(partition)
                .or_insert(Purge { from: 0, below: 0 });
            purge.below = purge.below.max(offset);
        }
    }

    /// Removes up to `limit` dead entries; false when none are left.
    pub(crate) fn purge(&mut self, limit: usize) -> Result<bool, Error> {
        let Some((&partition, &Purge { from, below })) = self.purging.first_key_value() else {
            return Ok(false);
        };
        let dead = self.index.scan(partition, from, below, limit)?;
        let more = dead.len() == limit;
        for (key, entry) in dead {
            if entry.last_offset < below {
                self.index.remove(key);
                self.bury(partition, entry.place);
            }
            self.purging.insert(
                partition,
                Purge {
                    from: key.offset + 1,
                    below,
                },
            );
        }
        if !more {
            self.purging.remove(&partition);
            if !self.state.partitions.contains_key(&partition) {
                self.sizes.remove(&partition);
            }
        }
        Ok(more || !self.purging.is_empty())
    }

    /// The entry of the latest record of a key, tombstones included.
    pub(crate) fn latest(
        &self,
        partition: PartitionId,
        key: &[u8],
    ) -> Result<Option<Entry>, Error> {
        let offset = self.latest.get(&partition).and_then(|keys| keys.get(key));
        offset.map_or(Ok(None), |offset| {
            self.index.get(EntryKey {
                partition,
                offset: *offset,
            })
        })
    }

    /// Whether the batch of one record at `key` is the last of its partition.
    pub(crate) fn is_last(&self, key: EntryKey) -> bool {
        let partition = self.state.partitions.get(&key.partition);
        partition.is_some_and(|known| known.next_offset == key.offset + 1)
    }

    /// Whether a copy of what lies at `place` still has a purpose.
    pub(crate) fn is_at(&self, key: EntryKey, place: Place) -> Result<bool, Error> {
        Ok(self
            .index
            .get(key)?
            .is_some_and(|entry| entry.place == place))
    }

    /// Drops a tombstone whose older records can stand in no file any more; see the cleaner.
    pub(crate) fn drop_tombstone(&mut self, key: EntryKey) -> Result<(), Error> {
        let entry = self.index.get(key)?;
        let Some(Keyed {
            key: of,
            tombstone: true,
        }) = entry.and_then(|entry| entry.keyed)
        else {
            return Ok(());
        };
        if let Some(latest) = self.latest.get_mut(&key.partition) {
            latest.remove(&of);
        }
        self.remove(key)
    }

    pub(crate) fn file_bytes(&self, file: u32) -> FileBytes {
        self.files.get(&file).copied().unwrap_or_default()
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.files.values().map(|file| file.live).sum()
    }

    pub(crate) fn partition_bytes(&self, partition: PartitionId) -> u64 {
        self.sizes.get(&partition).copied().unwrap_or(0)
    }

    pub(crate) fn forget_files(&mut self, files: &[u32]) {
        for file in files {
            self.files.remove(file);
        }
    }
}

/// The key in a batch of a compacted partition, in memory of its own: a batch's buffer is much larger.
fn keyed(placed: &Placed) -> Option<Keyed> {
    let (key, value) = placed.batch.keyed_record().ok()?;
    Some(Keyed {
        key: Bytes::copy_from_slice(&key),
        tombstone: value.is_none(),
    })
}
