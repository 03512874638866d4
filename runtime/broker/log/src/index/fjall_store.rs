//! The store on disk.

use std::path::{Path, PathBuf};
use std::{fs, io};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::store::{IndexStore, StoredChange, StoredPair};
use crate::error::Error;

/// Small, because an idle worker has to fit into 60 MB and entries are read in order.
const CACHE_BYTES: u64 = 4 << 20;
const MEMTABLE_BYTES: u64 = 4 << 20;
/// The least that fjall takes.
const JOURNAL_BYTES: u64 = 64 << 20;
const OPEN_FILES: usize = 64;

const SUMMARY_KEY: &[u8] = b"summary";

/// Entries in a `fjall` database of their own.
#[derive(Clone)]
pub struct FjallStore {
    database: Database,
    entries: Keyspace,
    meta: Keyspace,
    dir: PathBuf,
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStore")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl FjallStore {
    /// Opens the database in `dir`. One that cannot be opened is removed and begun anew: the journal has everything.
    ///
    /// # Errors
    /// When a new one cannot be created either.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_existing(dir).or_else(|error| {
            tracing::warn!(error = %error, "the index cannot be opened and is rebuilt from the journal");
            match fs::remove_dir_all(dir) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", dir)(error)),
                _ => Self::open_existing(dir),
            }
        })
    }

    fn open_existing(dir: &Path) -> Result<Self, Error> {
        let database = Database::builder(dir)
            .cache_size(CACHE_BYTES)
            .max_cached_files(Some(OPEN_FILES))
            .max_journaling_size(JOURNAL_BYTES)
            .manual_journal_persist(true)
            .worker_threads(1)
            .open()
            .map_err(failed)?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let entries = database.keyspace("entries", options).map_err(failed)?;
        let meta = database.keyspace("meta", options).map_err(failed)?;
        Ok(Self {
            database,
            entries,
            meta,
            dir: dir.to_owned(),
        })
    }
}

impl IndexStore for FjallStore {
    fn summary(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self
            .meta
            .get(SUMMARY_KEY)
            .map_err(failed)?
            .map(|value| value.to_vec()))
    }

    fn write(
        &self,
        changes: &mut dyn Iterator<Item = StoredChange>,
        summary: &[u8],
    ) -> Result<(), Error> {
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        for StoredChange { key, value } in changes {
            match value {
                Some(value) => batch.insert(&self.entries, key, value),
                None => batch.remove(&self.entries, key),
            }
        }
        batch.insert(&self.meta, SUMMARY_KEY, summary);
        batch.commit().map_err(failed)
    }

    fn clear(&self) -> Result<(), Error> {
        self.meta.clear().map_err(failed)?;
        self.entries.clear().map_err(failed)?;
        self.database.persist(PersistMode::SyncAll).map_err(failed)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self
            .entries
            .get(key)
            .map_err(failed)?
            .map(|value| value.to_vec()))
    }

    fn last_in(&self, first: &[u8], last: &[u8]) -> Result<Option<StoredPair>, Error> {
        self.entries
            .range(first..=last)
            .next_back()
            .map(pair)
            .transpose()
    }

    fn range(&self, first: &[u8], end: &[u8], limit: usize) -> Result<Vec<StoredPair>, Error> {
        self.entries
            .range(first..end)
            .take(limit)
            .map(pair)
            .collect()
    }
}

fn pair(found: fjall::Guard) -> Result<StoredPair, Error> {
    let (key, value) = found.into_inner().map_err(failed)?;
    Ok((key.to_vec(), value.to_vec()))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failed(error: fjall::Error) -> Error {
    Error::Index(format!("{error:?}").into())
}
