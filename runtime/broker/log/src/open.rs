//! Opens a data directory: takes the lock, checks the format, and reads the journal behind the last checkpoint.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_disk::{Disk, DiskLock};

use crate::error::Error;
use crate::index::{Index, IndexStore};
use crate::journal::{
    EncodedFrame, FILE_HEADER_BYTES, Files, FrameReader, Item, ValidAfter, Writer, valid_after,
};
use crate::state::Change;
use crate::view::{JournalEnd, View};

const FORMAT: &str = "longshore-log 1\n";
const FORMAT_FILE: &str = "format";
const LOCK_FILE: &str = "lock";
const JOURNAL_DIR: &str = "journal";

/// A rebuild writes a checkpoint of its own whenever so many entries wait in memory.
const REBUILD_ENTRIES: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) files: Arc<Files>,
    pub(crate) view: View,
    pub(crate) writer: Writer,
    pub(crate) lock: Box<dyn DiskLock>,
}

pub(crate) fn open(
    dir: &Path,
    disk: &Arc<dyn Disk>,
    store: impl FnOnce() -> Result<Arc<dyn IndexStore>, Error>,
) -> Result<Opened, Error> {
    disk.create_dir(dir).map_err(Error::io("create", dir))?;
    let lock = take_lock(dir, &**disk)?;
    check_format(dir, &**disk)?;
    let journal = dir.join(JOURNAL_DIR);
    disk.create_dir(&journal)
        .map_err(Error::io("create", &journal))?;
    sync_names(dir, &journal, &**disk)?;
    let files = Arc::new(Files::new(Arc::clone(disk), journal));
    drop_unfinished_file(&files)?;
    let mut view = last_checkpoint(&files, store()?)?;
    replay(&files, &mut view)?;
    let writer = if view.end.file == 0 {
        begin(&files, &mut view)?
    } else {
        resume(&files, view.end)?
    };
    Ok(Opened {
        files,
        view,
        writer,
        lock,
    })
}

fn take_lock(dir: &Path, disk: &dyn Disk) -> Result<Box<dyn DiskLock>, Error> {
    let path = dir.join(LOCK_FILE);
    disk.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Error::InUse(dir.to_owned()),
        _ => Error::io("lock", path)(error),
    })
}

/// A process that was killed may have left names that only the page cache knows, the newest journal file's among them.
fn sync_names(dir: &Path, journal: &Path, disk: &dyn Disk) -> Result<(), Error> {
    let parent = dir.parent().unwrap_or(Path::new(""));
    match disk.sync_dir(parent) {
        // Some may create a directory that they may not open; who created this one before is long done.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
            return Err(Error::io("sync", parent)(error));
        }
        _ => {}
    }
    disk.sync_dir(dir).map_err(Error::io("sync", dir))?;
    disk.sync_dir(journal).map_err(Error::io("sync", journal))
}

fn check_format(dir: &Path, disk: &dyn Disk) -> Result<(), Error> {
    let path = dir.join(FORMAT_FILE);
    if !disk.exists(&path).map_err(Error::io("look at", &path))? {
        return write_format(&path, disk).map_err(Error::io("write", path));
    }
    let file = disk.open(&path).map_err(Error::io("open", &path))?;
    let mut found = vec![0; 64];
    let n = file
        .read_at(&mut found, 0)
        .map_err(Error::io("read", &path))?;
    found.truncate(n);
    if found == FORMAT.as_bytes() {
        return Ok(());
    }
    let found = String::from_utf8_lossy(&found).trim_end().to_owned();
    Err(Error::UnknownFormat {
        dir: dir.to_owned(),
        found,
        known: FORMAT.trim_end(),
    })
}

