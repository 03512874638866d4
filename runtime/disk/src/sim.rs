//! A disk in memory that keeps exactly the promises of a real one, and breaks the rest from a seed.

mod file;
mod inode;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::port::{Disk, DiskFile, DiskLock, Entry, Identity, Kind, Metadata};
use crate::random::Random;
use file::SimFile;
use inode::Inode;
use names::Names;

/// How much a crash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Every write and name that was not synced.
    Everything,
    /// What the seed says: nothing, everything, the end, or any sectors of 512 bytes of what was not synced.
    Seeded,
}

/// What a disk was asked to do since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes handed to writes that succeeded, and the parts of failed ones that were written.
    pub bytes_written: u64,
    /// Syncs of files that succeeded.
    pub syncs: u64,
    /// Operations that could change something, failed ones included.
    pub changes: u64,
}

/// The simulated disk. Clones share one state; file handles die with a crash.
#[derive(Clone, Debug)]
pub struct SimDisk {
    world: Arc<Mutex<World>>,
}

impl SimDisk {
    /// An empty disk whose misbehaviour follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let world = World {
            random: Random::new(seed),
            boot: 0,
            inodes: BTreeMap::new(),
            names: Names::default(),
            dirs: BTreeSet::from([PathBuf::from("/")]),
            locks: BTreeSet::new(),
            next_inode: 1,
            ticks: 0,
            quota: u64::MAX,
            failing_syncs: 0,
            changes_left: None,
            counters: Counters::default(),
        };
        Self {
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// Cuts the power and starts again: unsynced writes and names are lost as `loss` says, handles and locks end,
    /// and faults that were asked for are forgotten (the quota stays).
    pub fn crash(&self, loss: Loss) {
        let mut world = self.world();
        let World {
            random,
            inodes,
            names,
            ..
        } = &mut *world;
        names.crash(random, loss);
        inodes.retain(|inode, _| names.stand_for(*inode));
        for inode in inodes.values_mut() {
            inode.crash(random, loss);
        }
        world.restart();
    }

    /// Kills the process and leaves the machine running, as `kill -9` does: handles and locks end, and faults that were
    /// asked for are forgotten, but everything written stays readable, and as unsynced as it was.
    pub fn kill(&self) {
        self.world().restart();
    }

    /// Lets `changes` more changing operations through; then every operation fails until [`SimDisk::crash`].
    pub fn power_off_after(&self, changes: u64) {
        self.world().changes_left = Some(changes);
    }

    /// Makes the next `n` file syncs fail. What they should have made durable is lost at the next crash, as on Linux,
    /// even if a later sync succeeds.
    pub fn fail_syncs(&self, n: u32) {
        self.world().failing_syncs = n;
    }

    /// Limits the sum of all file lengths; `u64::MAX` for none. A write that does not fit is cut short and fails.
    pub fn set_quota(&self, bytes: u64) {
        self.world().quota = bytes;
    }

    /// The sum of all file lengths.
    #[must_use]
    pub fn bytes_used(&self) -> u64 {
        self.world().used()
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.world().counters
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A panicking test must not hide its message behind poisoned locks.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, inode: u64, boot: u64, writable: bool) -> Arc<dyn DiskFile> {
        Arc::new(SimFile {
            disk: self.clone(),
            inode,
            boot,
            writable,
        })
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let world = self.world();
        let inode = world.find(path)?;
        Ok(self.handle(inode, world.boot, false))
    }

    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let world = self.world();
        let inode = world.find(path)?;
        Ok(self.handle(inode, world.boot, true))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = self.world();
        world.change()?;
        world.parent_exists(path)?;
        if world.dirs.contains(path) || world.names.get(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = world.next_inode;
        world.next_inode += 1;
        world.inodes.insert(inode, Inode::default());
        world.names.link(path, inode);
        Ok(self.handle(inode, world.boot, true))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let world = self.world();
        world.alive()?;
        if !world.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let below = |path: &Path| {
            (path.parent() == Some(dir))
                .then(|| path.file_name().map(ToOwned::to_owned))
                .flatten()
        };
        let files = world.names.paths().filter_map(|path| {
            Some(Entry {
                name: below(path)?,
                kind: Kind::File,
            })
        });
        let dirs = world.dirs.iter().filter_map(|path| {
            Some(Entry {
                name: below(path)?,
                kind: Kind::Directory,
            })
        });
        let mut entries: Vec<_> = files.chain(dirs).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let world = self.world();
        world.alive()?;
        if world.dirs.contains(path) {
            let identity = Identity {
                device: 0,
                inode: 0,
                born_ns: 0,
            };
            return Ok(Metadata {
                identity,
                len: 0,
                kind: Kind::Directory,
                modified_ms: 0,
            });
        }
        let inode = world.find(path)?;
        Ok(world.describe(inode))
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.metadata(path)?;
        Ok(path.to_owned())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        world.find(from)?;
        world.parent_exists(to)?;
        if world.dirs.contains(to) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        world.names.rename(from, to);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        world.find(path)?;
        world.names.unlink(path);
        Ok(())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        if world.names.get(dir).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        world.dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.world();
        world.change()?;
        world.names.sync(dir);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        let mut world = self.world();
        world.alive()?;
        if !world.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock {
            disk: self.clone(),
            path: path.to_owned(),
            boot: world.boot,
        }))
    }
}

#[derive(Debug)]
struct World {
    random: Random,
    boot: u64,
    inodes: BTreeMap<u64, Inode>,
    names: Names,
    dirs: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    next_inode: u64,
    ticks: i64,
    quota: u64,
    failing_syncs: u32,
    changes_left: Option<u64>,
    counters: Counters,
}

impl World {
    /// Leaves a part of a write that the power went in.
    fn tear(&mut self, inode: u64, boot: u64, at: u64, mut bytes: Vec<u8>) {
        if boot != self.boot || self.changes_left != Some(0) {
            return;
        }
        let kept = self.random.below(bytes.len() + 1);
        bytes.truncate(kept);
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode.write(at, bytes);
        }
    }

    fn restart(&mut self) {
        self.boot += 1;
        self.locks.clear();
        self.failing_syncs = 0;
        self.changes_left = None;
    }

    fn alive(&self) -> io::Result<()> {
        if self.changes_left == Some(0) {
            return Err(io::Error::other("the simulated disk is without power"));
        }
        Ok(())
    }

    fn change(&mut self) -> io::Result<()> {
        self.alive()?;
        self.counters.changes += 1;
        self.ticks += 1;
        if let Some(left) = &mut self.changes_left {
            *left -= 1;
        }
        self.alive()
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        self.alive()?;
        if self.dirs.contains(path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.names
            .get(path)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn parent_exists(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if self.dirs.contains(parent) {
            Ok(())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn used(&self) -> u64 {
        let named = self
            .inodes
            .iter()
            .filter(|(inode, _)| self.names.visible(**inode));
        named.map(|(_, inode)| inode.len()).sum()
    }

    fn room(&self) -> u64 {
        if self.quota == u64::MAX {
            return u64::MAX;
        }
        self.quota.saturating_sub(self.used())
    }

    fn describe(&self, inode: u64) -> Metadata {
        let found = &self.inodes[&inode];
        let identity = Identity {
            device: 1,
            inode,
            born_ns: 0,
        };
        Metadata {
            identity,
            len: found.len(),
            kind: Kind::File,
            modified_ms: found.modified,
        }
    }
}

#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    path: PathBuf,
    boot: u64,
}

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut world = self.disk.world();
        if world.boot == self.boot {
            world.locks.remove(&self.path);
        }
    }
}
