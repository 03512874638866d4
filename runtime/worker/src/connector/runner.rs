//! Keeps one connector as it is wanted. Level-triggered: it compares what is wanted with what is,
//! so that it does not matter how many changes it slept through.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_model::{ConnectorName, Fault, TopicName};
use longshore_pipeline::flow::Target;
use longshore_pipeline::port::{Broker, BrokerResult, Generation, Plugins};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::Plan;
use super::cleanup::clean_up;
use super::tasks::{Happening, Tasks};
use crate::context::Context;
use crate::guarded::Guarded;
use crate::status::{Kind, State, Status, trace};
use crate::task::Event;

/// What is wanted of a connector.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// Which life of the connector's name.
    pub(crate) epoch: u64,
    /// Grows with each config.
    pub(crate) revision: u64,
    /// The config; `None` when the connector is deleted.
    pub(crate) config: Option<Arc<Guarded>>,
    pub(crate) target: Target,
    /// How often a restart was asked for, of the connector and of its tasks.
    pub(crate) restarts: u64,
    pub(crate) task_restarts: BTreeMap<u32, u64>,
    /// How often the record of its topics was reset.
    pub(crate) topic_resets: u64,
    /// How many tasks were stored when the worker started.
    pub(crate) n_stored: u32,
    /// Whether the connector is to be deleted once what it leaves behind is taken away.
    pub(crate) cleanup: bool,
}

/// What a connector tells the worker.
#[derive(Debug)]
pub(crate) enum Report {
    /// The connector's own state.
    Connector { status: Status, kind: Kind },
    /// Its tasks, which start once this is durable.
    Planned {
        tasks: Vec<Guarded>,
        done: oneshot::Sender<BrokerResult<()>>,
    },
    /// A task's state.
    Task {
        task: u32,
        generation: Option<Generation>,
        status: Status,
    },
    /// What it leaves behind is taken away: it is to be deleted.
    CleanedUp {
        done: oneshot::Sender<BrokerResult<()>>,
    },
    /// Topics in use, and the task that used each first.
    Topics(Vec<(TopicName, u32)>),
}

/// Where reports go, with what they are about.
#[derive(Clone, Debug)]
pub(crate) struct ReportSender {
    pub(crate) connector: ConnectorName,
    pub(crate) epoch: u64,
    pub(crate) reports: mpsc::Sender<(ConnectorName, u64, Report)>,
}

impl ReportSender {
    /// The worker outlives its connectors; when it does not, nobody needs to know.
    pub(crate) async fn send(&self, report: Report) {
        let about = (self.connector.clone(), self.epoch, report);
        self.reports.send(about).await.ok();
    }
}

/// What is.
struct Deployment<B: Broker, P: Plugins> {
    epoch: u64,
    revision: u64,
    target: Target,
    restarts: u64,
    task_restarts: BTreeMap<u32, u64>,
    topic_resets: u64,
    /// Set when the tasks are to end, whatever is wanted.
    stale: bool,
    draining: bool,
    /// `None` when there is no plan.
    tasks: Option<Tasks<B, P>>,
    reports: ReportSender,
}

/// The loop of one connector.
pub(crate) struct Runner<B: Broker, P: Plugins> {
    pub(crate) context: Arc<Context<B, P>>,
    pub(crate) name: ConnectorName,
    pub(crate) desired: watch::Receiver<Desired>,
    pub(crate) reports: mpsc::Sender<(ConnectorName, u64, Report)>,
    pub(crate) shutdown: CancellationToken,
}

