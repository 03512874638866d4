//! What a connector leaves behind in the outside system, and taking it away before the connector is
//! deleted.

use std::time::Duration;

use longshore_model::{ConnectorName, Fault, FaultClass, SourcePosition};
use longshore_pipeline::port::{Broker, Config, Leftover, PluginId, Plugins};
use tokio::sync::oneshot;

use super::plan::{find_configured, plugin_config};
use super::runner::{Report, ReportSender, failed};
use crate::context::Context;
use crate::guarded::Guarded;
use crate::offsets::positions;
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
    reports: &ReportSender,
) {
    reports.send(waiting(None)).await;
    let mut pause = PAUSE_FIRST;
    loop {
        match attempt(context, config, reports).await {
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
    reports: &ReportSender,
) -> Result<(), Fault> {
    let asked = question(context, &reports.connector, config).await?;
    let cleaned = context
        .plugins
        .cleanup(&asked.plugin, &asked.config, &asked.positions);
    cleaned.await?;
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
