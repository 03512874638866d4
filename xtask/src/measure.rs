//! Proofs and benchmarks: programs of the e2e room, built as they are released.

use anyhow::Result;

use crate::cargo::Workspace;
use crate::{plugins, process};

pub(crate) fn prove(arguments: &[String]) -> Result<()> {
    run("prove", arguments)
}

pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    run("bench", arguments)
}

fn run(program: &str, arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    plugins::build_all()?;
    process::run(workspace.cargo().args([
        "build",
        "--release",
        "--package",
        "longshore",
        "--package",
        "longshore-e2e",
    ]))?;
    let mut command =
        std::process::Command::new(workspace.target_dir.join("release").join(program));
    process::run(command.current_dir(process::root()).args(arguments))
}
