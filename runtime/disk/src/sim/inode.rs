//! The content of one file: as readers see it, and as a crash would find it.

use crate::random::Random;
use crate::sim::Loss;

/// A disk writes whole sectors; anything larger can be torn.
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Inode {
    visible: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    pub(super) modified: i64,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { len: usize },
}

impl Inode {
    pub(super) fn len(&self) -> u64 {
        self.visible.len() as u64
    }

    pub(super) fn read(&self, buffer: &mut [u8], at: u64) -> usize {
        let from = index(at).min(self.visible.len());
        let n = buffer.len().min(self.visible.len() - from);
        buffer[..n].copy_from_slice(&self.visible[from..from + n]);
        n
    }

    pub(super) fn write(&mut self, at: u64, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = index(at);
        put(&mut self.visible, at, &bytes);
        self.unsynced.push(Change::Write { at, bytes });
    }

    pub(super) fn truncate(&mut self, len: u64) {
        let len = index(len);
        self.visible.resize(len, 0);
        self.unsynced.push(Change::Truncate { len });
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// What Linux does when writing back fails: the pages stay readable and count as clean.
    pub(super) fn forget_unsynced(&mut self) {
        self.unsynced.clear();
    }

    pub(super) fn crash(&mut self, random: &mut Random, loss: Loss) {
        let mode = if loss == Loss::Everything {
            0
        } else {
            random.below(4)
        };
        let changes = std::mem::take(&mut self.unsynced);
        match mode {
            0 => {}
            1 => {
                for change in changes {
                    change.apply(&mut self.durable);
                }
            }
            2 => self.keep_beginning(random, changes),
            _ => self.keep_sectors(random, changes),
        }
        self.visible = self.durable.clone();
    }

    fn keep_beginning(&mut self, random: &mut Random, changes: Vec<Change>) {
        let whole = random.below(changes.len() + 1);
        for (i, change) in changes.into_iter().enumerate().take(whole + 1) {
            match change {
                Change::Write { at, bytes } if i == whole => {
                    put(
                        &mut self.durable,
                        at,
                        &bytes[..random.below(bytes.len() + 1)],
                    );
                }
                change if i < whole => change.apply(&mut self.durable),
                Change::Write { .. } | Change::Truncate { .. } => {}
            }
        }
    }

    fn keep_sectors(&mut self, random: &mut Random, changes: Vec<Change>) {
        for change in changes {
            let Change::Write { at, bytes } = change else {
                if random.one_in(2) {
                    change.apply(&mut self.durable);
                }
                continue;
            };
            let mut from = 0;
            while from < bytes.len() {
                let sector_end = SECTOR_BYTES - (at + from) % SECTOR_BYTES;
                let to = bytes.len().min(from + sector_end);
                if random.one_in(2) {
                    put(&mut self.durable, at + from, &bytes[from..to]);
                }
                from = to;
            }
        }
    }
}

impl Change {
    fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(content, at, &bytes),
            Self::Truncate { len } => content.resize(len, 0),
        }
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("a simulated file fits in memory")
}
