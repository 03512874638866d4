//! Proofs and benchmarks: programs of the e2e room, built as they are released.

use anyhow::Result;

use crate::cargo::Workspace;
use crate::{plugins, process, tools};

pub(crate) fn prove(arguments: &[String]) -> Result<()> {
    tools::install_for_tests(&Workspace::load()?.target_dir)?;
    run("prove", arguments)
}

pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    run("bench", arguments)
}

fn run(program: &str, arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    plugins::build_all()?;
    // One after the other: together, the worker would get the features of tokio that only the simulation needs.
    for package in ["longshore", "longshore-e2e"] {
        let mut build = workspace.cargo();
        process::run(build.args(["build", "--release", "--package", package]))?;
    }
    let mut command =
        std::process::Command::new(workspace.target_dir.join("release").join(program));
    process::run(command.current_dir(process::root()).args(arguments))
}
