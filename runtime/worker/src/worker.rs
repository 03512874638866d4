//! The worker's loop: takes requests, makes them durable, tells connectors what is wanted of them,
//! and writes down how they fare. The only writer of the config and status topics.

mod replay;
mod reports;

use std::collections::HashMap;
use std::sync::Arc;

use longshore_model::{ConnectorName, TaskId};
use longshore_pipeline::port::{Broker, BrokerResult, Clock, Plugins};
use longshore_pipeline::telemetry::Metrics;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, TargetState};
use crate::config::WorkerConfig;
use crate::connector::{Desired, Report, Runner};
use crate::context::{Board, Context};
use crate::error::Error;
use crate::guarded::Guarded;
use crate::handle::WorkerHandle;
use crate::offsets::create_offsets_topic;
use crate::request::{Reply, Request};
use crate::restart::RestartRequest;
use crate::seal::SealKey;
use crate::state_topic::StateTopic;
use crate::status::{
    Kind, STATUS_TOPIC, State, Status, connector_record, no_connector, no_task, no_topic,
};
use crate::view::{Entry, View};

/// Most requests that wait, and most reports.
const REQUESTS_MAX: usize = 64;
const REPORTS_MAX: usize = 256;

/// A worker, opened but not running yet.
pub struct Worker<B: Broker, P: Plugins> {
    context: Arc<Context<B, P>>,
    catalog: Catalog<B>,
    statuses: StateTopic<B>,
    view: View,
    requests: mpsc::Receiver<Request>,
    reports: mpsc::Receiver<(ConnectorName, u64, Report)>,
    report_sender: mpsc::Sender<(ConnectorName, u64, Report)>,
    handle: WorkerHandle<B, P>,
    runners: HashMap<ConnectorName, watch::Sender<Desired>>,
    running: JoinSet<ConnectorName>,
    last_epoch: u64,
}

impl<B: Broker, P: Plugins> Worker<B, P> {
    /// Becomes the writer of the internal topics and reads what is deployed; passwords in them are sealed with this key.
    ///
    /// # Errors
    /// When the broker cannot.
    pub async fn open(
        broker: B,
        plugins: P,
        config: WorkerConfig,
        seal: SealKey,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, Error> {
        create_offsets_topic(&broker).await?;
        let catalog = Catalog::open(broker.clone(), seal).await?;
        let statuses = StateTopic::open(broker.clone(), STATUS_TOPIC).await?;
        let context = Arc::new(Context {
            broker,
            plugins,
            config,
            clock,
            metrics,
            board: Board::default(),
        });
        let view = View::default();
        let (request_sender, requests) = mpsc::channel(REQUESTS_MAX);
        let (report_sender, reports) = mpsc::channel(REPORTS_MAX);
        let handle = WorkerHandle::new(Arc::clone(&context), view.clone(), request_sender);
        let mut worker = Self {
            context,
            catalog,
            statuses,
            view,
            requests,
            reports,
            report_sender,
            handle,
            runners: HashMap::new(),
            running: JoinSet::new(),
            last_epoch: 0,
        };
        worker.replay().await?;
        Ok(worker)
    }

    /// What callers ask the worker through.
    pub fn handle(&self) -> WorkerHandle<B, P> {
        self.handle.clone()
    }

    /// Runs what is deployed until the shutdown is asked for and every task is at rest.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let names: Vec<_> = self
            .view
            .read(|connectors| connectors.keys().cloned().collect());
        for name in names {
            self.wake(&name, &shutdown);
        }
        let mut reports = Vec::new();
        loop {
            if shutdown.is_cancelled() && self.running.is_empty() {
                break;
            }
            tokio::select! {
                Some(request) = self.requests.recv() => {
                    self.serve(request, &shutdown).await;
                }
                n = self.reports.recv_many(&mut reports, REPORTS_MAX) => {
                    tracing::trace!(n, "reports");
                    self.write_down(std::mem::take(&mut reports)).await;
                }
                Some(ended) = self.running.join_next() => {
                    let name = ended.expect("a connector's loop does not panic");
                    self.runners.remove(&name);
                    self.wake(&name, &shutdown);
                }
                () = shutdown.cancelled(), if self.running.is_empty() => {}
            }
        }
        self.requests.close();
        let last = drain(&mut self.reports);
        self.write_down(last).await;
    }

