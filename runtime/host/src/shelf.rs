//! The plugins that there are: files of the plugin path, and those inside the binary.
//!
//! The path is looked at anew whenever somebody asks, so that plugins come, go and are upgraded
//! while the worker runs; a file is read again only when it changed. A broken file is reported and
//! keeps no other from its place.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use longshore_pipeline::port::{PluginId, PluginInfo};
use tokio::sync::OnceCell;

use crate::Error;
use crate::component::Runnable;
use crate::engine::Machine;
use crate::manifest::Facts;

/// Largest plugin file.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A plugin inside the binary.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// The name of the file that it was.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Builtin").field(&self.name).finish()
    }
}

/// A file of the plugin path that is not a usable plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenPlugin {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// All plugins, by what they are rather than where they were found.
pub(crate) struct Shelf {
    plugin_path: Vec<PathBuf>,
    builtins: Vec<Arc<Plugin>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    plugins: Vec<Arc<Plugin>>,
    broken: Vec<BrokenPlugin>,
    /// What files held when they were last read.
    read: HashMap<PathBuf, (Stamp, Result<Arc<Plugin>, String>)>,
}

/// One plugin on the shelf.
pub(crate) struct Plugin {
    pub(crate) info: PluginInfo,
    facts: Facts,
    origin: Origin,
    runnable: OnceCell<Arc<Runnable>>,
}

enum Origin {
    File(PathBuf, Stamp),
    Builtin(&'static [u8]),
}

/// What tells a file from the one that stood there before.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified_ns: i128,
}

impl Shelf {
    /// A shelf with the built-in plugins.
    pub(crate) fn new(plugin_path: Vec<PathBuf>, builtins: &[Builtin]) -> Result<Self, Error> {
        let builtins = builtins.iter().map(|builtin| {
            let facts = Facts::read(builtin.bytes)?;
            Ok(Arc::new(Plugin::new(facts, Origin::Builtin(builtin.bytes))))
        });
        Ok(Self {
            plugin_path,
            builtins: builtins.collect::<Result<_, Error>>()?,
            state: Mutex::default(),
        })
    }

    /// Looks at the plugin path again; everything there is, by name, newest version first. Blocks.
    pub(crate) fn look(&self) -> Vec<Arc<Plugin>> {
        let mut files = Vec::new();
        let mut broken = Vec::new();
        for path in &self.plugin_path {
            find_files(path, 1, &mut files, &mut broken);
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut state.read);
        // What the operator put on the path comes before what is built in, and may replace it.
        let mut plugins: Vec<Arc<Plugin>> = Vec::new();
        for path in files {
            let stamp = stamp(&path);
            let known = before
                .remove(&path)
                .filter(|(then, _)| stamp.as_ref().ok() == Some(then));
            let (stamp, found) = match (known, stamp) {
                (Some((stamp, found)), _) => (stamp, found),
                (None, Ok(stamp)) => (stamp, read(&path, stamp).map_err(|e| e.to_string())),
                (None, Err(e)) => {
                    let reason = e.to_string();
                    broken.push(BrokenPlugin { path, reason });
                    continue;
                }
            };
            let twin = |plugin: &Arc<Plugin>| plugins.iter().find(|p| p.info.id == plugin.info.id);
            let reason = match &found {
                Ok(plugin) => twin(plugin).map(|twin| {
                    let first = twin.info.path.as_deref().unwrap_or(Path::new("")).display();
                    format!("the same name and version stand in {first}")
                }),
                Err(reason) => Some(reason.clone()),
            };
            match (&found, reason) {
                (Ok(plugin), None) => plugins.push(Arc::clone(plugin)),
                (_, reason) => {
                    let reason = reason.unwrap_or_default();
                    let path = path.clone();
                    broken.push(BrokenPlugin { path, reason });
                }
            }
            state.read.insert(path, (stamp, found));
        }
        for builtin in &self.builtins {
            if plugins
                .iter()
                .all(|plugin| plugin.info.id != builtin.info.id)
            {
                plugins.push(Arc::clone(builtin));
            }
        }
        plugins.sort_by(|a, b| by_name_then_newest(&a.info.id, &b.info.id));
        state.report(broken);
        state.plugins.clone_from(&plugins);
        plugins
    }

    /// The plugin of that id, as last seen.
    pub(crate) fn get(&self, id: &PluginId) -> Result<Arc<Plugin>, Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let found = state.plugins.iter().find(|plugin| plugin.info.id == *id);
        found.cloned().ok_or_else(|| Error::Unknown {
            name: id.name.to_string(),
            version: id.version.to_string(),
        })
    }

    /// What of the plugin path is not a usable plugin, as last seen.
    pub(crate) fn broken(&self) -> Vec<BrokenPlugin> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.broken.clone()
    }
}

