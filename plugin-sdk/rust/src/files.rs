//! Files under grants. Naming a file or a glob in a config grants the regular files of its directory.

use longshore_model::Fault;

use crate::Wake;
use crate::host;

/// Files, as far as the config grants them. Relative paths stand against the worker's directory.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    host: &'a host::Handle,
}

impl<'a> Files<'a> {
    pub(crate) fn new(host: &'a host::Handle) -> Self {
        Self { host }
    }

    /// Regular files that match a glob, by path.
    ///
    /// # Errors
    /// When the directory was not granted or cannot be read.
    pub async fn list(self, pattern: &str) -> Result<Vec<FileEntry>, Fault> {
        host::list_files(self.host, pattern).await
    }

    /// None where nothing stands at the path.
    ///
    /// # Errors
    /// When the path was not granted, or something other than a regular file stands there.
    pub async fn stat(self, path: &str) -> Result<Option<FileStat>, Fault> {
        host::stat_file(self.host, path).await
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// When it was not granted, is not there, or is not a regular file.
    pub async fn open(self, path: &str) -> Result<File, Fault> {
        Ok(File(host::open_file(self.host, path).await?))
    }

    /// Opens a file for reading and writing; creates it where it is missing.
    ///
    /// # Errors
    /// When writing was not granted, or the file cannot be made.
    pub async fn create(self, path: &str) -> Result<File, Fault> {
        Ok(File(host::create_file(self.host, path).await?))
    }

    /// Replaces `to` by `from`, durably.
    ///
    /// # Errors
    /// When writing was not granted, or the disk failed.
    pub async fn rename(self, from: &str, to: &str) -> Result<(), Fault> {
        host::rename_file(self.host, from, to).await
    }

    /// Waits until the files that match the patterns differ from `known` in path, identity or size,
    /// or for that long.
    ///
    /// # Errors
    /// When a directory was not granted or cannot be watched.
    pub async fn wait_change(
        self,
        patterns: &[&str],
        known: &[FileEntry],
        timeout_ms: u64,
    ) -> Result<Wake, Fault> {
        host::wait_change(self.host, patterns, known, timeout_ms).await
    }
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// The path.
    pub path: String,
    /// The file.
    pub stat: FileStat,
}

/// A file's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// Names the file through renames and appends; another file never has it.
    pub identity: String,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
}

/// An open file; it stays the same file when it is renamed.
pub struct File(host::FileHandle);

impl File {
    /// The file's facts as they are now.
    ///
    /// # Errors
    /// When the disk failed.
    pub async fn stat(&self) -> Result<FileStat, Fault> {
        host::stat_open(&self.0).await
    }

    /// At most `bytes_max` bytes (4 MiB); fewer, or none, at the end.
    ///
    /// # Errors
    /// When the disk failed.
    pub async fn read_at(&self, offset: u64, bytes_max: u32) -> Result<Vec<u8>, Fault> {
        host::read_at(&self.0, offset, bytes_max).await
    }

    /// Appends all bytes or faults; returns the new size.
    ///
    /// # Errors
    /// When the disk failed or is full.
    pub async fn append(&self, bytes: Vec<u8>) -> Result<u64, Fault> {
        host::append(&self.0, bytes).await
    }

    /// Cuts the file to that size.
    ///
    /// # Errors
    /// When the disk failed.
    pub async fn truncate(&self, size: u64) -> Result<(), Fault> {
        host::truncate(&self.0, size).await
    }

    /// Returns when content and size are on disk.
    ///
    /// # Errors
    /// When the disk failed: what was written since the last sync may be gone.
    pub async fn sync(&self) -> Result<(), Fault> {
        host::sync(&self.0).await
    }
}
