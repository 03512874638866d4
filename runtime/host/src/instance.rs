//! One instance of a plugin: one tokio task on the guests' runtime owns its store, and calls come to
//! it through a bounded mailbox, one at a time. Dropping the handle ends it, whatever it is doing.

mod control;
mod job;
mod state;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use longshore_model::batch::{BATCH_BYTES_MAX, LARGE_BATCH_BYTES_MAX};
use longshore_model::{Fault, FaultClass};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;
use wasmtime::component::Accessor;
use wasmtime::{Store, UpdateDeadline};

pub(crate) use control::{Control, Spoken};
pub(crate) use state::GuestState;

use crate::Limits;
use crate::component::{Exports, Runnable};
use crate::engine::Machine;
use crate::limits::CpuMeter;
use crate::streams::Streams;
use crate::voice::Voice;
use job::{Job, Typed};
use verdict::{Ended, verdict};

/// A guest may pass the largest batch in one call, with something to spare for what is around it.
const HOSTCALL_BYTES_MAX: usize = LARGE_BATCH_BYTES_MAX + BATCH_BYTES_MAX;

/// Calls that wait for their turn. The ports take `&mut self`, so one is all there is.
const MAILBOX: usize = 1;

/// How long a call may take by the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As long as any call.
    Call,
    /// As long as it likes, until it is woken or stopped: a `poll` that waits for records.
    UntilSpokenTo,
    /// As long as a stop may take.
    Stop,
}

/// A handle to an instance.
pub(crate) struct Instance {
    mailbox: mpsc::Sender<Box<dyn Job>>,
    control: Control,
    streams: Streams,
    plugin: Arc<str>,
    _task: AbortOnDropHandle<()>,
    /// The runtime that the task runs on.
    _machine: Arc<Machine>,
}

impl Instance {
    /// Instantiates a plugin on the guests' runtime.
    pub(crate) async fn start(
        machine: &Arc<Machine>,
        runnable: Arc<Runnable>,
        state: GuestState,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let (mailbox, calls) = mpsc::channel(MAILBOX);
        let (ready, started) = oneshot::channel();
        let plugin: Arc<str> = Arc::from(runnable.manifest.name.as_str());
        let (control, streams) = (state.control.clone(), state.streams.clone());
        let resident = Resident {
            cpu: Arc::new(CpuMeter::new(limits.cpu)),
            voice: state.voice.clone(),
            control: control.clone(),
            plugin: Arc::clone(&plugin),
            limits,
        };
        let mut store = resident.store(machine, state);
        let task = async move {
            match resident.instantiate(&mut store, &runnable).await {
                Ok(exports) => {
                    if ready.send(Ok(())).is_ok() {
                        resident.serve(store, exports, calls).await;
                    }
                }
                // Nobody listens only when the handle was dropped, and then nobody asks why.
                Err(fault) => drop(ready.send(Err(fault))),
            }
        };
        let task = machine.guests().spawn(task.in_current_span());
        let task = AbortOnDropHandle::new(task);
        started.await.map_err(|_| gone(&plugin, "start"))??;
        Ok(Self {
            mailbox,
            control,
            streams,
            plugin,
            _task: task,
            _machine: Arc::clone(machine),
        })
    }

    /// Speaks to the instance while it is in a call.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// The streams that its capabilities have open for it.
    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Calls an export. After a fault of class fatal that the host made, the instance is gone.
    pub(crate) async fn call<R, F>(
        &mut self,
        name: &'static str,
        patience: Patience,
        call: F,
    ) -> Result<R, Fault>
    where
        R: Send + 'static,
        F: for<'a> FnOnce(
                &'a Accessor<GuestState>,
                &'a Exports,
            ) -> BoxFuture<'a, wasmtime::Result<R>>
            + Send
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Typed::new(name, patience, call, reply));
        let sent = self.mailbox.send(job).await;
        sent.map_err(|_| gone(&self.plugin, name))?;
        answer.await.map_err(|_| gone(&self.plugin, name))?
    }
}

fn gone(plugin: &str, call: &str) -> Fault {
    let message = format!("{plugin} was called ({call}) after its instance had ended");
    Fault::new(FaultClass::Fatal, "plugin-gone", message)
}

/// The side that runs on the guests' runtime.
struct Resident {
    cpu: Arc<CpuMeter>,
    voice: Voice,
    control: Control,
    plugin: Arc<str>,
    limits: Limits,
}

impl Resident {
    fn store(&self, machine: &Machine, state: GuestState) -> Store<GuestState> {
        let mut store = Store::new(&machine.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        let cpu = Arc::clone(&self.cpu);
        // A tick only makes the guest yield: it is no measure of what the guest has used.
        store.epoch_deadline_callback(move |_| {
            cpu.check()?;
            Ok(UpdateDeadline::YieldCustom(
                1,
                Box::pin(tokio::task::yield_now()),
            ))
        });
        store.set_epoch_deadline(1);
        store
    }

    async fn instantiate(
        &self,
        store: &mut Store<GuestState>,
        runnable: &Runnable,
    ) -> Result<Exports, Fault> {
        let instantiate = runnable.instantiate(store);
        let ended = self.within(Patience::Call, instantiate).await;
        ended.map_err(|ended| verdict(&self.plugin, "start", ended, &self.voice))
    }

    async fn serve(
        self,
        mut store: Store<GuestState>,
        exports: Exports,
        mut calls: mpsc::Receiver<Box<dyn Job>>,
    ) {
        while let Some(mut job) = calls.recv().await {
            let (name, patience) = (job.name(), job.patience());
            store.set_epoch_deadline(1);
            let running = store.run_concurrent(async |accessor| job.run(accessor, &exports).await);
            let done = async { running.await.flatten() };
            let ended = self.within(patience, done).await;
            self.control.answered();
            let fault = ended
                .err()
                .map(|e| verdict(&self.plugin, name, e, &self.voice));
            let dead = fault.is_some();
            job.finish(fault);
            if dead {
                return;
            }
        }
    }

    /// Runs guest code under its limits of CPU time and wall-clock time.
    async fn within<T>(
        &self,
        patience: Patience,
        guest: impl Future<Output = wasmtime::Result<T>>,
    ) -> Result<T, Ended> {
        tokio::select! {
            biased;
            done = self.cpu.measure(guest) => done.map_err(Ended::Trapped),
            late = self.overdue(patience) => Err(late),
        }
    }

    async fn overdue(&self, patience: Patience) -> Ended {
        let Limits { call, stop, .. } = self.limits;
        let stopped = async {
            self.control.stopped().await;
            late(stop, "after the task was stopped").await
        };
        let allowed = async {
            match patience {
                Patience::Call => late(call, "after it was called").await,
                Patience::Stop => late(stop, "after it was called").await,
                Patience::UntilSpokenTo => {
                    self.control.woken().await;
                    late(call, "after it was woken").await
                }
            }
        };
        tokio::select! {
            ended = stopped => ended,
            ended = allowed => ended,
        }
    }
}

async fn late(after: Duration, since: &'static str) -> Ended {
    tokio::time::sleep(after).await;
    Ended::Late { after, since }
}
