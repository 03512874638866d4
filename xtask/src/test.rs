//! Everything that CI runs, cheapest first.

use anyhow::{Result, bail};

use crate::cargo::Workspace;
use crate::suite::{self, Totals};
use crate::{plugins, process, tidy, tools};

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    process::timed("format", || {
        process::run(workspace.cargo().args(["fmt", "--all", "--check"]))
    })?;
    process::timed("tidy", tidy::run)?;
    process::timed("tools", || tools::install_for_tests(&workspace.target_dir))?;
    process::timed("guests", plugins::build_all)?;
    process::timed("clippy", || {
        process::run(workspace.cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    let suites = process::timed("build tests", || suite::build(&workspace))?;
    let (black_box, rest): (Vec<_>, Vec<_>) = suites
        .into_iter()
        .partition(|suite| suite.package == "longshore-e2e");
    let mut totals = Totals::default();
    process::timed("tests", || suite::run_all(&workspace, &rest, &mut totals))?;
    process::timed("doctests", || suite::run_doctests(&workspace, &mut totals))?;
    process::timed("documentation", || {
        let mut doc = workspace.cargo();
        doc.env("RUSTDOCFLAGS", "-D warnings");
        process::run(doc.args([
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ]))
    })?;
    process::timed("end to end", || {
        suite::run_all(&workspace, &black_box, &mut totals)
    })?;
    println!("\n{totals}");
    if totals.failed > 0 {
        bail!("{} tests failed", totals.failed);
    }
    if totals.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}
