//! The tasks of one connector: each one's state, its future, and what its state asks for.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use longshore_model::{Fault, FaultClass, TaskId, TopicPartition};
use longshore_pipeline::delivery::TaskLog;
use longshore_pipeline::flow::{Control, Target};
use longshore_pipeline::port::{
    Assignment, Broker, BrokerResult, Generation, Owner, Plugins, TaskEnv,
};
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::telemetry::PluginMetrics;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::runner::{Report, ReportSender};
use super::{Plan, TopicSelection};
use crate::assignment::assign;
use crate::catalog::task_ids;
use crate::context::{Context, Live};
use crate::offsets::positions;
use crate::status::{Kind, Status};
use crate::task::{Effect, Event, Launch, Start, TaskState};
use crate::tracker::{ActiveTopics, Tracked};

/// One task as its connector sees it.
struct Slot {
    id: TaskId,
    state: TaskState,
    attempt: u64,
    started: Instant,
    stop: CancellationToken,
    /// When a pause before a restart is over.
    wakes: Option<Instant>,
    assigned: watch::Sender<Vec<Assignment>>,
    generation: Option<Generation>,
}

/// A task's number, and which of its runs.
type Attempt = (u32, u64);

/// What happens to a connector's tasks.
pub(super) enum Happening {
    /// To one of them.
    Task(u32, Event),
    /// A topic was used for the first time.
    TopicUsed,
}

/// The tasks of one plan.
pub(super) struct Tasks<B: Broker, P: Plugins> {
    context: Arc<Context<B, P>>,
    plan: Arc<Plan>,
    reports: ReportSender,
    slots: Vec<Slot>,
    running: JoinSet<Result<(), Fault>>,
    ids: HashMap<Id, u32>,
    opened_sender: mpsc::Sender<Attempt>,
    opened: mpsc::Receiver<Attempt>,
    target: watch::Sender<Target>,
    active: ActiveTopics,
    used: watch::Receiver<u64>,
    /// Tasks of earlier plans, as far as their numbers go beyond those of this one.
    n_fenced: u32,
}