    fn worker_id(&self) -> &str {
        &self.context.config.worker_id
    }

    /// Tells a connector's loop what is wanted of it; begins one where there is none.
    fn wake(&mut self, name: &ConnectorName, shutdown: &CancellationToken) {
        let desired = self
            .view
            .read(|connectors| connectors.get(name).map(Entry::desired));
        match (self.runners.get(name), desired) {
            (Some(runner), Some(desired)) => {
                runner.send_replace(desired);
            }
            (Some(runner), None) => runner.send_modify(|desired| desired.config = None),
            (None, Some(desired)) if !shutdown.is_cancelled() => {
                let (sender, receiver) = watch::channel(desired);
                self.runners.insert(name.clone(), sender);
                let runner = Runner {
                    context: Arc::clone(&self.context),
                    name: name.clone(),
                    desired: receiver,
                    reports: self.report_sender.clone(),
                    shutdown: shutdown.clone(),
                };
                let name = name.clone();
                self.running.spawn(async move {
                    runner.run().await;
                    name
                });
            }
            (None, _) => {}
        }
    }

    async fn serve(&mut self, request: Request, shutdown: &CancellationToken) {
        match request {
            Request::Put {
                name,
                config,
                kind,
                only_new,
                reply,
            } => {
                let outcome = self.put(&name, config, kind, only_new).await;
                self.wake(&name, shutdown);
                answer(reply, outcome);
            }
            Request::Delete {
                name,
                cleanup,
                reply,
            } => {
                let outcome = if cleanup {
                    self.begin_cleanup(&name).await
                } else {
                    self.delete(&name).await
                };
                self.wake(&name, shutdown);
                answer(reply, outcome);
            }
            Request::Target {
                name,
                target,
                reply,
            } => {
                let outcome = self.set_target(&name, target).await;
                self.wake(&name, shutdown);
                answer(reply, outcome);
            }
            Request::Restart {
                name,
                request,
                reply,
            } => {
                let outcome = self.restart(&name, request).await;
                // Before the connector starts to restart, so that the answer says that it will.
                let outcome = outcome.and_then(|()| self.handle.status(&name));
                self.wake(&name, shutdown);
                answer(reply, outcome);
            }
            Request::RestartTask { id, reply } => {
                let outcome = self.restart_task(&id);
                self.wake(&id.connector, shutdown);
                answer(reply, outcome);
            }
            Request::ResetTopics { name, reply } => {
                let outcome = self.reset_topics(&name).await;
                self.wake(&name, shutdown);
                answer(reply, outcome);
            }
        }
    }

    fn exists(&self, name: &ConnectorName) -> Result<(), Error> {
        if self.view.read(|connectors| connectors.contains_key(name)) {
            Ok(())
        } else {
            Err(Error::UnknownConnector(name.clone()))
        }
    }

    async fn put(
        &mut self,
        name: &ConnectorName,
        config: Guarded,
        kind: Kind,
        only_new: bool,
    ) -> Result<bool, Error> {
        let is_new = self.exists(name).is_err();
        if only_new && !is_new {
            return Err(Error::Exists(name.clone()));
        }
        if is_new {
            self.last_epoch += 1;
            let entry = Entry::new(self.last_epoch, config, kind);
            // Before the config, so that whoever sees the connector sees its status.
            let record = connector_record(name, &entry.status, self.worker_id());
            self.statuses.put_all(vec![record]).await?;
            self.catalog.put_connector(name, &entry.config).await?;
            self.view
                .write(|connectors| connectors.insert(name.clone(), entry));
        } else {
            self.withdraw_cleanup(name).await?;
            self.catalog.put_connector(name, &config).await?;
            self.view.change(name, |entry| {
                if *entry.config != config {
                    entry.config = Arc::new(config);
                    entry.kind = kind;
                    entry.revision += 1;
                }
            });
        }
        Ok(is_new)
    }

