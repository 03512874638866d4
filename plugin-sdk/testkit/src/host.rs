//! The host: what a plugin sees, and what a test sees and does.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use longshore_model::{Fault, FaultClass};
use longshore_sdk::host::{Host, HostFile, LocalFuture};
use longshore_sdk::{Ctx, FileEntry, FileStat, Level, Wake};

use crate::Loss;
use crate::files::FakeFiles;

/// A host whose world is in memory. Clones are the same host.
#[derive(Clone, Debug, Default)]
pub struct FakeHost(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    files: FakeFiles,
    now_ms: i64,
    wake: Option<Wake>,
    calls: u64,
    kill_at: Option<u64>,
    killed: bool,
    fail_at: Option<(u64, Fault)>,
    log: Vec<LogLine>,
    progress: Option<String>,
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, f64>,
    schemas: Vec<String>,
}

/// A line of the task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// Named facts.
    pub fields: Vec<(String, String)>,
}

/// What a test does.
impl FakeHost {
    /// What connectors are called with.
    #[must_use]
    pub fn ctx(&self) -> Ctx {
        Ctx::new(Rc::new(self.clone()))
    }

    /// Appends to a file from outside, making it where it is missing.
    ///
    /// # Panics
    /// When a directory stands there.
    pub fn append_file(&self, path: &str, bytes: impl AsRef<[u8]>) {
        self.outside(path, |content| content.extend_from_slice(bytes.as_ref()));
    }

    /// Writes a file anew from outside.
    ///
    /// # Panics
    /// When a directory stands there.
    pub fn write_file(&self, path: &str, bytes: impl AsRef<[u8]>) {
        self.outside(path, |content| *content = bytes.as_ref().to_vec());
    }

    /// Gives a file another name from outside.
    ///
    /// # Panics
    /// When it is not there.
    pub fn rename_file(&self, from: &str, to: &str) {
        let renamed = self.0.borrow_mut().files.rename(from, to);
        renamed.expect("a test renames files that are there");
    }

    /// Removes a name from outside; open handles keep the file.
    pub fn remove_file(&self, path: &str) {
        self.0.borrow_mut().files.remove(path);
    }

    /// Puts a directory where a file might be expected.
    pub fn make_directory(&self, path: &str) {
        self.0.borrow_mut().files.make_directory(path);
    }

    /// What a file holds.
    #[must_use]
    pub fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.0.borrow();
        let node = state.files.find(path).ok()??;
        Some(state.files.content(node).to_vec())
    }

    fn outside(&self, path: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.borrow_mut();
        state.now_ms += 1;
        let now_ms = state.now_ms;
        let node = state.files.create(path);
        let node = node.expect("a test writes to files");
        state.files.write(node, now_ms, write);
        state.files.sync(node);
    }

    /// Moves the clock; waits whose time is up end at their next step.
    pub fn advance(&self, ms: i64) {
        self.0.borrow_mut().now_ms += ms;
    }

    /// Ends the pending wait, or the next one, with `woken`.
    pub fn wake(&self) {
        self.0.borrow_mut().wake = Some(Wake::Woken);
    }

    /// Ends all waits with `stopping` from here on.
    pub fn stop(&self) {
        self.0.borrow_mut().wake = Some(Wake::Stopping);
    }

    /// Calls that plugins made so far and that the host could be killed at.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.borrow().calls
    }

    /// Dies at that call, counted from 1 over the host's life.
    pub fn kill_at(&self, call: u64) {
        self.0.borrow_mut().kill_at = Some(call);
    }

    /// Answers that call with a fault, counted from 1 over the host's life.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.0.borrow_mut().fail_at = Some((call, fault));
    }

    /// Whether the host died.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.0.borrow().killed
    }

    /// Lives again after a kill, with what the crash left.
    pub fn restart(&self, loss: Loss) {
        let mut state = self.0.borrow_mut();
        state.files.crash(loss);
        state.killed = false;
        state.kill_at = None;
        state.wake = None;
    }

    /// The log so far.
    #[must_use]
    pub fn log(&self) -> Ref<'_, [LogLine]> {
        Ref::map(self.0.borrow(), |state| state.log.as_slice())
    }

    /// What the task shows as progress.
    #[must_use]
    pub fn progress(&self) -> Option<String> {
        self.0.borrow().progress.clone()
    }

    /// A counter of the task.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.0.borrow().counters.get(name).copied().unwrap_or(0)
    }

    /// A gauge of the task.
    #[must_use]
    pub fn gauge(&self, name: &str) -> Option<f64> {
        self.0.borrow().gauges.get(name).copied()
    }

    /// The schema behind a handle.
    #[must_use]
    pub fn schema(&self, handle: u32) -> Option<String> {
        let at = usize::try_from(handle).ok()?.checked_sub(1)?;
        self.0.borrow().schemas.get(at).cloned()
    }
}

/// What a plugin's call goes through.
impl FakeHost {
    /// Counts the call. It never returns when the host dies at it.
    async fn enter(&self) -> Result<(), Fault> {
        let fails = {
            let mut state = self.0.borrow_mut();
            state.calls += 1;
            state.killed |= state.kill_at == Some(state.calls);
            let calls = state.calls;
            state.fail_at.take_if(|(call, _)| *call == calls)
        };
        if self.is_killed() {
            pending::<()>().await;
        }
        match fails {
            Some((_, fault)) => Err(fault),
            None => Ok(()),
        }
    }

