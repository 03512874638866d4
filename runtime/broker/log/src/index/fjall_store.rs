//! The store on disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
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
///
/// After one failed write, be it only for a full disk, `fjall` refuses all others until the database is opened again.
/// So that happens before the next write; until then what is open serves readers.
#[derive(Clone)]
pub struct FjallStore {
    dir: PathBuf,
    shared: Arc<Shared>,
}

struct Shared {
    /// None only while the database could not be opened again.
    tables: RwLock<Option<Tables>>,
    write_failed: AtomicBool,
}

struct Tables {
    database: Database,
    entries: Keyspace,
    meta: Keyspace,
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
        let tables = Tables::open(dir).or_else(|error| {
            tracing::warn!(error = %error, "the index cannot be opened and is rebuilt from the journal");
            match fs::remove_dir_all(dir) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", dir)(error)),
                _ => Tables::open(dir),
            }
        })?;
        Ok(Self {
            dir: dir.to_owned(),
            shared: Arc::new(Shared {
                tables: RwLock::new(Some(tables)),
                write_failed: AtomicBool::new(false),
            }),
        })
    }

    /// Does something with the database, and opens it where the last attempt to open it again failed.
    fn with<T>(&self, work: impl FnOnce(&Tables) -> Result<T, Error>) -> Result<T, Error> {
        let tables = self.shared.tables.read();
        if let Some(tables) = &*tables.unwrap_or_else(PoisonError::into_inner) {
            return work(tables);
        }
        let tables = self.shared.tables.write();
        let mut tables = tables.unwrap_or_else(PoisonError::into_inner);
        match &mut *tables {
            Some(tables) => work(tables),
            closed => work(closed.insert(self.open_again()?)),
        }
    }

    /// Never begins one anew, as [`FjallStore::open`] does: who uses the store relies on what it holds.
    fn open_again(&self) -> Result<Tables, Error> {
        match fs::exists(&self.dir) {
            Ok(true) => Tables::open(&self.dir),
            Ok(false) => Err(Error::Index("its directory is gone".into())),
            Err(error) => Err(Error::io("look at", &self.dir)(error)),
        }
    }

    #[cfg(test)]
    pub(super) fn fail_a_write(&self) {
        let refused = || Err(Error::Index("refused by a test".into()));
        self.change(|_| refused()).unwrap_err();
    }

    /// Changes the database. For one writer at a time.
    fn change(&self, change: impl FnOnce(&Tables) -> Result<(), Error>) -> Result<(), Error> {
        if self.shared.write_failed.swap(false, Ordering::Relaxed) {
            tracing::warn!("the index is opened again, because writing it failed");
            let tables = self.shared.tables.write();
            // The old one goes first, because it holds the lock of the directory.
            tables.unwrap_or_else(PoisonError::into_inner).take();
        }
        let changed = self.with(change);
        if changed.is_err() {
            self.shared.write_failed.store(true, Ordering::Relaxed);
        }
        changed
    }
}

impl Tables {
    fn open(dir: &Path) -> Result<Self, Error> {
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
        })
    }
}

impl IndexStore for FjallStore {
    fn summary(&self) -> Result<Option<Vec<u8>>, Error> {
        self.with(|tables| {
            let found = tables.meta.get(SUMMARY_KEY).map_err(failed)?;
            Ok(found.map(|value| value.to_vec()))
        })
    }

    fn write(
        &self,
        changes: &mut dyn Iterator<Item = StoredChange>,
        summary: &[u8],
    ) -> Result<(), Error> {
        self.change(|tables| {
            let batch = tables.database.batch();
            let mut batch = batch.durability(Some(PersistMode::SyncData));
            for StoredChange { key, value } in changes {
                match value {
                    Some(value) => batch.insert(&tables.entries, key, value),
                    None => batch.remove(&tables.entries, key),
                }
            }
            batch.insert(&tables.meta, SUMMARY_KEY, summary);
            batch.commit().map_err(failed)
        })
    }

    fn clear(&self) -> Result<(), Error> {
        self.change(|tables| {
            tables.meta.clear().map_err(failed)?;
            tables.entries.clear().map_err(failed)?;
            let persisted = tables.database.persist(PersistMode::SyncAll);
            persisted.map_err(failed)
        })
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.with(|tables| {
            let found = tables.entries.get(key).map_err(failed)?;
            Ok(found.map(|value| value.to_vec()))
        })
    }

    fn last_in(&self, first: &[u8], last: &[u8]) -> Result<Option<StoredPair>, Error> {
        self.with(|tables| {
            let mut found = tables.entries.range(first..=last);
            found.next_back().map(pair).transpose()
        })
    }

    fn range(&self, first: &[u8], end: &[u8], limit: usize) -> Result<Vec<StoredPair>, Error> {
        self.with(|tables| {
            let found = tables.entries.range(first..end);
            found.take(limit).map(pair).collect()
        })
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
