//! `longshore:postgres`. The capability works on the worker's runtime; a call here awaits its answer.
//!
//! A read answers with what there is at once, whatever the host has to say besides, so that a source
//! that is woken all the time makes progress on each poll. Calls that have no way to say why they
//! returned end with a fault when the task stops.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use longshore_cap_postgres::{
    CopyOut, Error, PostgresClient, Replication, Rows, Session, WalStream,
};
use longshore_model::{Fault, FaultClass};
use wasmtime::component::{Accessor, HasSelf, Resource};

use super::records::fault_out;
use crate::bindings::v0_1::longshore::connect::types;
use crate::bindings::v0_1::longshore::host::lifecycle::Wake;
use crate::bindings::v0_1::longshore::postgres::postgres as wit;
use crate::instance::{Control, GuestState};
use crate::streams::Upstream;

/// A session that a guest has open.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type GuestSession = Arc<Session>;
/// An answer that it reads.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type GuestRows = Arc<Rows>;
/// A copy that it reads.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type GuestCopy = Arc<CopyOut>;
/// A session in replication mode.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type GuestReplication = Arc<Replication>;
/// A stream that it reads, which the host confirms.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub type GuestWal = Arc<WalStream>;

/// Most bytes of one page, one part of a copy, or one read of a stream.
const READ_BYTES_MAX: u32 = 4 << 20;

/// Longest wait that a clock can hold, for guests that mean "for ever".
const WAIT_MAX: Duration = Duration::from_secs(86_400 * 365);

type Answer<T> = wasmtime::Result<Result<T, types::Fault>>;
type Parameters = Vec<(String, String)>;

impl<T: Send> wit::HostWithStore<T> for HasSelf<GuestState> {
    async fn connect(
        accessor: &Accessor<T, Self>,
        parameters: Parameters,
    ) -> Answer<Resource<GuestSession>> {
        let (client, control) = client(accessor);
        let session = unless_stopped(&control, client.connect(&parameters)).await;
        hand_out(accessor, session)
    }

    async fn connect_replication(
        accessor: &Accessor<T, Self>,
        parameters: Parameters,
    ) -> Answer<Resource<GuestReplication>> {
        let (client, control) = client(accessor);
        let session = unless_stopped(&control, client.connect_replication(&parameters)).await;
        hand_out(accessor, session)
    }
}

impl<T: Send> wit::HostSessionWithStore<T> for HasSelf<GuestState> {
    async fn query(
        accessor: &Accessor<T, Self>,
        session: Resource<GuestSession>,
        sql: String,
    ) -> Answer<Resource<GuestRows>> {
        let (session, control) = held(accessor, &session)?;
        let rows = unless_stopped(&control, session.query(&sql)).await;
        hand_out(accessor, rows)
    }

    async fn copy_out(
        accessor: &Accessor<T, Self>,
        session: Resource<GuestSession>,
        sql: String,
    ) -> Answer<Resource<GuestCopy>> {
        let (session, control) = held(accessor, &session)?;
        let copy = unless_stopped(&control, async { session.copy_out(&sql) }).await;
        hand_out(accessor, copy)
    }
}

impl<T: Send> wit::HostRowsWithStore<T> for HasSelf<GuestState> {
    async fn read(
        accessor: &Accessor<T, Self>,
        rows: Resource<GuestRows>,
        max_bytes: u32,
    ) -> Answer<Vec<wit::Row>> {
        let (rows, control) = held(accessor, &rows)?;
        let read = unless_stopped(&control, rows.read(page(max_bytes))).await;
        Ok(read.map_err(fault_out))
    }
}

impl<T: Send> wit::HostCopyReaderWithStore<T> for HasSelf<GuestState> {
    async fn read(
        accessor: &Accessor<T, Self>,
        copy: Resource<GuestCopy>,
        max_bytes: u32,
        timeout_ms: u64,
    ) -> Answer<wit::Copied> {
        let (copy, control) = held(accessor, &copy)?;
        // No bytes ask only whether there is a row.
        let bytes = max_bytes.min(READ_BYTES_MAX) as usize;
        let read = |timeout| copy.read(bytes, timeout);
        let (read, wake) = woken(&control, read, timeout_ms).await;
        answer(read.map(|copied| wit::Copied {
            wake,
            rows: copied.rows,
            done: copied.done,
        }))
    }
}

impl<T: Send> wit::HostReplicationWithStore<T> for HasSelf<GuestState> {
    async fn identify(
        accessor: &Accessor<T, Self>,
        replication: Resource<GuestReplication>,
    ) -> Answer<wit::System> {
        let (replication, control) = held(accessor, &replication)?;
        let system = unless_stopped(&control, replication.identify()).await;
        let system = system.map(|system| wit::System {
            identifier: system.identifier,
            timeline: system.timeline,
            position: system.position,
            database: system.database,
        });
        Ok(system.map_err(fault_out))
    }

    async fn create_slot(
        accessor: &Accessor<T, Self>,
        replication: Resource<GuestReplication>,
        name: String,
        export_snapshot: bool,
        timeout_ms: u64,
    ) -> Answer<Option<wit::CreatedSlot>> {
        let (replication, control) = held(accessor, &replication)?;
        let timeout = wait(timeout_ms);
        let spoken = control.spoken().map(|_| ());
        let created = replication
            .create_slot_until(&name, export_snapshot, timeout, spoken)
            .await;
        answer(created.map(|created| {
            created.map(|created| wit::CreatedSlot {
                consistent_point: created.consistent_point,
                snapshot: created.snapshot,
            })
        }))
    }

