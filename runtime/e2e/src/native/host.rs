//! The SDK's host over the task's environment and the file capability.

use std::rc::Rc;
use std::time::Duration;

use longshore_cap_files::{Change, Entry, Error, FilesClient, OpenFile, Stat};
use longshore_model::{Fault, FaultClass};
use longshore_pipeline::port::TaskEnv;
use longshore_sdk::host::{Host, HostFile, HostPostgres, LocalFuture};
use longshore_sdk::{FileEntry, FileStat, Level, Wake};
use tokio::time::Instant;

use super::{Bell, NativePostgres};

/// The day on which every instance starts, so that what one does on a paused clock can be had again.
const START_US: i64 = 1_700_000_000_000_000;

pub(super) struct NativeHost {
    env: TaskEnv,
    files: FilesClient,
    postgres: Option<Rc<dyn NativePostgres>>,
    bell: Bell,
    started: Instant,
}

impl NativeHost {
    pub(super) fn new(
        env: TaskEnv,
        files: FilesClient,
        postgres: Option<Rc<dyn NativePostgres>>,
        bell: Bell,
    ) -> Self {
        Self {
            env,
            files,
            postgres,
            bell,
            started: Instant::now(),
        }
    }
}

impl Host for NativeHost {
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        match level {
            Level::Error => tracing::error!(?fields, "{message}"),
            Level::Warn => tracing::warn!(?fields, "{message}"),
            Level::Info => tracing::info!(?fields, "{message}"),
            Level::Debug => tracing::debug!(?fields, "{message}"),
            Level::Trace => tracing::trace!(?fields, "{message}"),
        }
    }

    fn count(&self, name: &str, n: u64) {
        self.env.metrics.count(name, n);
    }

    fn gauge(&self, name: &str, value: f64) {
        self.env.metrics.gauge(name, value);
    }

    fn declare_schema(&self, schema: &str) -> Result<u32, Fault> {
        let full = || Fault::new(FaultClass::Fatal, "too-many-schemas", "too many schemas");
        self.env.schemas.declare(schema).ok_or_else(full)
    }

    fn lookup_schema(&self, handle: u32) -> Result<String, Fault> {
        let unknown = || Fault::new(FaultClass::Fatal, "unknown-schema", "no such schema");
        let schema = self.env.schemas.schema(handle);
        schema.map(|schema| schema.to_string()).ok_or_else(unknown)
    }

    fn wait(&self, timeout_ms: u64) -> LocalFuture<'_, Wake> {
        Box::pin(async move {
            tokio::select! {
                biased;
                heard = self.bell.heard() => heard,
                () = tokio::time::sleep(Duration::from_millis(timeout_ms)) => Wake::Ready,
            }
        })
    }

    fn now_us(&self) -> i64 {
        START_US + i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX - START_US)
    }

    fn progress(&self, json: &str) {
        self.env.progress.send_replace(Some(json.to_owned()));
    }

    fn postgres(&self) -> Option<Rc<dyn HostPostgres>> {
        let postgres: Rc<dyn HostPostgres> = Rc::clone(self.postgres.as_ref()?) as _;
        Some(postgres)
    }

    fn list_files<'a>(
        &'a self,
        pattern: &'a str,
    ) -> LocalFuture<'a, Result<Vec<FileEntry>, Fault>> {
        Box::pin(async move {
            let listed = self.files.list(pattern).await?;
            Ok(listed.into_iter().map(file_entry).collect())
        })
    }

    fn stat_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Option<FileStat>, Fault>> {
        Box::pin(async move { Ok(self.files.stat(path).await?.map(file_stat)) })
    }

    fn open_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>> {
        Box::pin(async move { opened(self.files.open(path).await) })
    }

    fn create_file<'a>(
        &'a self,
        path: &'a str,
    ) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>> {
        Box::pin(async move { opened(self.files.create(path).await) })
    }

    fn rename_file<'a>(&'a self, from: &'a str, to: &'a str) -> LocalFuture<'a, Result<(), Fault>> {
        Box::pin(async move { Ok(self.files.rename(from, to).await?) })
    }

    fn wait_change<'a>(
        &'a self,
        patterns: &'a [&'a str],
        known: &'a [FileEntry],
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<Wake, Fault>> {
        Box::pin(async move {
            let patterns: Vec<_> = patterns.iter().map(|p| (*p).to_owned()).collect();
            let known: Vec<_> = known.iter().map(entry).collect();
            let timeout = Duration::from_millis(timeout_ms);
            tokio::select! {
                biased;
                heard = self.bell.heard() => Ok(heard),
                change = self.files.wait_change(&patterns, &known, timeout) => match change? {
                    Change::Changed | Change::TimedOut => Ok(Wake::Ready),
                },
            }
        })
    }
}

struct NativeFile(OpenFile);

impl HostFile for NativeFile {
    fn stat(&self) -> LocalFuture<'_, Result<FileStat, Fault>> {
        Box::pin(async move { Ok(file_stat(self.0.stat().await?)) })
    }

    fn read_at(&self, offset: u64, bytes_max: u32) -> LocalFuture<'_, Result<Vec<u8>, Fault>> {
        Box::pin(async move { Ok(self.0.read_at(offset, bytes_max).await?) })
    }

    fn append(&self, bytes: Vec<u8>) -> LocalFuture<'_, Result<u64, Fault>> {
        Box::pin(async move { Ok(self.0.append(bytes).await?) })
    }

    fn truncate(&self, size: u64) -> LocalFuture<'_, Result<(), Fault>> {
        Box::pin(async move { Ok(self.0.truncate(size).await?) })
    }

    fn sync(&self) -> LocalFuture<'_, Result<(), Fault>> {
        Box::pin(async move { Ok(self.0.sync().await?) })
    }
}

fn opened(file: Result<OpenFile, Error>) -> Result<Rc<dyn HostFile>, Fault> {
    Ok(Rc::new(NativeFile(file?)))
}

fn file_stat(stat: Stat) -> FileStat {
    FileStat {
        identity: stat.identity,
        size: stat.size,
        modified_ms: stat.modified_ms,
    }
}

fn file_entry(entry: Entry) -> FileEntry {
    FileEntry {
        path: entry.path,
        stat: file_stat(entry.stat),
    }
}

fn entry(entry: &FileEntry) -> Entry {
    Entry {
        path: entry.path.clone(),
        stat: Stat {
            identity: entry.stat.identity.clone(),
            size: entry.stat.size,
            modified_ms: entry.stat.modified_ms,
        },
    }
}
