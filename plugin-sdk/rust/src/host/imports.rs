//! The component's imports, call by call.

mod postgres;

use longshore_model::Fault;

use crate::guest::bindings::imports::longshore::files::files as wit_files;
use crate::guest::bindings::imports::longshore::host::{
    lifecycle, log as wit_log, metrics, schemas,
};
use crate::guest::convert::{entry_in, entry_out, fault_in, stat_in};
use crate::{FileEntry, FileStat, Level, Wake};

pub(crate) use postgres::*;

#[derive(Clone)]
pub(crate) struct Handle {}

pub(crate) type FileHandle = wit_files::File;

pub(crate) fn log(_host: &Handle, level: Level, message: &str, fields: &[(&str, &str)]) {
    let level = match level {
        Level::Error => wit_log::Level::Error,
        Level::Warn => wit_log::Level::Warn,
        Level::Info => wit_log::Level::Info,
        Level::Debug => wit_log::Level::Debug,
        Level::Trace => wit_log::Level::Trace,
    };
    let owned = |(name, fact): &(&str, &str)| ((*name).to_owned(), (*fact).to_owned());
    let fields: Vec<_> = fields.iter().map(owned).collect();
    wit_log::write(level, message, &fields);
}

pub(crate) fn count(_host: &Handle, name: &str, n: u64) {
    metrics::count(name, n);
}

pub(crate) fn gauge(_host: &Handle, name: &str, value: f64) {
    metrics::gauge(name, value);
}

pub(crate) fn declare_schema(_host: &Handle, schema: &str) -> Result<u32, Fault> {
    schemas::declare(schema).map_err(fault_in)
}

pub(crate) fn lookup_schema(_host: &Handle, handle: u32) -> Result<String, Fault> {
    schemas::lookup(handle).map_err(fault_in)
}

pub(crate) fn now_us(_host: &Handle) -> i64 {
    super::machine_us()
}

pub(crate) async fn wait(_host: &Handle, timeout_ms: u64) -> Wake {
    wake_in(lifecycle::wait(timeout_ms).await)
}

pub(crate) fn progress(_host: &Handle, json: &str) {
    lifecycle::progress(json);
}

pub(crate) async fn list_files(_host: &Handle, pattern: &str) -> Result<Vec<FileEntry>, Fault> {
    let entries = wit_files::list(pattern.to_owned()).await;
    Ok(entries
        .map_err(fault_in)?
        .into_iter()
        .map(entry_in)
        .collect())
}

pub(crate) async fn stat_file(_host: &Handle, path: &str) -> Result<Option<FileStat>, Fault> {
    let stat = wit_files::stat(path.to_owned()).await;
    Ok(stat.map_err(fault_in)?.map(stat_in))
}

pub(crate) async fn open_file(_host: &Handle, path: &str) -> Result<FileHandle, Fault> {
    wit_files::open(path.to_owned()).await.map_err(fault_in)
}

pub(crate) async fn create_file(_host: &Handle, path: &str) -> Result<FileHandle, Fault> {
    wit_files::create(path.to_owned()).await.map_err(fault_in)
}

pub(crate) async fn rename_file(_host: &Handle, from: &str, to: &str) -> Result<(), Fault> {
    let renamed = wit_files::rename(from.to_owned(), to.to_owned()).await;
    renamed.map_err(fault_in)
}

pub(crate) async fn wait_change(
    _host: &Handle,
    patterns: &[&str],
    known: &[FileEntry],
    timeout_ms: u64,
) -> Result<Wake, Fault> {
    let patterns = patterns.iter().map(|p| (*p).to_owned()).collect();
    let known = known.iter().map(entry_out).collect();
    let woken = wit_files::wait_change(patterns, known, timeout_ms).await;
    woken.map(wake_in).map_err(fault_in)
}

pub(crate) async fn stat_open(file: &FileHandle) -> Result<FileStat, Fault> {
    file.stat().await.map(stat_in).map_err(fault_in)
}

pub(crate) async fn read_at(
    file: &FileHandle,
    offset: u64,
    bytes_max: u32,
) -> Result<Vec<u8>, Fault> {
    file.read_at(offset, bytes_max).await.map_err(fault_in)
}

pub(crate) async fn append(file: &FileHandle, bytes: Vec<u8>) -> Result<u64, Fault> {
    file.append(bytes).await.map_err(fault_in)
}

pub(crate) async fn truncate(file: &FileHandle, size: u64) -> Result<(), Fault> {
    file.truncate(size).await.map_err(fault_in)
}

pub(crate) async fn sync(file: &FileHandle) -> Result<(), Fault> {
    file.sync().await.map_err(fault_in)
}

fn wake_in(wake: lifecycle::Wake) -> Wake {
    match wake {
        lifecycle::Wake::Ready => Wake::Ready,
        lifecycle::Wake::Woken => Wake::Woken,
        lifecycle::Wake::Stopping => Wake::Stopping,
    }
}
