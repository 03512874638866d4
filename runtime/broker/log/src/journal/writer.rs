//! The end of the journal, where frames are appended. There is one writer.

use std::sync::Arc;

use longshore_disk::DiskFile;

use super::file::{FILE_HEADER_BYTES, Files};
use super::frame::EncodedFrame;
use crate::error::Error;

#[derive(Debug)]
pub(crate) struct Writer {
    files: Arc<Files>,
    file: u32,
    handle: Arc<dyn DiskFile>,
    written: u64,
    synced: u64,
    /// A failed write was cut off, and a crash might bring a part of it back.
    cut: bool,
}

impl Writer {
    /// Goes on in a file of which everything up to `end` is durable.
    pub(crate) fn resume(files: Arc<Files>, file: u32, end: u64) -> Result<Self, Error> {
        let handle = files.open_writable(file)?;
        Ok(Self {
            files,
            file,
            handle,
            written: end,
            synced: end,
            cut: false,
        })
    }

    /// Begins a file with `first` in it, durably. What a failure leaves behind is removed.
    pub(crate) fn begin(files: Arc<Files>, file: u32, first: EncodedFrame) -> Result<Self, Error> {
        Self::create(&files, file, first).map_err(|error| match files.remove(&[file]) {
            // A half-written file that stays would meet the next attempt, so then only reopening helps.
            Err(second) if files.path_exists(file) => Error::Refusing(Arc::new(second)),
            _ => error,
        })
    }

    fn create(files: &Arc<Files>, file: u32, first: EncodedFrame) -> Result<Self, Error> {
        let handle = files.create(file)?;
        // The header is as unsynced as the frame behind it.
        let (files, written, synced) = (Arc::clone(files), FILE_HEADER_BYTES, 0);
        let mut writer = Self {
            files,
            file,
            handle,
            written,
            synced,
            cut: false,
        };
        writer.write(&mut [first])?;
        writer.sync()?;
        writer.files.sync_dir()?;
        Ok(writer)
    }

    pub(crate) fn file(&self) -> u32 {
        self.file
    }

    /// Where the next frame goes.
    pub(crate) fn end(&self) -> u64 {
        self.written
    }

    /// How much the next sync has to make durable.
    pub(crate) fn unsynced_bytes(&self) -> u64 {
        self.written - self.synced
    }

    /// Writes frames in one call; they are durable after the next [`Writer::sync`]. Those behind a torn one never happened
    /// either, because none of them knows it to be durable.
    pub(crate) fn write(&mut self, frames: &mut [EncodedFrame]) -> Result<(), Error> {
        for frame in frames.iter_mut() {
            frame.seal(self.synced);
        }
        let slices: Vec<_> = frames.iter().flat_map(EncodedFrame::slices).collect();
        let written = self.handle.write_at(&slices, self.written);
        written.map_err(Error::io("write", self.files.path(self.file)))?;
        self.written += frames.iter().map(EncodedFrame::len).sum::<u64>();
        Ok(())
    }

    /// Cuts off what a failed write left behind.
    pub(crate) fn undo_failed_write(&mut self) -> Result<(), Error> {
        self.cut = true;
        self.handle
            .truncate(self.written)
            .map_err(Error::io("cut", self.files.path(self.file)))
    }

    /// Makes everything written durable. After a failure the file must not be written any more.
    pub(crate) fn sync(&mut self) -> Result<(), Error> {
        if self.unsynced_bytes() > 0 || self.cut {
            self.handle
                .sync_data()
                .map_err(Error::io("sync", self.files.path(self.file)))?;
            self.synced = self.written;
            self.cut = false;
        }
        Ok(())
    }
}