impl<B: Broker, P: Plugins> Tasks<B, P> {
    pub(super) fn new(
        context: Arc<Context<B, P>>,
        plan: Arc<Plan>,
        reports: ReportSender,
        target: Target,
        n_fenced: u32,
    ) -> Self {
        let n_tasks = u32::try_from(plan.tasks.len()).expect("a plan has few tasks");
        let slots = task_ids(&plan.connector, n_tasks).map(|id| Slot {
            id,
            state: TaskState::new(target == Target::Paused),
            attempt: 0,
            started: Instant::now(),
            stop: CancellationToken::new(),
            wakes: None,
            assigned: watch::Sender::new(Vec::new()),
            generation: None,
        });
        let dead_letters = plan.flow.failure.dead_letters.as_ref();
        let (opened_sender, opened) = mpsc::channel(64);
        let active = ActiveTopics::new(dead_letters.map(|policy| policy.topic.clone()));
        Self {
            slots: slots.collect(),
            running: JoinSet::new(),
            ids: HashMap::new(),
            opened_sender,
            opened,
            target: watch::Sender::new(target),
            used: active.changed(),
            active,
            context,
            plan,
            reports,
            n_fenced,
        }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn active(&self) -> &ActiveTopics {
        &self.active
    }

    pub(super) fn n_tasks(&self) -> u32 {
        u32::try_from(self.slots.len()).expect("a plan has few tasks")
    }

    /// Whether nothing runs or is about to.
    pub(super) fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.state.is_idle())
    }

    /// Pauses or resumes all tasks.
    pub(super) async fn set_target(&mut self, target: Target) {
        let changes = |now: &mut Target| std::mem::replace(now, target) != target;
        if self.target.send_if_modified(changes) {
            self.all(&Event::Paused(target == Target::Paused)).await;
        }
    }

    /// Says the same to all tasks.
    pub(super) async fn all(&mut self, event: &Event) {
        let events = (0..self.n_tasks()).map(|task| (task, event.clone()));
        self.handle(events.collect()).await;
    }

    /// Waits for the next thing that happens. Cancel-safe.
    pub(super) async fn next(&mut self) -> Happening {
        loop {
            let pause = self.slots.iter().filter_map(|slot| slot.wakes).min();
            tokio::select! {
                Some(joined) = self.running.join_next_with_id() => {
                    return self.ended(joined);
                }
                Some((task, attempt)) = self.opened.recv() => {
                    if self.slot(task).attempt == attempt {
                        return Happening::Task(task, Event::Opened);
                    }
                }
                Ok(()) = self.used.changed() => return Happening::TopicUsed,
                () = sleep_until(pause) => {
                    let due = self.slots.iter_mut().find(|slot| slot.wakes == pause);
                    let slot = due.expect("the pause is a task's");
                    slot.wakes = None;
                    return Happening::Task(slot.id.task, Event::PauseOver);
                }
            }
        }
    }

    /// Steps tasks and does what they ask for, until nothing is asked for any more.
    pub(super) async fn handle(&mut self, mut events: VecDeque<(u32, Event)>) {
        while !events.is_empty() {
            let mut spawns = Vec::new();
            while let Some((task, event)) = events.pop_front() {
                let policy = self.context.config.restart;
                for effect in self.slot(task).state.step(event, &policy) {
                    self.apply(task, effect, &mut spawns).await;
                }
            }
            if let Err(fault) = self.spawn(&spawns).await {
                let failed = |task: &u32| (*task, Event::Ended(Err(fault.clone()), Duration::ZERO));
                events.extend(spawns.iter().map(failed));
            }
        }
    }

    /// Brings the sink's tasks up to date with the topics that there are. A task that runs keeps
    /// what it has as it is; one that is about to start gets the group's offsets of now.
    pub(super) async fn reassign(&mut self, starting: &[u32]) -> BrokerResult<()> {
        let Some(selection) = &self.plan.selection else {
            return Ok(());
        };
        let available = available(&self.context.broker, selection, &self.plan.group()).await?;
        let current: Vec<_> = self
            .slots
            .iter()
            .map(|slot| slot.assigned.borrow().clone())
            .collect();
        let had = |slot: &Vec<Assignment>| slot.iter().map(|a| a.partition.clone()).collect();
        let had: Vec<Vec<TopicPartition>> = current.iter().map(had).collect();
        let there: BTreeSet<_> = available.keys().cloned().collect();
        let next = assign(&had, &there, self.slots.len());
        for ((slot, current), next) in self.slots.iter().zip(current).zip(next) {
            let starts = starting.contains(&slot.id.task);
            let assignment = |partition: TopicPartition| {
                let new = &available[&partition];
                let same = |a: &&Assignment| a.partition == partition && a.topic_id == new.topic_id;
                let kept = current.iter().find(same).filter(|_| !starts);
                kept.unwrap_or(new).clone()
            };
            let next: Vec<_> = next.into_iter().map(assignment).collect();
            slot.assigned.send_if_modified(|now| {
                let changed = *now != next;
                *now = next;
                changed
            });
        }
        Ok(())
    }

    /// Ends every generation of the tasks, so that nothing they queued can still appear.
    pub(super) async fn fence(&self) -> BrokerResult<()> {
        let n = self.n_tasks().max(self.n_fenced);
        let owners: Vec<_> = self.owners(0..n);
        if !owners.is_empty() {
            self.context.broker.raise(&owners).await?;
        }
        Ok(())
    }

    fn slot(&mut self, task: u32) -> &mut Slot {
        let index = usize::try_from(task).expect("a task's number fits");
        &mut self.slots[index]
    }

    fn owners(&self, tasks: impl Iterator<Item = u32>) -> Vec<Owner> {
        let connector = &self.plan.connector;
        tasks
            .map(|task| {
                Owner::task(&TaskId {
                    connector: connector.clone(),
                    task,
                })
            })
            .collect()
    }

    async fn apply(&mut self, task: u32, effect: Effect, spawns: &mut Vec<u32>) {
        match effect {
            Effect::Spawn => spawns.push(task),
            Effect::Cancel => self.slot(task).stop.cancel(),
            Effect::Wait(pause) => self.slot(task).wakes = Some(Instant::now() + pause),
            Effect::Report(state, trace) => {
                let report = Report::Task {
                    task,
                    generation: self.slot(task).generation,
                    status: Status {
                        state,
                        trace,
                        version: Some(self.plan.plugin.id.version.to_string()),
                    },
                };
                self.reports.send(report).await;
            }
        }
    }

    fn ended(&mut self, joined: Result<(Id, Result<(), Fault>), JoinError>) -> Happening {
        let (id, outcome) = match joined {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), Err(panicked(error))),
        };
        let task = self.ids.remove(&id).expect("every running task is noted");
        let slot = self.slot(task);
        let ran_for = slot.started.elapsed();
        let id = slot.id.clone();
        self.context.board.remove(&id);
        Happening::Task(task, Event::Ended(outcome, ran_for))
    }

    /// Starts tasks under one new generation. When all start, it is raised for every task that an
    /// earlier plan had, too; it is raised before positions are read (invariant 2).
    async fn spawn(&mut self, tasks: &[u32]) -> Result<(), Fault> {
        if tasks.is_empty() {
            return Ok(());
        }
        let broker = self.context.broker.clone();
        let earlier = self.n_tasks()..std::mem::take(&mut self.n_fenced);
        let owners = self.owners(tasks.iter().copied().chain(earlier));
        let generation = broker.raise(&owners).await?;
        let start = match self.plan.selection {
            Some(_) => {
                self.reassign(tasks).await?;
                None
            }
            None => Some(Arc::from(positions(&broker, &self.plan.connector).await?)),
        };
        for task in tasks {
            self.spawn_one(*task, generation, start.clone());
        }
        Ok(())
    }

    fn spawn_one(
        &mut self,
        task: u32,
        generation: Generation,
        stored: Option<Arc<[longshore_model::SourcePosition]>>,
    ) {
        let (context, plan) = (Arc::clone(&self.context), Arc::clone(&self.plan));
        let broker = Tracked::new(context.broker.clone(), self.active.clone(), task);
        let target = self.target.subscribe();
        let opened = self.opened_sender.clone();
        let slot = self.slot(task);
        slot.attempt += 1;
        slot.started = Instant::now();
        slot.stop = CancellationToken::new();
        slot.generation = Some(generation);
        let (id, attempt) = (slot.id.clone(), slot.attempt);
        let progress = watch::Sender::new(None);
        let metrics = Arc::new(PluginMetrics::default());
        context.board.put(
            id.clone(),
            Live {
                progress: progress.subscribe(),
                metrics: Arc::clone(&metrics),
            },
        );
        let launch = Launch {
            plugins: context.plugins.clone(),
            env: TaskEnv {
                task: id.clone(),
                generation,
                config: plan.tasks[usize::try_from(task).expect("a task's number fits")].clone(),
                schemas: Arc::new(SchemaTable::default()),
                progress,
                metrics,
            },
            log: TaskLog::new(broker, id.clone(), generation),
            start: match stored {
                Some(stored) => Start::Source(stored),
                None => Start::Sink(slot.assigned.subscribe()),
            },
            metrics: match plan.kind {
                Kind::Sink => context.metrics.sink_task(&id),
                _ => context.metrics.source_task(&id),
            },
            clock: Arc::clone(&context.clock),
            control: Control {
                target,
                stop: slot.stop.clone(),
            },
            stop_timeout: context.config.stop_timeout,
            plan,
        };
        let span = tracing::info_span!("task", connector = %id.connector, task);
        let future = launch.run((task, attempt), opened).instrument(span);
        let handle = self.running.spawn(future);
        self.ids.insert(handle.id(), task);
    }
}

