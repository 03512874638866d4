//! The files that a task was granted, by name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use longshore_disk::{Disk, Metadata};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::calls::Calls;
use crate::file::{OPEN_FILES_MAX, OpenFile};
use crate::glob::{Names, Pattern, split};
use crate::grant::{Access, FilesGrant, Granted};
use crate::watch::{self, Change};
use crate::{Error, Work};

/// Most files that one listing returns.
pub const LIST_ENTRIES_MAX: usize = 100_000;

/// Facts about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Names the file through renames and appends.
    pub identity: String,
    /// Its length in bytes.
    pub size: u64,
    /// When its content last changed, in milliseconds since 1970.
    pub modified_ms: i64,
}

impl From<Metadata> for Stat {
    fn from(found: Metadata) -> Self {
        Self {
            identity: found.identity.to_string(),
            size: found.len,
            modified_ms: found.modified_ms,
        }
    }
}

/// A file and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, spelled as the pattern that found it.
    pub path: String,
    /// Facts about it.
    pub stat: Stat,
}

/// Files under a grant.
#[derive(Clone, Debug)]
pub struct FilesClient {
    reach: Reach,
    work: Work,
    calls: Calls,
    open_files: Arc<Semaphore>,
}

impl FilesClient {
    /// The files of a disk that a grant allows.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, grant: FilesGrant, work: Work) -> Self {
        Self {
            reach: Reach {
                disk,
                grant: Arc::new(grant),
            },
            work,
            calls: Calls::new(),
            open_files: Arc::new(Semaphore::new(OPEN_FILES_MAX)),
        }
    }

    /// The regular files that match a path or a glob, by path. What is not a regular file, leads
    /// out of the grant, vanishes meanwhile or has a name that is not text is left out.
    ///
    /// # Errors
    /// When the directory is not granted or cannot be read.
    pub async fn list(&self, pattern: &str) -> Result<Vec<Entry>, Error> {
        split(pattern)?;
        let permit = self.calls.enter(0).await?;
        let pattern = pattern.to_owned();
        self.run(permit, move |reach| reach.list(&pattern)).await
    }

    /// Facts about a file; `None` where nothing stands at the path.
    ///
    /// # Errors
    /// When it is not granted, or not a regular file.
    pub async fn stat(&self, path: &str) -> Result<Option<Stat>, Error> {
        split(path)?;
        let permit = self.calls.enter(0).await?;
        let path = path.to_owned();
        self.run(permit, move |reach| reach.stat(&path)).await
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// When it is not granted, not a regular file or not there.
    pub async fn open(&self, path: &str) -> Result<OpenFile, Error> {
        split(path)?;
        let open_file = OpenFile::permit(&self.open_files)?;
        let permit = self.calls.enter(0).await?;
        let path = path.to_owned();
        let (work, calls) = (self.work.clone(), self.calls.clone());
        self.run(permit, move |reach| {
            let granted = reach.resolve(&path, Access::Read)?;
            let file = reach.disk.open(&granted.path);
            let file = file.map_err(|e| Error::io("open", Path::new(&path), e))?;
            Ok(OpenFile::new(file, path, false, work, calls, open_file))
        })
        .await
    }

    /// Opens a file for reading and writing; creates it, durably, where it is missing.
    ///
    /// # Errors
    /// When it is not granted for writing, or not a regular file, or the disk fails.
    pub async fn create(&self, path: &str) -> Result<OpenFile, Error> {
        split(path)?;
        let open_file = OpenFile::permit(&self.open_files)?;
        let permit = self.calls.enter(0).await?;
        let path = path.to_owned();
        let (work, calls) = (self.work.clone(), self.calls.clone());
        self.run(permit, move |reach| {
            let granted = reach.resolve(&path, Access::Write)?;
            let file = if granted.found.is_some() {
                let file = reach.disk.open_writable(&granted.path);
                file.map_err(|e| Error::io("open", Path::new(&path), e))?
            } else {
                let file = reach.disk.create(&granted.path);
                let file = file.map_err(|e| Error::io("create", Path::new(&path), e))?;
                reach.sync_dir_of(&granted.path)?;
                file
            };
            Ok(OpenFile::new(file, path, true, work, calls, open_file))
        })
        .await
    }

    /// Replaces `to` by `from`, durably.
    ///
    /// # Errors
    /// When one of them is not granted for writing, or the disk fails.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        split(from)?;
        split(to)?;
        let permit = self.calls.enter(0).await?;
        let (from, to) = (from.to_owned(), to.to_owned());
        self.run(permit, move |reach| {
            let old = reach.resolve(&from, Access::Write)?;
            let new = reach.resolve(&to, Access::Write)?;
            let renamed = reach.disk.rename(&old.path, &new.path);
            renamed.map_err(|e| Error::io("rename", Path::new(&from), e))?;
            if old.path.parent() != new.path.parent() {
                reach.sync_dir_of(&old.path)?;
            }
            reach.sync_dir_of(&new.path)
        })
        .await
    }

    /// Waits until the files that match differ from `known` in path, identity or size, or for
    /// `timeout`. Ends when dropped.
    ///
    /// # Errors
    /// When a pattern is not granted.
    pub async fn wait_change(
        &self,
        patterns: &[String],
        known: &[Entry],
        timeout: Duration,
    ) -> Result<Change, Error> {
        let _watch = self.calls.watch()?;
        watch::wait_change(self, patterns, known, timeout).await
    }

    async fn run<T: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        call: impl FnOnce(&Reach) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let reach = self.reach.clone();
        self.work.run(permit, move || call(&reach)).await
    }
}

