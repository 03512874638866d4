//! A host in the same process: the testkit's fake, or an adapter over the real capabilities.

mod postgres;

use std::pin::Pin;
use std::rc::Rc;

use longshore_model::Fault;

use crate::{FileEntry, FileStat, Level, Wake};

pub(crate) use postgres::*;
pub use postgres::{HostCopy, HostPostgres, HostReplication, HostRows, HostSession, HostWal};

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Everything that a plugin can ask of its host; [`crate::Ctx`] and [`crate::Files`] say what each
/// call means.
#[expect(missing_docs, reason = "Ctx and Files document each call")]
pub trait Host {
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]);
    fn count(&self, name: &str, n: u64);
    fn gauge(&self, name: &str, value: f64);
    fn declare_schema(&self, schema: &str) -> Result<u32, Fault>;
    fn lookup_schema(&self, handle: u32) -> Result<String, Fault>;
    fn wait(&self, timeout_ms: u64) -> LocalFuture<'_, Wake>;
    /// The machine's clock, unless the host has one of its own.
    fn now_us(&self) -> i64 {
        super::machine_us()
    }
    fn progress(&self, json: &str);
    fn list_files<'a>(&'a self, pattern: &'a str)
    -> LocalFuture<'a, Result<Vec<FileEntry>, Fault>>;
    fn stat_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Option<FileStat>, Fault>>;
    fn open_file<'a>(&'a self, path: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>>;
    fn create_file<'a>(&'a self, path: &'a str)
    -> LocalFuture<'a, Result<Rc<dyn HostFile>, Fault>>;
    fn rename_file<'a>(&'a self, from: &'a str, to: &'a str) -> LocalFuture<'a, Result<(), Fault>>;
    fn wait_change<'a>(
        &'a self,
        patterns: &'a [&'a str],
        known: &'a [FileEntry],
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<Wake, Fault>>;
    /// Absent where the host has no PostgreSQL server.
    fn postgres(&self) -> Option<Rc<dyn HostPostgres>> {
        None
    }
}

/// An open file of a [`Host`]; [`crate::File`] says what each call means.
#[expect(missing_docs, reason = "File documents each call")]
pub trait HostFile {
    fn stat(&self) -> LocalFuture<'_, Result<FileStat, Fault>>;
    fn read_at(&self, offset: u64, bytes_max: u32) -> LocalFuture<'_, Result<Vec<u8>, Fault>>;
    fn append(&self, bytes: Vec<u8>) -> LocalFuture<'_, Result<u64, Fault>>;
    fn truncate(&self, size: u64) -> LocalFuture<'_, Result<(), Fault>>;
    fn sync(&self) -> LocalFuture<'_, Result<(), Fault>>;
}

pub(crate) type Handle = Rc<dyn Host>;
pub(crate) type FileHandle = Rc<dyn HostFile>;

pub(crate) fn log(host: &Handle, level: Level, message: &str, fields: &[(&str, &str)]) {
    host.log(level, message, fields);
}

pub(crate) fn count(host: &Handle, name: &str, n: u64) {
    host.count(name, n);
}

pub(crate) fn gauge(host: &Handle, name: &str, value: f64) {
    host.gauge(name, value);
}

pub(crate) fn declare_schema(host: &Handle, schema: &str) -> Result<u32, Fault> {
    host.declare_schema(schema)
}

pub(crate) fn lookup_schema(host: &Handle, handle: u32) -> Result<String, Fault> {
    host.lookup_schema(handle)
}

pub(crate) fn now_us(host: &Handle) -> i64 {
    host.now_us()
}

pub(crate) async fn wait(host: &Handle, timeout_ms: u64) -> Wake {
    host.wait(timeout_ms).await
}

pub(crate) fn progress(host: &Handle, json: &str) {
    host.progress(json);
}

pub(crate) async fn list_files(host: &Handle, pattern: &str) -> Result<Vec<FileEntry>, Fault> {
    host.list_files(pattern).await
}

pub(crate) async fn stat_file(host: &Handle, path: &str) -> Result<Option<FileStat>, Fault> {
    host.stat_file(path).await
}

pub(crate) async fn open_file(host: &Handle, path: &str) -> Result<FileHandle, Fault> {
    host.open_file(path).await
}

pub(crate) async fn create_file(host: &Handle, path: &str) -> Result<FileHandle, Fault> {
    host.create_file(path).await
}

pub(crate) async fn rename_file(host: &Handle, from: &str, to: &str) -> Result<(), Fault> {
    host.rename_file(from, to).await
}

pub(crate) async fn wait_change(
    host: &Handle,
    patterns: &[&str],
    known: &[FileEntry],
    timeout_ms: u64,
) -> Result<Wake, Fault> {
    host.wait_change(patterns, known, timeout_ms).await
}

pub(crate) async fn stat_open(file: &FileHandle) -> Result<FileStat, Fault> {
    file.stat().await
}

pub(crate) async fn read_at(
    file: &FileHandle,
    offset: u64,
    bytes_max: u32,
) -> Result<Vec<u8>, Fault> {
    file.read_at(offset, bytes_max).await
}

pub(crate) async fn append(file: &FileHandle, bytes: Vec<u8>) -> Result<u64, Fault> {
    file.append(bytes).await
}

pub(crate) async fn truncate(file: &FileHandle, size: u64) -> Result<(), Fault> {
    file.truncate(size).await
}

pub(crate) async fn sync(file: &FileHandle) -> Result<(), Fault> {
    file.sync().await
}