/// Under another name first, so that a crash leaves no half-written format.
fn write_format(path: &Path, disk: &dyn Disk) -> io::Result<()> {
    let unfinished: PathBuf = path.with_extension("new");
    match disk.remove(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(&unfinished)?;
    file.write_at(&[IoSlice::new(FORMAT.as_bytes())], 0)?;
    file.sync_data()?;
    disk.rename(&unfinished, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// A file is used only once its first frame is durable, so a last file without a whole one never was.
fn drop_unfinished_file(files: &Arc<Files>) -> Result<(), Error> {
    let Some(last) = files.list()?.pop() else {
        return Ok(());
    };
    let begins = files.has_header(last)?
        && FrameReader::new(files, last, FILE_HEADER_BYTES)?
            .next()?
            .is_some();
    if begins {
        return Ok(());
    }
    let behind = FILE_HEADER_BYTES.min(files.size(last)?);
    if valid_after(files, last, behind)? == ValidAfter::Durable {
        let reason = "it does not begin as a journal file, but has frames";
        return Err(Error::Corrupt {
            file: files.path(last),
            at: 0,
            reason,
        });
    }
    files.remove(&[last])
}

/// The view of the last checkpoint, or an empty one that everything is replayed into.
fn last_checkpoint(files: &Files, store: Arc<dyn IndexStore>) -> Result<View, Error> {
    let index = Index::new(Arc::clone(&store));
    let rebuild = match store.summary()? {
        None => index,
        Some(summary) => match View::restore(summary, index)? {
            Ok(view) if stands(files, view.end)? => return Ok(view),
            Ok(view) => view.index,
            Err(index) => index,
        },
    };
    store.clear()?;
    Ok(View::new(rebuild))
}

/// Whether the journal that a checkpoint was taken of is still there.
fn stands(files: &Files, end: JournalEnd) -> Result<bool, Error> {
    Ok(files.list()?.contains(&end.file) && files.size(end.file)? >= end.at)
}

fn replay(files: &Files, view: &mut View) -> Result<(), Error> {
    let from = view.end;
    let all = files.list()?;
    let last = all.last().copied();
    for file in all.into_iter().filter(|file| *file >= from.file) {
        let at = if file == from.file {
            from.at
        } else {
            FILE_HEADER_BYTES
        };
        if at == FILE_HEADER_BYTES && !files.has_header(file)? {
            let reason = "it does not begin as a journal file";
            return Err(Error::Corrupt {
                file: files.path(file),
                at: 0,
                reason,
            });
        }
        replay_file(files, view, file, at, Some(file) == last)?;
    }
    Ok(())
}

fn replay_file(
    files: &Files,
    view: &mut View,
    file: u32,
    at: u64,
    is_last: bool,
) -> Result<(), Error> {
    let mut reader = FrameReader::new(files, file, at)?;
    // Everything before a checkpoint is durable.
    let mut synced_to = if at == FILE_HEADER_BYTES { 0 } else { at };
    while let Some(frame) = reader.next()? {
        for (item, place) in &frame.items {
            view.apply(item, *place)?;
        }
        synced_to = synced_to.max(frame.synced_to.min(frame.at));
        view.end = JournalEnd {
            file,
            at: frame.end,
        };
        if view.index.n_changed() >= REBUILD_ENTRIES {
            let summary = view.summary();
            view.index.freeze().write(&summary)?;
            view.index.thaw();
        }
    }
    let end = reader.at();
    if !reader.at_end() {
        if !is_last {
            return Err(reader.corrupt(end, "a frame is damaged, and later files exist"));
        }
        if valid_after(files, file, end)? == ValidAfter::Durable {
            return Err(reader.corrupt(
                end,
                "a frame is damaged that was durable when a later one was written",
            ));
        }
    }
    view.end = JournalEnd { file, at: end };
    if is_last {
        settle(files, file, synced_to, end)
    } else {
        Ok(())
    }
}

/// Cuts a torn frame off, and makes what may have reached only the page cache durable before anybody reads it: after a
/// failed sync its pages count as clean, so they have to be written again.
fn settle(files: &Files, file: u32, from: u64, end: u64) -> Result<(), Error> {
    let path = files.path(file);
    let handle = files.open_writable(file)?;
    if handle.size().map_err(Error::io("look at", &path))? > end {
        handle.truncate(end).map_err(Error::io("cut", &path))?;
    }
    let mut tail =
        vec![0; usize::try_from(end - from).expect("one group of writes fits in memory")];
    handle
        .read_exact_at(&mut tail, from)
        .map_err(Error::io("read", &path))?;
    handle
        .write_at(&[IoSlice::new(&tail)], from)
        .map_err(Error::io("write", &path))?;
    handle.sync_data().map_err(Error::io("sync", &path))
}

fn begin(files: &Arc<Files>, view: &mut View) -> Result<Writer, Error> {
    let first = Item::Change(Change::Snapshot(Box::new(view.state.clone())));
    let mut frame = EncodedFrame::new();
    frame.push(&first);
    let writer = Writer::begin(Arc::clone(files), 1, frame)?;
    view.end = JournalEnd {
        file: writer.file(),
        at: writer.end(),
    };
    Ok(writer)
}

fn resume(files: &Arc<Files>, end: JournalEnd) -> Result<Writer, Error> {
    Writer::resume(Arc::clone(files), end.file, end.at)
}