    async fn drop_slot(
        accessor: &Accessor<T, Self>,
        replication: Resource<GuestReplication>,
        name: String,
        timeout_ms: u64,
    ) -> Answer<()> {
        let (replication, control) = held(accessor, &replication)?;
        let drop = replication.drop_slot(&name, wait(timeout_ms));
        Ok(unless_stopped(&control, drop).await.map_err(fault_out))
    }

    async fn start(
        accessor: &Accessor<T, Self>,
        replication: Resource<GuestReplication>,
        slot: String,
        start: u64,
        options: Parameters,
    ) -> Answer<Resource<GuestWal>> {
        let (replication, control) = held(accessor, &replication)?;
        let started = unless_stopped(&control, replication.start(&slot, start, &options)).await;
        let stream = match started {
            Ok(stream) => Arc::new(stream),
            Err(fault) => return Ok(Err(fault_out(fault))),
        };
        accessor.with(|mut access| {
            let state = access.get();
            let upstream: Arc<dyn Upstream> = Arc::<WalStream>::clone(&stream);
            state.streams.add(stream.id(), upstream);
            Ok(Ok(state.table.push(stream)?))
        })
    }
}

impl<T: Send> wit::HostWalStreamWithStore<T> for HasSelf<GuestState> {
    async fn read(
        accessor: &Accessor<T, Self>,
        stream: Resource<GuestWal>,
        max_bytes: u32,
        timeout_ms: u64,
    ) -> Answer<wit::WalMessages> {
        let (stream, control) = held(accessor, &stream)?;
        let read = |timeout| stream.read(page(max_bytes), timeout);
        let (read, wake) = woken(&control, read, timeout_ms).await;
        answer(read.map(|messages| wit::WalMessages { wake, messages }))
    }
}

impl wit::HostWalStream for GuestState {
    fn id(&mut self, stream: Resource<GuestWal>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&stream)?.id())
    }

    fn drop(&mut self, stream: Resource<GuestWal>) -> wasmtime::Result<()> {
        let stream = self.table.delete(stream)?;
        self.streams.close(stream.id());
        Ok(())
    }
}

impl wit::HostSession for GuestState {
    fn drop(&mut self, session: Resource<GuestSession>) -> wasmtime::Result<()> {
        self.table.delete(session)?;
        Ok(())
    }
}

impl wit::HostRows for GuestState {
    fn drop(&mut self, rows: Resource<GuestRows>) -> wasmtime::Result<()> {
        self.table.delete(rows)?;
        Ok(())
    }
}

impl wit::HostCopyReader for GuestState {
    fn drop(&mut self, copy: Resource<GuestCopy>) -> wasmtime::Result<()> {
        self.table.delete(copy)?;
        Ok(())
    }
}

impl wit::HostReplication for GuestState {
    fn drop(&mut self, replication: Resource<GuestReplication>) -> wasmtime::Result<()> {
        self.table.delete(replication)?;
        Ok(())
    }
}

impl wit::Host for GuestState {}

impl Upstream for WalStream {
    fn delivered(&self) -> u64 {
        Self::delivered(self)
    }

    fn confirm(&self, value: u64) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        // Only notes it: the stream tells the server with its next feedback.
        Self::confirm(self, value);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn client<T: Send>(accessor: &Accessor<T, HasSelf<GuestState>>) -> (PostgresClient, Control) {
    accessor.with(|mut access| {
        let state = access.get();
        (state.postgres.clone(), state.control.clone())
    })
}

/// What a guest holds, kept while a call uses it.
fn held<T: Send, R: Send + Sync + 'static>(
    accessor: &Accessor<T, HasSelf<GuestState>>,
    resource: &Resource<Arc<R>>,
) -> wasmtime::Result<(Arc<R>, Control)> {
    accessor.with(|mut access| {
        let state = access.get();
        let held = Arc::clone(state.table.get(resource)?);
        Ok((held, state.control.clone()))
    })
}

fn hand_out<T: Send, R: Send + Sync + 'static>(
    accessor: &Accessor<T, HasSelf<GuestState>>,
    opened: Result<R, Fault>,
) -> Answer<Resource<Arc<R>>> {
    match opened {
        Ok(opened) => {
            accessor.with(|mut access| Ok(Ok(access.get().table.push(Arc::new(opened))?)))
        }
        Err(fault) => Ok(Err(fault_out(fault))),
    }
}

fn answer<T>(done: Result<T, Error>) -> Answer<T> {
    Ok(done.map_err(|e| fault_out(e.into())))
}

/// A call that ends early only when the task stops.
async fn unless_stopped<T>(
    control: &Control,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        () = control.stopped() => {
            let message = "the task is being stopped";
            Err(Fault::new(FaultClass::Stopping, "stopping", message))
        }
        done = call => done.map_err(Fault::from),
    }
}

/// A read that returns what there is when the host has something to say, and says so.
async fn woken<T, F: Future<Output = Result<T, Error>>>(
    control: &Control,
    read: impl Fn(Duration) -> F,
    timeout_ms: u64,
) -> (Result<T, Error>, Wake) {
    tokio::select! {
        biased;
        done = read(wait(timeout_ms)) => {
            let wake = control.said().map_or(Wake::Ready, Wake::from);
            (done, wake)
        }
        spoken = control.spoken() => (read(Duration::ZERO).await, spoken.into()),
    }
}

fn page(max_bytes: u32) -> usize {
    max_bytes.clamp(1, READ_BYTES_MAX) as usize
}

fn wait(timeout_ms: u64) -> Duration {
    Duration::from_millis(timeout_ms).min(WAIT_MAX)
}
