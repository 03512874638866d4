//! What the log and the file capability ask of a disk.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file system: names, and the files behind them. Calls block.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Opens an existing regular file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens an existing regular file for reading and writing.
    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Creates a new file for reading and writing; `AlreadyExists` when the name is taken.
    ///
    /// The name is durable after [`Disk::sync_dir`] of its directory, not before.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// The entries of a directory, sorted by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;

    /// What stands behind `path`, symbolic links followed; `NotFound` when nothing does.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// The absolute path without symbolic links; `NotFound` when nothing stands there.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// Gives the file at `from` the name `to`, replacing what stood there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes the name of a file. Open handles keep its content.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Creates a directory and its parents, durably; an existing one is fine.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes an exclusive lock on the file at `path`, creating it; `WouldBlock` when another holder has it.
    ///
    /// It ends when the returned value is dropped or the process dies.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>>;

    /// Whether anything stands at `path`.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// An open file. All offsets are explicit, so one handle serves any number of readers.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Reads up to `buffer.len()` bytes at `at`; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all slices one after another at `at`. After an error any part of them may have been written.
    fn write_at(&self, slices: &[IoSlice<'_>], at: u64) -> io::Result<()>;

    /// What stands behind this handle now.
    fn metadata(&self) -> io::Result<Metadata>;

    /// Cuts the file to `len` bytes, or extends it with zeros.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Makes everything written to this file durable, its length included.
    ///
    /// After a failure nothing written since the last success can be trusted, not even by a later success.
    fn sync_data(&self) -> io::Result<()>;

    /// Tells how a range is going to be used. Only a hint.
    fn advise(&self, at: u64, len: u64, advice: Advice);

    /// The length in bytes.
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len)
    }

    /// Writes `bytes` at the end of the file and returns where they start. For files with one writer.
    fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let at = self.size()?;
        self.write_at(&[IoSlice::new(bytes)], at)?;
        Ok(at)
    }

    /// Fills `buffer` from `at`; `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            match self.read_at(&mut buffer[done..], at + done as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Holds a lock until dropped.
pub trait DiskLock: Send + Sync + fmt::Debug {}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last part of the path.
    pub name: OsString,
    /// What the name stands for, symbolic links followed.
    pub kind: Kind,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A socket, a device, a broken link.
    Other,
}

/// Facts about a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Which file it is, whatever it is called.
    pub identity: Identity,
    /// Its length in bytes.
    pub len: u64,
    /// What it is.
    pub kind: Kind,
    /// When its content was last changed, in milliseconds since 1970; only the order means something on [`SimDisk`].
    ///
    /// [`SimDisk`]: crate::SimDisk
    pub modified_ms: i64,
}

/// Which file it is: the same before and after a rename, another one for a new file of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The device it lives on.
    pub device: u64,
    /// The inode.
    pub inode: u64,
    /// When it was created, in nanoseconds since 1970, because a new file often gets the inode of a
    /// removed one; 0 where the file system does not say.
    pub born_ns: u64,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{:x}:{:x}", self.device, self.inode, self.born_ns)
    }
}

/// How a range of a file is going to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// It is read soon: start fetching it.
    WillNeed,
    /// It is not read again soon: drop it from memory.
    DontNeed,
    /// It is read front to back.
    Sequential,
    /// It is read in scattered pieces: fetch nothing around them.
    Random,
}
