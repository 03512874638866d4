//! What a machine does to files beyond the testkit's: links, spellings, devices, and other processes
//! that act between two calls.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use longshore_sdk::host::{Host, HostFile, LocalFuture};
use longshore_sdk::{Ctx, Fault, FileEntry, FileStat, Level, Wake};
use longshore_testkit::FakeHost;

type Act = Box<dyn FnOnce(&FakeHost)>;

/// The testkit's host on such a machine. Clones are the same machine.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    pub(crate) host: FakeHost,
    state: Rc<RefCell<State>>,
}

#[derive(Default)]
struct State {
    /// Link to target.
    links: BTreeMap<String, String>,
    device: Option<u64>,
    calls: u64,
    acts: BTreeMap<u64, Act>,
    open_files: usize,
}

impl Machine {
    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::new(Rc::new(self.clone()))
    }

    /// Makes a second name of a file.
    pub(crate) fn link(&self, name: &str, target: &str) {
        self.host.append_file(name, "");
        let mut state = self.state.borrow_mut();
        state.links.insert(name.to_owned(), target.to_owned());
    }

    /// Gives identities the worker's shape, on this device.
    pub(crate) fn mount_on(&self, device: u64) {
        self.state.borrow_mut().device = Some(device);
    }

    /// Calls for files so far.
    pub(crate) fn calls(&self) -> u64 {
        self.state.borrow().calls
    }

    /// Files that the plugin has open.
    pub(crate) fn open_files(&self) -> usize {
        self.state.borrow().open_files
    }

    /// Acts before that call for a file, counted from 1.
    pub(crate) fn before_call(&self, call: u64, act: impl FnOnce(&FakeHost) + 'static) {
        self.state.borrow_mut().acts.insert(call, Box::new(act));
    }

    /// Does what was to come at calls that were not made.
    pub(crate) fn finish(&self) {
        let acts = std::mem::take(&mut self.state.borrow_mut().acts);
        for act in acts.into_values() {
            act(&self.host);
        }
    }

    fn enter(&self) {
        let act = {
            let mut state = self.state.borrow_mut();
            state.calls += 1;
            let calls = state.calls;
            state.acts.remove(&calls)
        };
        if let Some(act) = act {
            act(&self.host);
        }
    }

    fn target(&self, path: &str) -> String {
        let target = self.state.borrow().links.get(path).cloned();
        target.unwrap_or_else(|| path.to_owned())
    }

    fn stat_out(&self, mut stat: FileStat) -> FileStat {
        if let Some(device) = self.state.borrow().device {
            let inode = stat.identity.trim_start_matches("id-");
            stat.identity = format!("{device:x}:{inode}:b0");
        }
        stat
    }

    async fn entries(&self, pattern: &str) -> Result<Vec<FileEntry>, Fault> {
        let mut entries = self.host.list_files(&spelled(pattern)).await?;
        for entry in &mut entries {
            let target = self.target(&entry.path);
            let stat = self.host.stat_file(&target).await?;
            entry.stat = self.stat_out(stat.unwrap());
        }
        Ok(entries)
    }
}

/// The directory and the name, as the worker's capability spells them.
fn spelled(pattern: &str) -> String {
    let path = Path::new(pattern);
    let joined = path.parent().unwrap().join(path.file_name().unwrap());
    joined.to_str().unwrap().to_owned()
}

impl Host for Machine {
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        Host::log(&self.host, level, message, fields);
    }

    fn count(&self, name: &str, n: u64) {
        self.host.count(name, n);
    }

    fn gauge(&self, name: &str, value: f64) {
        Host::gauge(&self.host, name, value);
    }

    fn declare_schema(&self, schema: &str) -> Result<u32, Fault> {
        self.host.declare_schema(schema)
    }

    fn lookup_schema(&self, handle: u32) -> Result<String, Fault> {
        self.host.lookup_schema(handle)
    }

    fn wait(&self, timeout_ms: u64) -> LocalFuture<'_, Wake> {
        self.host.wait(timeout_ms)
    }

    fn progress(&self, json: &str) {
        Host::progress(&self.host, json);
    }

    fn list_files<'a>(
        &'a self,
        pattern: &'a str,
    ) -> LocalFuture<'a, Result<Vec<FileEntry>, Fault>> {
        Box::pin(async move {
            self.enter();
            self.entries(pattern).await
        })
    }

    fn stat_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Option<FileStat>, Fault>> {
        Box::pin(async move {
            self.enter();
            let stat = self.host.stat_file(&self.target(path)).await?;
            Ok(stat.map(|stat| self.stat_out(stat)))
        })
    }

    fn open_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>> {
        Box::pin(async move {
            self.enter();
            let file = self.host.open_file(&self.target(path)).await?;
            self.state.borrow_mut().open_files += 1;
            let machine = self.clone();
            Ok(Rc::new(MachineFile { machine, file }) as Rc<dyn HostFile>)
        })
    }

    fn create_file<'a>(
        &'a self,
        path: &'a str,
    ) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>> {
        self.host.create_file(path)
    }

    fn rename_file<'a>(&'a self, from: &'a str, to: &'a str) -> LocalFuture<'a, Result<(), Fault>> {
        Host::rename_file(&self.host, from, to)
    }

    /// Ends when what is listed is another one, or with the testkit's host's waits.
    fn wait_change<'a>(
        &'a self,
        patterns: &'a [&'a str],
        known: &'a [FileEntry],
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<Wake, Fault>> {
        Box::pin(async move {
            let mut found = Vec::new();
            for pattern in patterns {
                found.extend(self.entries(pattern).await?);
            }
            if facts(&found) != facts(known) {
                return Ok(Wake::Ready);
            }
            Ok(self.host.wait(timeout_ms).await)
        })
    }
}

fn facts(entries: &[FileEntry]) -> Vec<(&str, &str, u64)> {
    let entries = entries.iter();
    let facts = entries.map(|e| (&*e.path, &*e.stat.identity, e.stat.size));
    facts.collect()
}

struct MachineFile {
    machine: Machine,
    file: Rc<dyn HostFile>,
}

impl Drop for MachineFile {
    fn drop(&mut self) {
        self.machine.state.borrow_mut().open_files -= 1;
    }
}

impl HostFile for MachineFile {
    fn stat(&self) -> LocalFuture<'_, Result<FileStat, Fault>> {
        Box::pin(async move {
            self.machine.enter();
            Ok(self.machine.stat_out(self.file.stat().await?))
        })
    }

    fn read_at(&self, offset: u64, bytes_max: u32) -> LocalFuture<'_, Result<Vec<u8>, Fault>> {
        Box::pin(async move {
            self.machine.enter();
            self.file.read_at(offset, bytes_max).await
        })
    }

    fn append(&self, bytes: Vec<u8>) -> LocalFuture<'_, Result<u64, Fault>> {
        self.file.append(bytes)
    }

    fn truncate(&self, size: u64) -> LocalFuture<'_, Result<(), Fault>> {
        self.file.truncate(size)
    }

    fn sync(&self) -> LocalFuture<'_, Result<(), Fault>> {
        self.file.sync()
    }
}
