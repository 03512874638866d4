//! `longshore worker`: configuration, then everything that compose puts together, until a signal.

use std::process::ExitCode;

use serde_json::json;
use tracing::{info, warn};

use crate::args::WorkerArgs;
use crate::compose::Running;
use crate::config::{Layers, Settings, environment, file, set_options};
use crate::error::Result;
use crate::signals::Signals;
use crate::{logging, output};

pub(crate) async fn run(args: WorkerArgs) -> ExitCode {
    match serve(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output::fail(&failure, args.json),
    }
}

async fn serve(args: &WorkerArgs) -> Result<()> {
    let (layers, strangers) = read_layers(args)?;
    let settings = Settings::read(&layers)?;
    logging::start();
    tell(&settings, &strangers);
    let mut signals = Signals::watch()?;
    let mut running = Running::start(&settings).await?;
    say_ready(&running, args.json);
    let failure = tokio::select! {
        () = signals.end() => None,
        failure = running.failed() => Some(failure),
    };
    info!("stopping");
    running.stop().await;
    failure.map_or(Ok(()), Err)
}

fn read_layers(args: &WorkerArgs) -> Result<(Layers, Vec<String>)> {
    let mut layers = Vec::new();
    if let Some(path) = &args.config {
        layers.push(file(path)?);
    }
    // A variable whose name or value is no Unicode is none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let (variables, strangers) = environment(variables);
    layers.push(variables);
    layers.push(set_options(&args.set)?);
    Ok((Layers::merge(layers)?, strangers))
}

fn tell(settings: &Settings, strangers: &[String]) {
    for warning in &settings.warnings {
        warn!("{warning}");
    }
    if !settings.replaced.is_empty() {
        info!(
            keys = settings.replaced.join(", "),
            "the embedded log takes the place of the Kafka cluster that these keys name"
        );
    }
    if !strangers.is_empty() {
        warn!(
            names = strangers.join(", "),
            "these environment variables name no key of the worker"
        );
    }
}

fn say_ready(running: &Running, as_json: bool) {
    let (rest, kafka) = (running.rest_url(), running.kafka_addresses());
    let said = if as_json {
        output::event(json!({ "event": "ready", "rest": rest, "kafka": kafka }))
    } else {
        output::event(format!("ready: REST on {rest}, Kafka on {kafka}"))
    };
    // What the worker is for does not depend on anybody reading that.
    if let Err(failure) = said {
        warn!(%failure, rest, kafka, "ready, which could not be printed");
    }
}