impl State {
    /// Tells the operator about each broken file once, not at each look.
    fn report(&mut self, broken: Vec<BrokenPlugin>) {
        for BrokenPlugin { path, reason } in broken.iter().filter(|b| !self.broken.contains(b)) {
            tracing::warn!(path = %path.display(), error = %reason, "plugin cannot be used");
        }
        self.broken = broken;
    }
}

impl Plugin {
    fn new(facts: Facts, origin: Origin) -> Self {
        let manifest = &facts.manifest;
        let info = PluginInfo {
            id: PluginId {
                name: manifest.name.as_str().into(),
                version: manifest.version.as_str().into(),
            },
            manifest: Arc::new(manifest.clone()),
            path: match &origin {
                Origin::File(path, _) => Some(path.clone()),
                Origin::Builtin(_) => None,
            },
        };
        Self {
            info,
            facts,
            origin,
            runnable: OnceCell::new(),
        }
    }

    /// The compiled plugin; compiled when first asked for, on the blocking threads of the current
    /// runtime.
    pub(crate) async fn runnable(
        self: &Arc<Self>,
        machine: &Arc<Machine>,
    ) -> Result<Arc<Runnable>, Error> {
        let load = || async {
            let (plugin, machine) = (Arc::clone(self), Arc::clone(machine));
            let load = tokio::task::spawn_blocking(move || plugin.load(&machine));
            load.await.map_err(|e| Error::Load(e.to_string()))?
        };
        self.runnable.get_or_try_init(load).await.cloned()
    }

    fn load(&self, machine: &Machine) -> Result<Arc<Runnable>, Error> {
        let runnable = match &self.origin {
            Origin::Builtin(bytes) => Runnable::load(machine, bytes, &self.facts)?,
            Origin::File(path, then) => {
                let bytes = fs::read(path).map_err(|source| io(path, source))?;
                if stamp(path)? != *then {
                    return Err(Error::Changed);
                }
                Runnable::load(machine, &bytes, &self.facts)?
            }
        };
        Ok(Arc::new(runnable))
    }
}

fn read(path: &Path, stamp: Stamp) -> Result<Arc<Plugin>, Error> {
    if stamp.bytes > FILE_BYTES_MAX {
        return Err(Error::TooLarge {
            bytes: stamp.bytes,
            limit: FILE_BYTES_MAX,
        });
    }
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let facts = Facts::read(&bytes)?;
    Ok(Arc::new(Plugin::new(
        facts,
        Origin::File(path.to_owned(), stamp),
    )))
}

fn stamp(path: &Path) -> Result<Stamp, Error> {
    let found = fs::metadata(path).map_err(|source| io(path, source))?;
    let seconds = i128::from(found.mtime());
    Ok(Stamp {
        device: found.dev(),
        inode: found.ino(),
        bytes: found.len(),
        modified_ns: seconds * 1_000_000_000 + i128::from(found.mtime_nsec()),
    })
}

/// `*.wasm` of a directory and of its directories: Kafka Connect gives each plugin one.
fn find_files(path: &Path, depth: usize, files: &mut Vec<PathBuf>, broken: &mut Vec<BrokenPlugin>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) => {
            let reason = e.to_string();
            let path = path.to_owned();
            broken.push(BrokenPlugin { path, reason });
            return;
        }
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && depth > 0 {
            find_files(&path, depth - 1, files, broken);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
            && path.is_file()
        {
            files.push(path);
        }
    }
}

fn by_name_then_newest(a: &PluginId, b: &PluginId) -> Ordering {
    a.name
        .cmp(&b.name)
        .then_with(|| version_order(&b.version, &a.version))
}

/// Numbers compare as numbers, so that 0.10 is newer than 0.9; a pre-release is older than its
/// release.
pub(crate) fn version_order(a: &str, b: &str) -> Ordering {
    let (a_core, a_pre) = a
        .split_once('-')
        .map_or((a, None), |(core, pre)| (core, Some(pre)));
    let (b_core, b_pre) = b
        .split_once('-')
        .map_or((b, None), |(core, pre)| (core, Some(pre)));
    parts_order(a_core, b_core).then_with(|| match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => parts_order(a, b),
    })
}

fn parts_order(a: &str, b: &str) -> Ordering {
    let part = |part: &str| match part.parse::<u64>() {
        Ok(number) => (0, number, String::new()),
        Err(_) => (1, 0, part.to_owned()),
    };
    a.split('.').map(part).cmp(b.split('.').map(part))
}

fn io(path: &Path, source: std::io::Error) -> Error {
    let path = path.to_owned();
    Error::Io { path, source }
}
