//! The file that grows and rotates: lines of JSON, and here and there one that the sink's converter cannot read. It lives on
//! a disk of its own that never fails: what the source has read must still be there, or there is nothing to compare with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_disk::{Disk, DiskFile, SimDisk};

use crate::seed::Random;

#[derive(Debug)]
pub(super) struct Input {
    pub(super) disk: SimDisk,
    path: PathBuf,
    rotations: u64,
    /// The lines that the sink has to write, as they were written here.
    pub(super) good: Vec<u8>,
    /// Those that have to become dead letters.
    pub(super) poison: Vec<Vec<u8>>,
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
            good: Vec::new(),
            poison: Vec::new(),
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
        if self.lines > 0 && random.one_in(12) {
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
            if random.one_in(25) {
                let line = format!("{{line {} {padding}", self.lines).into_bytes();
                bytes.extend_from_slice(&line);
                self.poison.push(line);
                bytes.push(b'\n');
            } else {
                let line = format!("{{\"line\":{},\"padding\":\"{padding}\"}}\n", self.lines);
                bytes.extend_from_slice(line.as_bytes());
                self.good.extend_from_slice(line.as_bytes());
            }
        }
        if random.one_in(4) {
            let part = usize::try_from(random.within(1..bytes.len() as u64)).unwrap();
            self.append(&bytes[..part]);
            self.append(&bytes[part..]);
        } else {
            self.append(&bytes);
        }
    }

    fn append(&self, bytes: &[u8]) {
        let file = self.file();
        file.append(bytes).unwrap();
        file.sync_data().unwrap();
    }
}
