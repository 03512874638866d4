//! `longshore:files`. Every call is awaited on the guests' runtime and runs on the worker's.

use std::sync::Arc;
use std::time::Duration;

use longshore_cap_files::{Entry, Error, FilesClient, OpenFile, Stat};
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{Accessor, HasSelf, Resource};

use super::records::fault_out;
use crate::bindings::v0_1::longshore::connect::types;
use crate::bindings::v0_1::longshore::files::files;
use crate::bindings::v0_1::longshore::host::lifecycle::Wake;
use crate::instance::GuestState;

/// A file that a guest has open.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type GuestFile = Arc<OpenFile>;

type Answer<T> = wasmtime::Result<Result<T, types::Fault>>;

impl<T: Send> files::HostWithStore<T> for HasSelf<GuestState> {
    async fn list(accessor: &Accessor<T, Self>, pattern: String) -> Answer<Vec<files::Entry>> {
        let listed = client(accessor).list(&pattern).await;
        answer(listed.map(|entries| entries.into_iter().map(entry_out).collect()))
    }

    async fn stat(accessor: &Accessor<T, Self>, path: String) -> Answer<Option<files::FileStat>> {
        let found = client(accessor).stat(&path).await;
        answer(found.map(|found| found.map(stat_out)))
    }

    async fn open(accessor: &Accessor<T, Self>, path: String) -> Answer<Resource<GuestFile>> {
        let opened = client(accessor).open(&path).await;
        hand_out(accessor, opened)
    }

    async fn create(accessor: &Accessor<T, Self>, path: String) -> Answer<Resource<GuestFile>> {
        let opened = client(accessor).create(&path).await;
        hand_out(accessor, opened)
    }

    async fn rename(accessor: &Accessor<T, Self>, from: String, to: String) -> Answer<()> {
        answer(client(accessor).rename(&from, &to).await)
    }

    async fn wait_change(
        accessor: &Accessor<T, Self>,
        patterns: Vec<String>,
        known: Vec<files::Entry>,
        timeout_ms: u64,
    ) -> Answer<Wake> {
        let (client, io, control) = accessor.with(|mut access| {
            let state = access.get();
            (state.files.clone(), state.io.clone(), state.control.clone())
        });
        let known: Vec<_> = known.into_iter().map(entry_in).collect();
        let timeout = Duration::from_millis(timeout_ms);
        // Looking again and again is work, and not the guests' runtime's.
        let watch = async move { client.wait_change(&patterns, &known, timeout).await };
        let watch = AbortOnDropHandle::new(io.spawn(watch));
        tokio::select! {
            biased;
            spoken = control.spoken() => Ok(Ok(spoken.into())),
            changed = watch => answer(changed?.map(Wake::from)),
        }
    }
}

impl<T: Send> files::HostFileWithStore<T> for HasSelf<GuestState> {
    async fn stat(
        accessor: &Accessor<T, Self>,
        file: Resource<GuestFile>,
    ) -> Answer<files::FileStat> {
        answer(open(accessor, &file)?.stat().await.map(stat_out))
    }

    async fn read_at(
        accessor: &Accessor<T, Self>,
        file: Resource<GuestFile>,
        offset: u64,
        max: u32,
    ) -> Answer<Vec<u8>> {
        answer(open(accessor, &file)?.read_at(offset, max).await)
    }

    async fn append(
        accessor: &Accessor<T, Self>,
        file: Resource<GuestFile>,
        bytes: Vec<u8>,
    ) -> Answer<u64> {
        answer(open(accessor, &file)?.append(bytes).await)
    }

    async fn truncate(
        accessor: &Accessor<T, Self>,
        file: Resource<GuestFile>,
        size: u64,
    ) -> Answer<()> {
        answer(open(accessor, &file)?.truncate(size).await)
    }

    async fn sync(accessor: &Accessor<T, Self>, file: Resource<GuestFile>) -> Answer<()> {
        answer(open(accessor, &file)?.sync().await)
    }
}

impl files::HostFile for GuestState {
    fn drop(&mut self, file: Resource<GuestFile>) -> wasmtime::Result<()> {
        self.table.delete(file)?;
        Ok(())
    }
}

impl files::Host for GuestState {}

fn client<T: Send>(accessor: &Accessor<T, HasSelf<GuestState>>) -> FilesClient {
    accessor.with(|mut access| access.get().files.clone())
}

fn open<T: Send>(
    accessor: &Accessor<T, HasSelf<GuestState>>,
    file: &Resource<GuestFile>,
) -> wasmtime::Result<GuestFile> {
    accessor.with(|mut access| Ok(Arc::clone(access.get().table.get(file)?)))
}

fn hand_out<T: Send>(
    accessor: &Accessor<T, HasSelf<GuestState>>,
    opened: Result<OpenFile, Error>,
) -> Answer<Resource<GuestFile>> {
    match opened {
        Ok(file) => accessor.with(|mut access| Ok(Ok(access.get().table.push(Arc::new(file))?))),
        Err(e) => answer(Err(e)),
    }
}

fn answer<T>(done: Result<T, Error>) -> Answer<T> {
    Ok(done.map_err(|e| fault_out(e.into())))
}

fn stat_out(stat: Stat) -> files::FileStat {
    files::FileStat {
        identity: stat.identity,
        size: stat.size,
        modified_ms: stat.modified_ms,
    }
}

fn entry_out(entry: Entry) -> files::Entry {
    files::Entry {
        path: entry.path,
        stat: stat_out(entry.stat),
    }
}

fn entry_in(entry: files::Entry) -> Entry {
    Entry {
        path: entry.path,
        stat: Stat {
            identity: entry.stat.identity,
            size: entry.stat.size,
            modified_ms: entry.stat.modified_ms,
        },
    }
}
