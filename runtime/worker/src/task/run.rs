//! A task as one future: make the instances, run the flow, end by the deadline.

use std::sync::Arc;
use std::time::Duration;

use longshore_model::{Fault, FaultClass, SourcePosition};
use longshore_pipeline::delivery::TaskLog;
use longshore_pipeline::flow::{Control, SinkParts, SourceParts, run_sink, run_source};
use longshore_pipeline::port::{Assignment, Broker, Clock, Plugins, TaskEnv};
use longshore_pipeline::telemetry::TaskMetrics;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::connector::Plan;
use crate::tracker::Tracked;

/// Where a task begins.
pub(crate) enum Start {
    /// A source goes on from its positions.
    Source(Arc<[SourcePosition]>),
    /// A sink reads what it is assigned.
    Sink(watch::Receiver<Vec<Assignment>>),
}

/// Everything that a task's future is made of.
pub(crate) struct Launch<B: Broker, P: Plugins> {
    pub(crate) plugins: P,
    pub(crate) plan: Arc<Plan>,
    pub(crate) env: TaskEnv,
    pub(crate) log: TaskLog<Tracked<B>>,
    pub(crate) start: Start,
    pub(crate) metrics: TaskMetrics,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) control: Control,
    pub(crate) stop_timeout: Duration,
}

impl<B: Broker, P: Plugins> Launch<B, P> {
    /// Runs the task to its end; says `attempt` when its instances are open. Whatever is still under
    /// way at the deadline of a stop is dropped.
    pub(crate) async fn run(
        self,
        attempt: (u32, u64),
        opened: mpsc::Sender<(u32, u64)>,
    ) -> Result<(), Fault> {
        let stop = self.control.stop.clone();
        let timeout = self.stop_timeout;
        tokio::select! {
            outcome = self.flow(attempt, opened) => outcome,
            () = overdue(&stop, timeout) => {
                tracing::warn!(timeout_ms = timeout.as_millis(), "the task did not stop in time and is dropped");
                Err(Fault::new(
                    FaultClass::Stopping,
                    "stop-timeout",
                    "the task did not stop in time and was dropped",
                ))
            }
        }
    }

    async fn flow(
        self,
        attempt: (u32, u64),
        opened: mpsc::Sender<(u32, u64)>,
    ) -> Result<(), Fault> {
        let stop = self.control.stop.clone();
        match &self.start {
            Start::Source(stored) => {
                let open = async {
                    let transforms = self.transforms().await?;
                    let id = &self.plan.plugin.id;
                    let plugin = self
                        .plugins
                        .open_source(id, self.env.clone(), stored.to_vec())
                        .await?;
                    Ok((transforms, plugin))
                };
                let Some((transforms, plugin)) = unless_stopped(&stop, open).await? else {
                    return Ok(());
                };
                let parts = SourceParts {
                    plugin,
                    transforms,
                    stored: stored.to_vec(),
                    log: self.log,
                    settings: self.plan.flow.clone(),
                    schemas: self.env.schemas,
                    metrics: self.metrics,
                    clock: self.clock,
                };
                tell(&opened, attempt).await;
                run_source(parts, self.control).await
            }
            Start::Sink(assigned) => {
                let open = async {
                    let transforms = self.transforms().await?;
                    let id = &self.plan.plugin.id;
                    let plugin = self.plugins.make_sink(id, self.env.clone()).await?;
                    Ok((transforms, plugin))
                };
                let Some((transforms, plugin)) = unless_stopped(&stop, open).await? else {
                    return Ok(());
                };
                let parts = SinkParts {
                    plugin,
                    transforms,
                    group: self.plan.group(),
                    assigned: assigned.clone(),
                    log: self.log,
                    settings: self.plan.flow.clone(),
                    schemas: self.env.schemas,
                    metrics: self.metrics,
                    clock: self.clock,
                };
                tell(&opened, attempt).await;
                run_sink(parts, self.control).await
            }
        }
    }

    async fn transforms(&self) -> Result<Vec<P::Transform>, Fault> {
        let mut transforms = Vec::with_capacity(self.plan.steps.len());
        for step in &self.plan.steps {
            let env = self.env.clone();
            let opened = self.plugins.open_transform(&step.plugin, env, &step.config);
            transforms.push(opened.await?);
        }
        Ok(transforms)
    }
}

/// The outcome, or `None` when the task was asked to stop before there was one.
async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<Option<T>, Fault> {
    tokio::select! {
        biased;
        outcome = work => outcome.map(Some),
        () = stop.cancelled() => Ok(None),
    }
}

async fn overdue(stop: &CancellationToken, timeout: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(timeout).await;
}

/// The connector may be gone already; then nobody needs to know.
async fn tell(opened: &mpsc::Sender<(u32, u64)>, attempt: (u32, u64)) {
    opened.send(attempt).await.ok();
}