impl<B: Broker, P: Plugins> Drop for Tasks<B, P> {
    fn drop(&mut self) {
        for slot in &self.slots {
            self.context.metrics.remove(&slot.id);
            self.context.board.remove(&slot.id);
        }
    }
}

/// Every partition that the sink could read, and where its group stands.
async fn available<B: Broker>(
    broker: &B,
    selection: &TopicSelection,
    group: &str,
) -> BrokerResult<HashMap<TopicPartition, Assignment>> {
    let mut partitions = Vec::new();
    let mut ids = Vec::new();
    for topic in selection.find(broker).await? {
        for partition in 0..topic.partitions {
            let topic_name = topic.name.clone();
            partitions.push(TopicPartition {
                topic: topic_name,
                partition,
            });
            ids.push(topic.id.clone());
        }
    }
    let committed = broker.committed(group, &partitions).await?;
    let assignments = partitions.into_iter().zip(ids).zip(committed);
    Ok(assignments
        .map(|((partition, topic_id), committed)| {
            let assignment = Assignment {
                partition: partition.clone(),
                topic_id,
                committed,
            };
            (partition, assignment)
        })
        .collect())
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn panicked(error: JoinError) -> Fault {
    let message = match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            format!("the task panicked: {}", text.unwrap_or_default())
        }
        Err(_) => "the task was aborted".to_owned(),
    };
    Fault::new(FaultClass::Fatal, "panic", message)
}
