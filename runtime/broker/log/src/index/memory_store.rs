//! The store's twin in memory, for simulation. What was written survives a crash, as it would on disk; clones share it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::store::{IndexStore, StoredChange, StoredPair};
use crate::error::Error;

/// A store that lives as long as its clones.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    pairs: BTreeMap<Vec<u8>, Vec<u8>>,
    summary: Option<Vec<u8>>,
}

impl MemoryStore {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexStore for MemoryStore {
    fn summary(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.content().summary.clone())
    }

    fn write(
        &self,
        changes: &mut dyn Iterator<Item = StoredChange>,
        summary: &[u8],
    ) -> Result<(), Error> {
        let mut content = self.content();
        for StoredChange { key, value } in changes {
            match value {
                Some(value) => content.pairs.insert(key.to_vec(), value),
                None => content.pairs.remove(&key[..]),
            };
        }
        content.summary = Some(summary.to_vec());
        Ok(())
    }

    fn clear(&self) -> Result<(), Error> {
        *self.content() = Content::default();
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.content().pairs.get(key).cloned())
    }

    fn last_in(&self, first: &[u8], last: &[u8]) -> Result<Option<StoredPair>, Error> {
        let content = self.content();
        let found = content
            .pairs
            .range(first.to_vec()..=last.to_vec())
            .next_back();
        Ok(found.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn range(&self, first: &[u8], end: &[u8], limit: usize) -> Result<Vec<StoredPair>, Error> {
        let content = self.content();
        let found = content
            .pairs
            .range(first.to_vec()..end.to_vec())
            .take(limit);
        Ok(found
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
}
