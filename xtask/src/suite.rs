//! Test programs: built once by cargo, run by us, counted.
//!
//! Cargo would run the end-to-end tests in the middle of the others; run one by one, they come last and every program's
//! count is seen, so that a program without a test is an error.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::cargo::Workspace;
use crate::process;

/// A test program.
pub(crate) struct Suite {
    pub(crate) package: String,
    /// The target's name, with its kind: `it (test)`.
    target: String,
    is_integration: bool,
    program: PathBuf,
    folder: PathBuf,
}

/// Tests so far.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    ignored: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} skipped", self.ignored)?;
        }
        Ok(())
    }
}

/// Compiles all tests of the workspace, and with them the binary that the end-to-end tests run.
pub(crate) fn build(workspace: &Workspace) -> Result<Vec<Suite>> {
    let mut command = workspace.cargo();
    command.args([
        "test",
        "--workspace",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ]);
    let stdout = process::capture(&mut command)?;
    let mut suites = Vec::new();
    for line in stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let message: Value = serde_json::from_slice(line).context("read cargo's messages")?;
        suites.extend(parse_artifact(&message));
    }
    if suites.is_empty() {
        bail!("cargo built no test");
    }
    suites.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
    Ok(suites)
}

fn parse_artifact(message: &Value) -> Option<Suite> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    let kind = message["target"]["kind"][0].as_str()?;
    let text = std::fs::read_to_string(&manifest).ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(Suite {
        package: name.trim_matches('"').to_owned(),
        target: format!("{} ({kind})", message["target"]["name"].as_str()?),
        is_integration: kind == "test",
        program: PathBuf::from(message["executable"].as_str()?),
        folder: manifest.parent()?.to_owned(),
    })
}

/// What property tests start from, so that a run says something of the code and not of luck; another `PROPTEST_RNG_SEED`
/// hunts for cases that nobody has seen.
const PROPERTY_SEED: &str = "1";

/// Runs programs one after another, all of them whatever fails.
pub(crate) fn run_all(workspace: &Workspace, suites: &[Suite], totals: &mut Totals) -> Result<()> {
    for suite in suites {
        println!("\n-- {} {}", suite.package, suite.target);
        let mut command = Command::new(&suite.program);
        command
            .current_dir(&suite.folder)
            .env("CARGO_MANIFEST_DIR", &suite.folder);
        command.env("LONGSHORE_TARGET_DIR", &workspace.target_dir);
        if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
            command.env("PROPTEST_RNG_SEED", PROPERTY_SEED);
        }
        let ran = count(&mut command, totals)?;
        if ran == 0 && suite.is_integration {
            bail!("{} {} ran no test", suite.package, suite.target);
        }
    }
    Ok(())
}

/// Runs the examples in documentation.
pub(crate) fn run_doctests(workspace: &Workspace, totals: &mut Totals) -> Result<()> {
    let mut command = workspace.cargo();
    count(
        command.args(["test", "--workspace", "--doc", "--no-fail-fast"]),
        totals,
    )?;
    Ok(())
}

/// Runs a test program, shows what it says, and adds up its closing lines. A program that ends badly without having
/// said so counts as one failure.
fn count(command: &mut Command, totals: &mut Totals) -> Result<u64> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", command.get_program().display()))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let (mut ran, mut failed) = (0, 0);
    for line in BufReader::new(stdout).lines() {
        let line = line.context("read a test's output")?;
        println!("{line}");
        if let Some(result) = line.strip_prefix("test result: ") {
            let number = |word| number_before(result, word);
            totals.passed += number("passed");
            totals.ignored += number("ignored");
            failed += number("failed");
            ran += number("passed") + number("failed") + number("ignored");
        }
    }
    let status = child.wait().context("wait for a test")?;
    if !status.success() && failed == 0 {
        println!("{}: {status}", command.get_program().display());
        failed = 1;
    }
    totals.failed += failed;
    Ok(ran)
}

/// In `ok. 3 passed; 0 failed; ...` the number before a word.
fn number_before(line: &str, word: &str) -> u64 {
    let mut words = line.split([' ', ';']).filter(|word| !word.is_empty());
    let mut last = "0";
    words
        .find_map(|candidate| {
            let number = (candidate == word).then_some(last);
            last = candidate;
            number
        })
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
