//! The files of a journal by number: names, headers, and the handles that readers share.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf as _, BufMut as _};
use longshore_disk::{Disk, DiskFile};

use crate::error::Error;

pub(crate) const FILE_HEADER_BYTES: u64 = 16;
const MAGIC: [u8; 8] = *b"LsJrnl\0\x01";
const EXTENSION: &str = "journal";
/// Handles kept open for readers; the oldest files are the least likely to be read again.
const OPEN_FILES_MAX: usize = 128;

#[derive(Debug)]
pub(crate) struct Files {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    open: Mutex<BTreeMap<u32, Arc<dyn DiskFile>>>,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self {
            disk,
            dir,
            open: Mutex::default(),
        }
    }

    pub(crate) fn path(&self, file: u32) -> PathBuf {
        self.dir.join(format!("{file:010}.{EXTENSION}"))
    }

    /// The numbers of all files, in order.
    pub(crate) fn list(&self) -> Result<Vec<u32>, Error> {
        let entries = self
            .disk
            .list(&self.dir)
            .map_err(Error::io("list", &self.dir))?;
        let number = |name: &Path| {
            (name.extension()? == EXTENSION).then_some(())?;
            name.file_stem()?.to_str()?.parse().ok()
        };
        let mut files: Vec<u32> = entries
            .iter()
            .filter_map(|entry| number(Path::new(&entry.name)))
            .collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Creates a file with its header. Its name is durable after [`Files::sync_dir`].
    pub(super) fn create(&self, file: u32) -> Result<Arc<dyn DiskFile>, Error> {
        let path = self.path(file);
        let created = self
            .disk
            .create(&path)
            .map_err(Error::io("create", &path))?;
        let mut header = Vec::with_capacity(16);
        header.put_slice(&MAGIC);
        header.put_u64_le(u64::from(file));
        created.append(&header).map_err(Error::io("write", &path))?;
        Ok(created)
    }

    pub(super) fn sync_dir(&self) -> Result<(), Error> {
        self.disk
            .sync_dir(&self.dir)
            .map_err(Error::io("sync", &self.dir))
    }

    /// Whether the file begins as [`Files::create`] writes it.
    pub(crate) fn has_header(&self, file: u32) -> Result<bool, Error> {
        let mut header = [0; 16];
        let handle = self.get(file)?;
        match handle.read_exact_at(&mut header, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other.map_err(Error::io("read", self.path(file)))?,
        }
        Ok(header.starts_with(&MAGIC) && (&header[8..]).get_u64_le() == u64::from(file))
    }

    pub(super) fn path_exists(&self, file: u32) -> bool {
        self.disk.exists(&self.path(file)).unwrap_or(true)
    }

    pub(crate) fn open_writable(&self, file: u32) -> Result<Arc<dyn DiskFile>, Error> {
        let path = self.path(file);
        self.disk
            .open_writable(&path)
            .map_err(Error::io("open", path))
    }

    /// A shared handle for reading.
    pub(crate) fn get(&self, file: u32) -> Result<Arc<dyn DiskFile>, Error> {
        let mut open = self.open();
        if let Some(found) = open.get(&file) {
            return Ok(Arc::clone(found));
        }
        let path = self.path(file);
        let opened = self.disk.open(&path).map_err(Error::io("open", path))?;
        if open.len() >= OPEN_FILES_MAX {
            open.pop_first();
        }
        open.insert(file, Arc::clone(&opened));
        Ok(opened)
    }

    pub(crate) fn size(&self, file: u32) -> Result<u64, Error> {
        self.get(file)?
            .size()
            .map_err(Error::io("look at", self.path(file)))
    }

    /// Removes files for good. Readers that have one open keep it.
    pub(crate) fn remove(&self, files: &[u32]) -> Result<(), Error> {
        for file in files {
            let path = self.path(*file);
            self.disk.remove(&path).map_err(Error::io("remove", path))?;
            // Behind the removal, because until then a reader opens the file and keeps its handle here.
            self.open().remove(file);
        }
        if files.is_empty() {
            Ok(())
        } else {
            self.sync_dir()
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<dyn DiskFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
