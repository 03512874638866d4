//! Where every live batch lies: what changed since the last checkpoint in memory, the rest in a store.
//!
//! Must not know: what a batch holds, why an entry goes.
//! Invariant: everything in here can be found again by reading the journal; a crash takes it back to a checkpoint.

mod entry;
mod fjall_store;
mod memory_store;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::error::Error;
use crate::state::PartitionId;

pub(crate) use entry::{Entry, EntryKey, Keyed, Place};
pub use fjall_store::FjallStore;
pub use memory_store::MemoryStore;
pub use store::{IndexStore, StoredChange, StoredPair};

/// How many entries are asked of the store at a time.
const CHUNK: usize = 128;

/// Changes since a checkpoint; no entry means that it was removed.
type Changes = BTreeMap<EntryKey, Changed>;

#[derive(Clone, Debug)]
struct Changed {
    entry: Option<Entry>,
    /// Whether an older layer may have an entry of this key, so that a removal has to be remembered.
    shadows: bool,
}

#[derive(Debug)]
pub(crate) struct Index {
    store: Arc<dyn IndexStore>,
    /// What a running checkpoint is writing.
    frozen: Arc<Changes>,
    recent: Changes,
}

/// What a checkpoint writes, taken out of the index without stopping it.
#[derive(Debug)]
pub(crate) struct Frozen {
    store: Arc<dyn IndexStore>,
    changes: Arc<Changes>,
}

impl Index {
    pub(crate) fn new(store: Arc<dyn IndexStore>) -> Self {
        Self {
            store,
            frozen: Arc::default(),
            recent: BTreeMap::new(),
        }
    }

    /// How many changed entries a checkpoint would write.
    pub(crate) fn n_changed(&self) -> usize {
        self.recent.len()
    }

    pub(crate) fn get(&self, key: EntryKey) -> Result<Option<Entry>, Error> {
        for layer in [&self.recent, &*self.frozen] {
            if let Some(changed) = layer.get(&key) {
                return Ok(changed.entry.clone());
            }
        }
        self.store
            .get(&key.encode())?
            .map(|value| Entry::decode(&value))
            .transpose()
    }

    /// Sets an entry. `fresh` promises that no entry of this key was ever set before.
    pub(crate) fn set(&mut self, key: EntryKey, entry: Entry, fresh: bool) {
        let shadows = !fresh && self.recent.get(&key).is_none_or(|before| before.shadows);
        self.recent.insert(
            key,
            Changed {
                entry: Some(entry),
                shadows,
            },
        );
    }

    pub(crate) fn remove(&mut self, key: EntryKey) {
        if self.recent.get(&key).is_none_or(|before| before.shadows) {
            self.recent.insert(
                key,
                Changed {
                    entry: None,
                    shadows: true,
                },
            );
        } else {
            self.recent.remove(&key);
        }
    }

    /// The entry that begins at or before `offset`.
    pub(crate) fn floor(
        &self,
        partition: PartitionId,
        offset: i64,
    ) -> Result<Option<(EntryKey, Entry)>, Error> {
        let first = EntryKey {
            partition,
            offset: 0,
        };
        let mut upper = EntryKey { partition, offset };
        loop {
            let changed =
                [&self.recent, &*self.frozen].map(|layer| layer.range(first..=upper).next_back());
            let stored = self.store.last_in(&first.encode(), &upper.encode())?;
            let stored = stored
                .map(|(key, value)| Ok::<_, Error>((EntryKey::decode(&key)?, value)))
                .transpose()?;
            let keys = changed.iter().flatten().map(|(key, _)| **key);
            let Some(key) = keys.chain(stored.as_ref().map(|(key, _)| *key)).max() else {
                return Ok(None);
            };
            if let Some(entry) = self.get(key)? {
                return Ok(Some((key, entry)));
            }
            let Some(before) = key.offset.checked_sub(1).filter(|before| *before >= 0) else {
                return Ok(None);
            };
            upper = EntryKey {
                partition,
                offset: before,
            };
        }
    }

    /// Up to `limit` entries of a partition that begin at or after `offset` and before `end`, in order.
    pub(crate) fn scan(
        &self,
        partition: PartitionId,
        offset: i64,
        end: i64,
        limit: usize,
    ) -> Result<Vec<(EntryKey, Entry)>, Error> {
        let mut found = Vec::new();
        let mut from = EntryKey { partition, offset };
        let end = EntryKey {
            partition,
            offset: end,
        };
        while from < end && found.len() < limit {
            let stored = self
                .store
                .range(&from.encode(), &end.encode(), CHUNK.min(limit))?;
            // The layers above are merged up to where the store was read.
            let exhausted = stored.len() < CHUNK.min(limit);
            let mut merged = BTreeMap::new();
            let mut upper = Bound::Excluded(end);
            for (key, value) in stored {
                let key = EntryKey::decode(&key)?;
                merged.insert(key, Some(Entry::decode(&value)?));
                if !exhausted {
                    upper = Bound::Included(key);
                }
            }
            for layer in [&*self.frozen, &self.recent] {
                let changed = layer.range((Bound::Included(from), upper));
                merged.extend(changed.map(|(key, changed)| (*key, changed.entry.clone())));
            }
            let room = limit - found.len();
            found.extend(
                merged
                    .into_iter()
                    .filter_map(|(key, entry)| Some((key, entry?)))
                    .take(room),
            );
            match upper {
                Bound::Included(last) => {
                    from = EntryKey {
                        partition,
                        offset: last.offset + 1,
                    }
                }
                _ => break,
            }
        }
        Ok(found)
    }

    /// Hands out what changed since the last checkpoint; readers go on seeing it.
    pub(crate) fn freeze(&mut self) -> Frozen {
        // What a failed checkpoint left is written with this one.
        let mut changes = Arc::unwrap_or_clone(std::mem::take(&mut self.frozen));
        changes.append(&mut self.recent);
        self.frozen = Arc::new(changes);
        Frozen {
            store: Arc::clone(&self.store),
            changes: Arc::clone(&self.frozen),
        }
    }

    /// The frozen changes are in the store now.
    pub(crate) fn thaw(&mut self) {
        self.frozen = Arc::default();
    }
}

impl Frozen {
    /// Writes the changes and the summary that belongs to them, atomically and durably.
    pub(crate) fn write(&self, summary: &[u8]) -> Result<(), Error> {
        let mut changes = self.changes.iter().map(|(key, changed)| StoredChange {
            key: key.encode(),
            value: changed.entry.as_ref().map(Entry::encode),
        });
        self.store.write(&mut changes, summary)
    }
}
