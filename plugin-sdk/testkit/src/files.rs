//! Files in memory, with identities, renames, and a memory of what was synced.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use longshore_model::{Fault, FaultClass};
use longshore_sdk::{FileEntry, FileStat};

/// What a crash takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the process died, the page cache did not.
    Nothing,
    /// What plugins wrote and did not sync: the power failed.
    Unsynced,
}

#[derive(Debug, Default)]
pub(crate) struct FakeFiles {
    names: BTreeMap<String, Name>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
enum Name {
    File(usize),
    Directory,
}

#[derive(Clone, Debug, Default)]
struct Node {
    content: Vec<u8>,
    synced: Vec<u8>,
    modified_ms: i64,
}

impl FakeFiles {
    /// The file of that name, made where it is missing.
    pub(crate) fn create(&mut self, path: &str) -> Result<usize, Fault> {
        if let Some(node) = self.find(path)? {
            return Ok(node);
        }
        self.nodes.push(Node::default());
        let node = self.nodes.len() - 1;
        self.names.insert(path.to_owned(), Name::File(node));
        Ok(node)
    }

    pub(crate) fn make_directory(&mut self, path: &str) {
        self.names.insert(path.to_owned(), Name::Directory);
    }

    /// None where nothing stands at the path.
    pub(crate) fn find(&self, path: &str) -> Result<Option<usize>, Fault> {
        match self.names.get(path) {
            None => Ok(None),
            Some(Name::File(node)) => Ok(Some(*node)),
            Some(Name::Directory) => {
                let message = format!("{path} is a directory, not a regular file");
                let fault = Fault::new(FaultClass::Config, "file-not-regular", message);
                Err(fault.with("file", path))
            }
        }
    }

    pub(crate) fn open(&self, path: &str) -> Result<usize, Fault> {
        self.find(path)?.ok_or_else(|| {
            let message = format!("{path} does not exist");
            Fault::new(FaultClass::Retriable, "file-not-found", message).with("file", path)
        })
    }

    pub(crate) fn stat(&self, node: usize) -> FileStat {
        let file = &self.nodes[node];
        FileStat {
            identity: format!("id-{node}"),
            size: file.content.len() as u64,
            modified_ms: file.modified_ms,
        }
    }

    pub(crate) fn list(&self, pattern: &str) -> Result<Vec<FileEntry>, Fault> {
        let wild = |c: char| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
        if !pattern.contains(wild) {
            let found = self.find(pattern)?;
            return Ok(found
                .map(|node| self.entry(pattern, node))
                .into_iter()
                .collect());
        }
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|e| {
            let message = format!("{pattern:?} is not a usable path or glob: {e}");
            Fault::new(FaultClass::Config, "file-bad-path", message).with("file", pattern)
        })?;
        let matcher = glob.compile_matcher();
        let matching = self.names.iter().filter(|(path, _)| matcher.is_match(path));
        let files = matching.filter_map(|(path, name)| match name {
            Name::File(node) => Some(self.entry(path, *node)),
            Name::Directory => None,
        });
        Ok(files.collect())
    }

    fn entry(&self, path: &str, node: usize) -> FileEntry {
        FileEntry {
            path: path.to_owned(),
            stat: self.stat(node),
        }
    }

    pub(crate) fn content(&self, node: usize) -> &[u8] {
        &self.nodes[node].content
    }

    pub(crate) fn write(&mut self, node: usize, now_ms: i64, write: impl FnOnce(&mut Vec<u8>)) {
        let file = &mut self.nodes[node];
        write(&mut file.content);
        file.modified_ms = now_ms;
    }

    pub(crate) fn sync(&mut self, node: usize) {
        let file = &mut self.nodes[node];
        file.synced.clone_from(&file.content);
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<(), Fault> {
        let node = self.open(from)?;
        self.names.remove(from);
        self.names.insert(to.to_owned(), Name::File(node));
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.names.remove(path);
    }

    pub(crate) fn crash(&mut self, loss: Loss) {
        if loss == Loss::Unsynced {
            for file in &mut self.nodes {
                file.content.clone_from(&file.synced);
            }
        }
    }
}
