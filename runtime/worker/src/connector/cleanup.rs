//! What a connector leaves behind in the outside system, and taking it away before the connector is
//! deleted.
//!
//! The order survives a crash between any two steps: what is outside goes first, then the stored
//! positions, which say what was made outside, and last the config, which asks for the cleanup. A cleanup
//! that is repeated without positions finds nothing left to take away.

use std::time::Duration;

use longshore_model::{ConnectorName, Fault, FaultClass, SourcePosition};
use longshore_pipeline::port::{Broker, Config, Leftover, Owner, PluginId, Plugins};
use tokio::sync::oneshot;

use super::plan::{find_configured, plugin_config};
use super::runner::{Report, ReportSender, failed};
use crate::catalog::task_ids;
use crate::context::Context;
use crate::guarded::Guarded;
use crate::offsets::{forget_positions, positions};
use crate::status::{Kind, State, Status, trace};

/// Pauses between attempts; each is twice the one before.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What a plugin is asked with.
struct Question {
    plugin: PluginId,
    config: Config,
    positions: Vec<SourcePosition>,
}

/// What a deletion would leave behind now.
pub(crate) async fn leftovers<B: Broker, P: Plugins>(
    context: &Context<B, P>,
    name: &ConnectorName,
    config: &Guarded,
) -> Result<Vec<Leftover>, Fault> {
    let asked = question(context, name, config).await?;
    let left = context
        .plugins
        .leftovers(&asked.plugin, &asked.config, &asked.positions);
    Ok(left.await?.unwrap_or_default())
}

/// Takes away what the connector leaves behind, whose tasks have ended, and has it deleted. Returns
/// only by being dropped: when it has failed for good, the next change of what is wanted decides.
pub(super) async fn clean_up<B: Broker, P: Plugins>(
    context: &Context<B, P>,
    config: &Guarded,
    n_tasks: u32,
    reports: &ReportSender,
) {
    reports.send(waiting(None)).await;
    let mut pause = PAUSE_FIRST;
    loop {
        match attempt(context, config, n_tasks, reports).await {
            Ok(()) => break,
            Err(fault) if fault.class == FaultClass::Retriable => {
                reports.send(waiting(Some(trace(&fault)))).await;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Err(fault) => {
                reports.send(failed(&fault)).await;
                break;
            }
        }
    }
    std::future::pending::<()>().await;
}

async fn attempt<B: Broker, P: Plugins>(
    context: &Context<B, P>,
    config: &Guarded,
    n_tasks: u32,
    reports: &ReportSender,
) -> Result<(), Fault> {
    let (connector, broker) = (&reports.connector, &context.broker);
    // Nothing that a task queued appears behind what is read and removed here (invariant 2).
    let owners = task_ids(connector, n_tasks.max(1)).map(|id| Owner::task(&id));
    let owners: Vec<_> = owners.collect();
    let generation = broker.raise(&owners).await?;
    let asked = question(context, connector, config).await?;
    let cleaned = context
        .plugins
        .cleanup(&asked.plugin, &asked.config, &asked.positions);
    cleaned.await?;
    forget_positions(broker, connector, owners[0].clone(), generation).await?;
    let (done, deleted) = oneshot::channel();
    reports.send(Report::CleanedUp { done }).await;
    match deleted.await {
        Ok(outcome) => Ok(outcome?),
        // The worker did not take note: the connector has changed meanwhile.
        Err(_) => Ok(()),
    }
}

async fn question<B: Broker, P: Plugins>(
    context: &Context<B, P>,
    name: &ConnectorName,
    config: &Guarded,
) -> Result<Question, Fault> {
    config.check_readable()?;
    let plugin = find_configured(&context.plugins, &config.settings).await?;
    Ok(Question {
        config: plugin_config(&plugin.manifest.config, &config.settings),
        plugin: plugin.id,
        positions: positions(&context.broker, name).await?,
    })
}

fn waiting(trace: Option<String>) -> Report {
    Report::Connector {
        status: Status::new(State::Unassigned, trace),
        kind: Kind::Unknown,
    }
}
