//! Names of files: as seen now, as a crash would find them, and what lies between.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::random::Random;
use crate::sim::Loss;

#[derive(Debug, Default)]
pub(super) struct Names {
    visible: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Link { path: PathBuf, inode: u64 },
    Unlink { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
}

impl Names {
    pub(super) fn get(&self, path: &Path) -> Option<u64> {
        self.visible.get(path).copied()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.visible.keys().map(PathBuf::as_path)
    }

    /// Whether `inode` has a name now.
    pub(super) fn visible(&self, inode: u64) -> bool {
        self.visible.values().any(|named| *named == inode)
    }

    /// Whether `inode` had a name when the power went; call after [`Names::crash`].
    pub(super) fn stand_for(&self, inode: u64) -> bool {
        self.durable.values().any(|named| *named == inode)
    }

    pub(super) fn link(&mut self, path: &Path, inode: u64) {
        self.change(Change::Link {
            path: path.to_owned(),
            inode,
        });
    }

    pub(super) fn unlink(&mut self, path: &Path) {
        self.change(Change::Unlink {
            path: path.to_owned(),
        });
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        self.change(Change::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        });
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self, dir: &Path) {
        let (done, rest) = std::mem::take(&mut self.unsynced)
            .into_iter()
            .partition(|change| change.touches(dir));
        self.unsynced = rest;
        for change in done {
            change.apply(&mut self.durable);
        }
    }

    /// A file system writes its names in order, so what a crash leaves of them is a beginning.
    pub(super) fn crash(&mut self, random: &mut Random, loss: Loss) {
        let kept = if loss == Loss::Everything {
            0
        } else {
            random.below(self.unsynced.len() + 1)
        };
        for change in self.unsynced.drain(..).take(kept) {
            change.apply(&mut self.durable);
        }
        self.visible = self.durable.clone();
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Link { path, inode } => {
                names.insert(path.clone(), *inode);
            }
            Self::Unlink { path } => {
                names.remove(path);
            }
            Self::Rename { from, to } => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }

    fn touches(&self, dir: &Path) -> bool {
        match self {
            Self::Link { path, .. } | Self::Unlink { path } => path.parent() == Some(dir),
            Self::Rename { from, to } => from.parent() == Some(dir) || to.parent() == Some(dir),
        }
    }
}
