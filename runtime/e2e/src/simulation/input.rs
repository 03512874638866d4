//! The file that grows and rotates. It lives on a disk of its own that never fails: what the source
//! has read must still be there, or there is nothing to compare with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_disk::{Disk, DiskFile, SimDisk};

use crate::seed::Random;

#[derive(Debug)]
pub(super) struct Input {
    pub(super) disk: SimDisk,
    path: PathBuf,
    rotations: u64,
    /// Everything that was ever written.
    pub(super) content: Vec<u8>,
    lines: i64,
}

impl Input {
    pub(super) fn new(seed: u64) -> Self {
        let disk = SimDisk::new(seed);
        let path = PathBuf::from("/in/app.log");
        disk.create_dir(Path::new("/in")).unwrap();
        let input = Self {
            disk,
            path,
            rotations: 0,
            content: Vec::new(),
            lines: 0,
        };
        input.create();
        input
    }

    /// How many lines were ever written.
    pub(super) fn lines(&self) -> i64 {
        self.lines
    }

    fn create(&self) {
        self.disk.create(&self.path).unwrap().sync_data().unwrap();
        self.disk.sync_dir(Path::new("/in")).unwrap();
    }

    fn file(&self) -> Arc<dyn DiskFile> {
        self.disk.open_writable(&self.path).unwrap()
    }

    /// Appends a few lines, sometimes in two parts, or rotates by rename after a whole line.
    pub(super) fn step(&mut self, random: &mut Random) {
        if self.content.ends_with(b"\n") && random.one_in(12) {
            self.rotations += 1;
            let rotated = self.path.with_extension(format!("log.{}", self.rotations));
            self.disk.rename(&self.path, &rotated).unwrap();
            self.create();
            return;
        }
        let mut bytes = Vec::new();
        for _ in 0..random.within(1..20) {
            self.lines += 1;
            let padding = "x".repeat(usize::try_from(random.within(0..200)).unwrap());
            bytes.extend_from_slice(format!("line {} {padding}\n", self.lines).as_bytes());
        }
        if random.one_in(4) {
            let part = usize::try_from(random.within(1..bytes.len() as u64)).unwrap();
            self.append(&bytes[..part]);
            self.append(&bytes[part..]);
        } else {
            self.append(&bytes);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let file = self.file();
        file.append(bytes).unwrap();
        file.sync_data().unwrap();
        self.content.extend_from_slice(bytes);
    }
}
