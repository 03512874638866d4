//! An open file of the simulated disk.

use std::io::{self, IoSlice};
use std::sync::MutexGuard;

use super::{SimDisk, World};
use crate::port::{Advice, DiskFile, Metadata};

#[derive(Debug)]
pub(super) struct SimFile {
    pub(super) disk: SimDisk,
    pub(super) inode: u64,
    pub(super) boot: u64,
    pub(super) writable: bool,
}

impl SimFile {
    fn world(&self) -> io::Result<MutexGuard<'_, World>> {
        let world = self.disk.world();
        world.alive()?;
        if world.boot != self.boot {
            return Err(io::Error::other("a handle from before the crash"));
        }
        Ok(world)
    }

    fn world_to_change(&self) -> io::Result<MutexGuard<'_, World>> {
        let mut world = self.world()?;
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        world.change()?;
        Ok(world)
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        Ok(self.world()?.inodes[&self.inode].read(buffer, at))
    }

    fn write_at(&self, slices: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(slices.iter().map(|slice| slice.len()).sum());
        slices
            .iter()
            .for_each(|slice| bytes.extend_from_slice(slice));
        let had_power = self.disk.world().alive().is_ok();
        let mut world = match self.world_to_change() {
            Ok(world) => world,
            Err(error) => {
                if had_power {
                    // It went during this write, so any part of it may have reached the disk.
                    self.disk.world().tear(self.inode, self.boot, at, bytes);
                }
                return Err(error);
            }
        };
        let room = world.room();
        let ticks = world.ticks;
        let inode = world
            .inodes
            .get_mut(&self.inode)
            .expect("open files keep their inode until a crash");
        let fits = usize::try_from(inode.len().saturating_add(room).saturating_sub(at))
            .unwrap_or(usize::MAX);
        let full = fits < bytes.len();
        bytes.truncate(fits);
        let written = bytes.len() as u64;
        inode.write(at, bytes);
        inode.modified = ticks;
        world.counters.bytes_written += written;
        if full {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn metadata(&self) -> io::Result<Metadata> {
        Ok(self.world()?.describe(self.inode))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut world = self.world_to_change()?;
        let ticks = world.ticks;
        let inode = world
            .inodes
            .get_mut(&self.inode)
            .expect("open files keep their inode until a crash");
        inode.truncate(len);
        inode.modified = ticks;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut world = self.world_to_change()?;
        let fails = world.failing_syncs > 0;
        let inode = world
            .inodes
            .get_mut(&self.inode)
            .expect("open files keep their inode until a crash");
        if fails {
            inode.forget_unsynced();
            world.failing_syncs -= 1;
            return Err(io::Error::other("the simulated disk failed to sync"));
        }
        inode.sync();
        world.counters.syncs += 1;
        Ok(())
    }

    fn advise(&self, _at: u64, _len: u64, _advice: Advice) {}
}