    /// The connector's tasks end, what it leaves behind is taken away, and it is deleted.
    async fn begin_cleanup(&mut self, name: &ConnectorName) -> Result<(), Error> {
        self.exists(name)?;
        self.catalog.put_cleanup(name, true).await?;
        self.view.change(name, |entry| {
            entry.cleanup = true;
            entry.status = Status::new(State::Unassigned, None);
        });
        Ok(())
    }

    /// Whoever gives a connector a config wants to keep it.
    async fn withdraw_cleanup(&mut self, name: &ConnectorName) -> Result<(), Error> {
        if self.view.read(|connectors| connectors[name].cleanup) {
            self.catalog.put_cleanup(name, false).await?;
            self.view.change(name, |entry| entry.cleanup = false);
        }
        Ok(())
    }

    async fn delete(&mut self, name: &ConnectorName) -> Result<(), Error> {
        self.exists(name)?;
        Ok(self.forget(name).await?)
    }

    /// Removes a connector that exists, and lets its loop know.
    async fn forget(&mut self, name: &ConnectorName) -> BrokerResult<()> {
        let entry = self.view.read(|connectors| connectors[name].clone());
        self.catalog.delete(name, entry.n_tasks()).await?;
        self.view.write(|connectors| connectors.remove(name));
        if let Some(runner) = self.runners.get(name) {
            runner.send_modify(|desired| desired.config = None);
        }
        let mut changes = vec![no_connector(name)];
        let tasks = entry.task_status.keys().map(|task| TaskId {
            connector: name.clone(),
            task: *task,
        });
        changes.extend(tasks.map(|id| no_task(&id)));
        changes.extend(entry.topics.iter().map(|topic| no_topic(topic, name)));
        // The connector is gone whether or not its statuses can be removed.
        if let Err(error) = self.statuses.put_all(changes).await {
            tracing::warn!(%error, connector = %name, "removing the statuses failed");
        }
        Ok(())
    }

    async fn set_target(&mut self, name: &ConnectorName, target: TargetState) -> Result<(), Error> {
        self.exists(name)?;
        self.catalog.put_target(name, target).await?;
        self.view.change(name, |entry| entry.target = target);
        Ok(())
    }

    async fn restart(
        &mut self,
        name: &ConnectorName,
        request: RestartRequest,
    ) -> Result<(), Error> {
        self.exists(name)?;
        self.catalog.put_restart(name, request).await?;
        let plan = self.view.read(|connectors| {
            let entry = &connectors[name];
            let tasks = entry
                .task_status
                .iter()
                .map(|(task, status)| (*task, status.state));
            request.plan(entry.status.state, &tasks.collect())
        });
        let restarting = |status: &mut Status| {
            status.state = State::Restarting;
            status.trace = None;
        };
        self.view.change(name, |entry| {
            if plan.connector {
                entry.restarts += 1;
                restarting(&mut entry.status);
            }
            for task in &plan.tasks {
                *entry.task_restarts.entry(*task).or_default() += 1;
                if let Some(status) = entry.task_status.get_mut(task) {
                    restarting(status);
                }
            }
        });
        Ok(())
    }

    fn restart_task(&mut self, id: &TaskId) -> Result<(), Error> {
        self.exists(&id.connector)?;
        let known = self
            .view
            .read(|connectors| connectors[&id.connector].task_status.contains_key(&id.task));
        if !known {
            return Err(Error::UnknownTask(id.clone()));
        }
        self.view.change(&id.connector, |entry| {
            *entry.task_restarts.entry(id.task).or_default() += 1;
        });
        Ok(())
    }

    async fn reset_topics(&mut self, name: &ConnectorName) -> Result<(), Error> {
        self.exists(name)?;
        let topics = self.view.read(|connectors| connectors[name].topics.clone());
        let changes: Vec<_> = topics.iter().map(|topic| no_topic(topic, name)).collect();
        if !changes.is_empty() {
            self.statuses.put_all(changes).await?;
        }
        self.view.change(name, |entry| {
            entry.topics.clear();
            entry.topic_resets += 1;
        });
        Ok(())
    }
}

/// The caller may have gone away; what it asked for is done all the same.
fn answer<T>(reply: Reply<T>, outcome: Result<T, Error>) {
    reply.send(outcome).ok();
}

fn drain<T>(receiver: &mut mpsc::Receiver<T>) -> Vec<T> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}