impl<B: Broker, P: Plugins> Runner<B, P> {
    /// Runs until the connector is deleted or the worker shuts down, and its tasks are at rest.
    pub(crate) async fn run(mut self) {
        let mut deployment: Option<Deployment<B, P>> = None;
        let mut n_before = self.desired.borrow().n_stored;
        let mut topics_changed = self.context.broker.topics_changed();
        loop {
            let want = self.desired.borrow_and_update().clone();
            let gone = want.config.is_none() || self.shutdown.is_cancelled();
            match &mut deployment {
                None if gone => return,
                None if want.cleanup => {
                    self.clean_up(&want, n_before).await;
                    continue;
                }
                None => {
                    deployment = Some(self.deploy(&want, n_before).await);
                    continue;
                }
                Some(current) if gone || current.is_over(&want) => {
                    if current.drain().await {
                        n_before = current.retire(gone || want.cleanup).await.max(n_before);
                        deployment = None;
                        continue;
                    }
                }
                Some(current) => {
                    if current.follow(&want, &self.context).await {
                        continue;
                    }
                }
            }
            let current = deployment.as_mut().expect("nothing is awaited without one");
            tokio::select! {
                // The worker's loop waits for us; it does not go first.
                _ = self.desired.changed() => {}
                () = self.shutdown.cancelled(), if !current.draining => {}
                Some(happening) = current.next() => current.take(happening).await,
                Ok(()) = topics_changed.changed() => current.reassign().await,
            }
        }
    }

    /// Takes away what the connector of once `n_tasks` leaves behind, until something else is wanted.
    async fn clean_up(&mut self, want: &Desired, n_tasks: u32) {
        let reports = self.report_sender(want);
        let config = want.config.as_ref();
        let config = config.expect("a deleted connector is not cleaned up");
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => {}
            // The worker's loop waits for us; it does not go first.
            _ = self.desired.changed() => {}
            () = clean_up(&self.context, config, n_tasks, &reports) => {}
        }
    }

    fn report_sender(&self, want: &Desired) -> ReportSender {
        ReportSender {
            connector: self.name.clone(),
            epoch: want.epoch,
            reports: self.reports.clone(),
        }
    }

    async fn deploy(&self, want: &Desired, n_before: u32) -> Deployment<B, P> {
        let reports = self.report_sender(want);
        let mut deployment = Deployment {
            epoch: want.epoch,
            revision: want.revision,
            target: want.target,
            restarts: want.restarts,
            task_restarts: want.task_restarts.clone(),
            topic_resets: want.topic_resets,
            stale: false,
            draining: false,
            tasks: None,
            reports: reports.clone(),
        };
        let plan = tokio::select! {
            plan = self.plan(want) => plan,
            () = self.shutdown.cancelled() => return deployment,
        };
        let plan = match plan {
            Ok(plan) => Arc::new(plan),
            Err(fault) => {
                reports.send(failed(&fault)).await;
                return deployment;
            }
        };
        let (done, durable) = oneshot::channel();
        let config = want.config.as_ref();
        let config = config.expect("a deleted connector is not planned");
        let tasks = plan.task_settings().into_iter();
        let tasks = tasks.map(|settings| config.task(settings)).collect();
        reports.send(Report::Planned { tasks, done }).await;
        match durable.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                reports.send(failed(&error.into())).await;
                return deployment;
            }
            // The worker did not take note: the connector has changed meanwhile.
            Err(_) => return deployment,
        }
        reports.send(at_work(&plan, want.target)).await;
        let context = Arc::clone(&self.context);
        let mut tasks = Tasks::new(context, plan, reports, want.target, n_before);
        tasks.all(&Event::Start).await;
        deployment.tasks = Some(tasks);
        deployment
    }

    async fn plan(&self, want: &Desired) -> Result<Plan, Fault> {
        let config = want
            .config
            .as_ref()
            .expect("a deleted connector is not planned");
        make_plan(&self.context, &self.name, config).await
    }
}

impl<B: Broker, P: Plugins> Deployment<B, P> {
    fn is_over(&self, want: &Desired) -> bool {
        self.stale || self.epoch != want.epoch || self.revision != want.revision || want.cleanup
    }

    /// Asks all tasks to end; whether they have.
    async fn drain(&mut self) -> bool {
        let Some(tasks) = &mut self.tasks else {
            return true;
        };
        if !std::mem::replace(&mut self.draining, true) {
            tasks.all(&Event::Stop).await;
        }
        tasks.is_idle()
    }