/// A disk as far as a grant reaches. Calls block.
#[derive(Clone, Debug)]
struct Reach {
    disk: Arc<dyn Disk>,
    grant: Arc<FilesGrant>,
}

impl Reach {
    fn resolve(&self, path: &str, access: Access) -> Result<Granted, Error> {
        self.grant.resolve(&*self.disk, path, access)
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>, Error> {
        match self.resolve(path, Access::Read) {
            Ok(granted) => Ok(granted.found.map(Stat::from)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn list(&self, pattern: &str) -> Result<Vec<Entry>, Error> {
        let Pattern { dir, names } = Pattern::parse(pattern)?;
        let spelled = |name: &str| match dir.join(name).to_str() {
            Some(path) => path.to_owned(),
            None => unreachable!("both parts are text"),
        };
        let glob = match names {
            Names::One(name) => {
                let path = spelled(&name);
                let stat = self.stat(&path)?;
                return Ok(stat.map(|stat| Entry { path, stat }).into_iter().collect());
            }
            Names::Matching(glob) => glob,
        };
        let real_dir = match self.grant.resolve_list(&*self.disk, pattern, &dir) {
            Ok(real_dir) => real_dir,
            Err(Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let listed = self.disk.list(&real_dir);
        let listed = listed.map_err(|e| Error::io("list", &real_dir, e))?;
        let names = listed.iter().filter_map(|entry| entry.name.to_str());
        let mut entries = Vec::new();
        for name in names.filter(|name| glob.is_match(name)) {
            let path = spelled(name);
            let Ok(Some(stat)) = self.stat(&path) else {
                continue;
            };
            if entries.len() == LIST_ENTRIES_MAX {
                let what = "files match a pattern";
                return Err(Error::TooMany {
                    what,
                    limit: LIST_ENTRIES_MAX,
                });
            }
            entries.push(Entry { path, stat });
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn sync_dir_of(&self, path: &Path) -> Result<(), Error> {
        let dir = path.parent().unwrap_or(Path::new("/"));
        let synced = self.disk.sync_dir(dir);
        synced.map_err(|e| Error::io("sync", dir, e))
    }
}
