//! The longshore binary: a worker, a demo, and commands that speak to a worker over REST.
//!
//! Owns: the command line, configuration, and the one place that names concrete types together (`compose`).
//! Must not know: how any of the rooms does its work.
//! Invariant: client commands go through the public REST API, and everything is said with one of four exit codes.

mod args;
mod builtin;
mod client;
mod command;
mod compose;
mod config;
#[cfg(test)]
mod document;
mod error;
mod events;
mod exit;
mod logging;
mod output;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Arguments, ClientArgs, Command};
use crate::client::Client;

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Worker(args) => command::worker::run(args).await,
        Command::Demo(args) => output::finish(Box::pin(command::demo::run(&args)).await, args.json),
        Command::Health(args) => {
            answer(&args, async |client| command::health::run(client).await).await
        }
        Command::Connector { command, client } => {
            answer(&client, async |client| {
                command::connector::run(client, command).await
            })
            .await
        }
        Command::Topic { command, client } => {
            let as_json = client.json;
            answer(&client, async |client| {
                command::topic::run(client, command, as_json).await
            })
            .await
        }
    }
}

async fn answer(
    args: &ClientArgs,
    ask: impl AsyncFnOnce(&Client) -> error::Result<output::Answer>,
) -> ExitCode {
    let outcome = match Client::new(&args.rest) {
        Ok(client) => ask(&client).await,
        Err(failure) => Err(failure),
    };
    output::finish(outcome, args.json)
}