    /// How many tasks there were; when no plan follows, what they queued can appear no more.
    async fn retire(&mut self, for_good: bool) -> u32 {
        let Some(tasks) = self.tasks.take() else {
            return 0;
        };
        if for_good && let Err(error) = tasks.fence().await {
            tracing::warn!(%error, connector = %self.reports.connector, "ending the tasks' generations failed");
        }
        tasks.n_tasks()
    }

    /// Does what is wanted beyond the config; whether to look again at once.
    async fn follow(&mut self, want: &Desired, context: &Arc<Context<B, P>>) -> bool {
        if self.restarts != want.restarts {
            self.restarts = want.restarts;
            self.restart(want, context).await;
            if self.stale {
                return true;
            }
        }
        let Some(tasks) = &mut self.tasks else {
            return false;
        };
        if self.target != want.target {
            self.target = want.target;
            tasks.set_target(want.target).await;
            let report = at_work(tasks.plan(), want.target);
            self.reports.send(report).await;
        }
        if self.topic_resets != want.topic_resets {
            self.topic_resets = want.topic_resets;
            tasks.active().reset();
        }
        if self.task_restarts != want.task_restarts {
            let seen = std::mem::replace(&mut self.task_restarts, want.task_restarts.clone());
            let asked = want.task_restarts.iter();
            let asked =
                asked.filter(|(task, n)| **task < tasks.n_tasks() && seen.get(task) != Some(n));
            let events = asked.map(|(task, _)| (*task, Event::Restart)).collect();
            tasks.handle(events).await;
        }
        false
    }

    /// Restarts the connector itself: plans anew, and leaves tasks alone that stay as they are.
    async fn restart(&mut self, want: &Desired, context: &Arc<Context<B, P>>) {
        let Some(tasks) = &self.tasks else {
            self.stale = true;
            return;
        };
        let config = want
            .config
            .as_ref()
            .expect("a deleted connector is not followed");
        let report = match make_plan(context, &self.reports.connector, config).await {
            Ok(plan) if plan.has_tasks_of(tasks.plan()) => at_work(&plan, self.target),
            Ok(_) => {
                self.stale = true;
                return;
            }
            Err(fault) => failed(&fault),
        };
        self.reports.send(report).await;
    }

    async fn next(&mut self) -> Option<Happening> {
        Some(self.tasks.as_mut()?.next().await)
    }

    async fn take(&mut self, happening: Happening) {
        let Some(tasks) = &mut self.tasks else {
            return;
        };
        match happening {
            Happening::Task(task, event) => tasks.handle([(task, event)].into()).await,
            Happening::TopicUsed => {
                let topics = Report::Topics(tasks.active().seen());
                self.reports.send(topics).await;
            }
        }
    }

    async fn reassign(&mut self) {
        if let Some(tasks) = &mut self.tasks
            && let Err(error) = tasks.reassign(&[]).await
        {
            tracing::warn!(%error, connector = %self.reports.connector, "looking for topics failed");
        }
    }
}

async fn make_plan<B: Broker, P: Plugins>(
    context: &Context<B, P>,
    name: &ConnectorName,
    config: &Guarded,
) -> Result<Plan, Fault> {
    config.check_readable()?;
    let worker = &context.config.settings;
    let plan = Plan::make(&context.plugins, name, &config.settings, worker).await?;
    if let Some(selection) = &plan.selection
        && context.config.creates_topics
    {
        selection.create_missing(&context.broker).await?;
    }
    Ok(plan)
}

fn at_work(plan: &Plan, target: Target) -> Report {
    let state = match target {
        Target::Running => State::Running,
        Target::Paused => State::Paused,
    };
    Report::Connector {
        status: Status {
            state,
            trace: None,
            version: Some(plan.plugin.id.version.to_string()),
        },
        kind: plan.kind,
    }
}

pub(super) fn failed(fault: &Fault) -> Report {
    Report::Connector {
        status: Status::new(State::Failed, Some(trace(fault))),
        kind: Kind::Unknown,
    }
}
