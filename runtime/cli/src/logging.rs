//! Logs go to stderr; `LONGSHORE_LOG` filters them, in the syntax of tracing's directives.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

const VARIABLE: &str = "LONGSHORE_LOG";

/// Starts logging. Called once, by what runs a worker.
pub(crate) fn start() {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .with_env_var(VARIABLE)
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