    fn run<'a, T: 'a>(
        &'a self,
        call: impl FnOnce(&mut State) -> Result<T, Fault> + 'a,
    ) -> LocalFuture<'a, Result<T, Fault>> {
        Box::pin(async move {
            self.enter().await?;
            call(&mut self.0.borrow_mut())
        })
    }

    async fn wait_for(&self, timeout_ms: u64, ready: impl Fn(&State) -> bool) -> Wake {
        let timeout_ms = i64::try_from(timeout_ms).unwrap_or(i64::MAX);
        let deadline = self.0.borrow().now_ms.saturating_add(timeout_ms);
        poll_fn(|_| {
            let mut state = self.0.borrow_mut();
            match state.wake {
                Some(Wake::Stopping) => Poll::Ready(Wake::Stopping),
                Some(wake) => {
                    state.wake = None;
                    Poll::Ready(wake)
                }
                None if ready(&state) || state.now_ms >= deadline => Poll::Ready(Wake::Ready),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn handle(&self, node: usize) -> Rc<dyn HostFile> {
        Rc::new(FakeFile {
            host: self.clone(),
            node,
        })
    }
}

impl Host for FakeHost {
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let owned = |(name, fact): &(&str, &str)| ((*name).to_owned(), (*fact).to_owned());
        self.0.borrow_mut().log.push(LogLine {
            level,
            message: message.to_owned(),
            fields: fields.iter().map(owned).collect(),
        });
    }

    fn count(&self, name: &str, n: u64) {
        *self
            .0
            .borrow_mut()
            .counters
            .entry(name.to_owned())
            .or_default() += n;
    }

    fn gauge(&self, name: &str, value: f64) {
        self.0.borrow_mut().gauges.insert(name.to_owned(), value);
    }

    fn declare_schema(&self, schema: &str) -> Result<u32, Fault> {
        let schemas = &mut self.0.borrow_mut().schemas;
        let at = schemas.iter().position(|s| s == schema).unwrap_or_else(|| {
            schemas.push(schema.to_owned());
            schemas.len() - 1
        });
        Ok(u32::try_from(at + 1).expect("a test declares few schemas"))
    }

    fn lookup_schema(&self, handle: u32) -> Result<String, Fault> {
        self.schema(handle).ok_or_else(|| {
            let message = format!("no schema has the handle {handle}");
            Fault::new(FaultClass::Fatal, "unknown-schema", message)
        })
    }

    fn now_us(&self) -> i64 {
        self.0.borrow().now_ms * 1000
    }

    fn wait(&self, timeout_ms: u64) -> LocalFuture<'_, Wake> {
        Box::pin(async move {
            match self.enter().await {
                Ok(()) => self.wait_for(timeout_ms, |_| false).await,
                Err(_) => Wake::Ready,
            }
        })
    }

    fn progress(&self, json: &str) {
        self.0.borrow_mut().progress = Some(json.to_owned());
    }

    fn list_files<'a>(
        &'a self,
        pattern: &'a str,
    ) -> LocalFuture<'a, Result<Vec<FileEntry>, Fault>> {
        self.run(|state| state.files.list(pattern))
    }

    fn stat_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Option<FileStat>, Fault>> {
        self.run(|state| Ok(state.files.find(path)?.map(|node| state.files.stat(node))))
    }

    fn open_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>> {
        self.run(|state| Ok(self.handle(state.files.open(path)?)))
    }

    fn create_file<'a>(
        &'a self,
        path: &'a str,
    ) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>> {
        self.run(|state| Ok(self.handle(state.files.create(path)?)))
    }

    fn rename_file<'a>(&'a self, from: &'a str, to: &'a str) -> LocalFuture<'a, Result<(), Fault>> {
        self.run(|state| state.files.rename(from, to))
    }

    fn wait_change<'a>(
        &'a self,
        patterns: &'a [&'a str],
        known: &'a [FileEntry],
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<Wake, Fault>> {
        let changed = move |state: &State| {
            let listed = patterns.iter().filter_map(|p| state.files.list(p).ok());
            facts(&listed.flatten().collect::<Vec<_>>()) != facts(known)
        };
        Box::pin(async move {
            self.enter().await?;
            Ok(self.wait_for(timeout_ms, changed).await)
        })
    }
}

fn facts(entries: &[FileEntry]) -> Vec<(String, String, u64)> {
    let fact = |e: &FileEntry| (e.path.clone(), e.stat.identity.clone(), e.stat.size);
    let mut facts: Vec<_> = entries.iter().map(fact).collect();
    facts.sort();
    facts.dedup();
    facts
}

struct FakeFile {
    host: FakeHost,
    node: usize,
}

impl HostFile for FakeFile {
    fn stat(&self) -> LocalFuture<'_, Result<FileStat, Fault>> {
        self.host.run(|state| Ok(state.files.stat(self.node)))
    }

    fn read_at(&self, offset: u64, bytes_max: u32) -> LocalFuture<'_, Result<Vec<u8>, Fault>> {
        self.host.run(move |state| {
            let content = state.files.content(self.node);
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(content.len());
            let end = start.saturating_add(bytes_max as usize).min(content.len());
            Ok(content[start..end].to_vec())
        })
    }

    fn append(&self, bytes: Vec<u8>) -> LocalFuture<'_, Result<u64, Fault>> {
        self.host.run(move |state| {
            let now_ms = state.now_ms;
            state.files.write(self.node, now_ms, |content| {
                content.extend_from_slice(&bytes);
            });
            Ok(state.files.stat(self.node).size)
        })
    }

    fn truncate(&self, size: u64) -> LocalFuture<'_, Result<(), Fault>> {
        self.host.run(move |state| {
            let now_ms = state.now_ms;
            let size = usize::try_from(size).expect("a test's files are small");
            state
                .files
                .write(self.node, now_ms, |content| content.resize(size, 0));
            Ok(())
        })
    }

    fn sync(&self) -> LocalFuture<'_, Result<(), Fault>> {
        self.host.run(|state| {
            state.files.sync(self.node);
            Ok(())
        })
    }
}
