//! A file that was opened. Offsets are explicit, so a handle has no state of its own.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use longshore_disk::DiskFile;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::calls::Calls;
use crate::client::Stat;
use crate::{Error, Work};

/// Most files that one task has open at a time.
pub const OPEN_FILES_MAX: usize = 256;

/// Most bytes that one read returns.
pub const READ_BYTES_MAX: u32 = 4 << 20;

/// A regular file, open for reading or for both.
#[derive(Debug)]
pub struct OpenFile {
    inner: Arc<Inner>,
    work: Work,
    calls: Calls,
}

#[derive(Debug)]
struct Inner {
    file: Arc<dyn DiskFile>,
    path: String,
    writable: bool,
    _permit: OwnedSemaphorePermit,
}

impl OpenFile {
    pub(crate) fn permit(open_files: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Error> {
        let permit = Arc::clone(open_files).try_acquire_owned();
        permit.map_err(|_| Error::TooMany {
            what: "open files",
            limit: OPEN_FILES_MAX,
        })
    }

    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        path: String,
        writable: bool,
        work: Work,
        calls: Calls,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let inner = Arc::new(Inner {
            file,
            path,
            writable,
            _permit: permit,
        });
        Self { inner, work, calls }
    }

    /// Facts about the file, wherever it stands by now.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn stat(&self) -> Result<Stat, Error> {
        self.run("stat", 0, |file| file.metadata().map(Stat::from))
            .await
    }

    /// At most `max` bytes from `offset` on, and at most [`READ_BYTES_MAX`]; fewer, or none, at the
    /// end.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn read_at(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        let max = u64::from(max.min(READ_BYTES_MAX));
        self.run("read", 0, move |file| {
            let rest = file.size()?.saturating_sub(offset).min(max);
            let mut buffer = vec![0; usize::try_from(rest).expect("at most READ_BYTES_MAX")];
            let mut filled = 0;
            while filled < buffer.len() {
                match file.read_at(&mut buffer[filled..], offset + filled as u64) {
                    Ok(0) => break,
                    Ok(n) => filled += n,
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
            buffer.truncate(filled);
            Ok(buffer)
        })
        .await
    }

    /// Appends all bytes or fails; returns the new size. What a failed append left is cut off again
    /// where the disk allows it.
    ///
    /// # Errors
    /// When the file was opened for reading, or the disk fails, or too much waits for it already.
    pub async fn append(&self, bytes: Vec<u8>) -> Result<u64, Error> {
        self.writable()?;
        let held = bytes.len();
        self.run("append to", held, move |file| {
            let size = file.size()?;
            match file.write_at(&[IoSlice::new(&bytes)], size) {
                Ok(()) => Ok(size + bytes.len() as u64),
                Err(e) => {
                    // The append's own error is the one to report.
                    file.truncate(size).ok();
                    Err(e)
                }
            }
        })
        .await
    }

    /// Cuts the file to `size` bytes.
    ///
    /// # Errors
    /// When the file was opened for reading, or the disk fails.
    pub async fn truncate(&self, size: u64) -> Result<(), Error> {
        self.writable()?;
        self.run("truncate", 0, move |file| file.truncate(size))
            .await
    }

    /// Returns when content and size are on disk.
    ///
    /// # Errors
    /// When the disk fails: then nothing since the last successful sync can be trusted.
    pub async fn sync(&self) -> Result<(), Error> {
        self.run("sync", 0, |file| file.sync_data()).await
    }

    fn writable(&self) -> Result<(), Error> {
        if self.inner.writable {
            return Ok(());
        }
        Err(Error::NotGranted {
            path: self.inner.path.clone(),
            needs: "it for writing",
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        op: &'static str,
        bytes: usize,
        call: impl FnOnce(&dyn DiskFile) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.calls.enter(bytes).await?;
        let inner = Arc::clone(&self.inner);
        let done = self.work.run(permit, move || {
            call(&*inner.file).map_err(|e| Error::io(op, Path::new(&inner.path), e))
        });
        done.await
    }
}
