//! The repository's own rules, as code: what no compiler checks.

mod layers;
mod links;
mod manifests;
mod sources;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// Checks every rule and reports all that is wrong at once.
pub(crate) fn run() -> Result<()> {
    let files = tracked_files()?;
    let mut problems = layers::check()?;
    problems.extend(manifests::check(&files)?);
    problems.extend(sources::check(&files)?);
    problems.extend(links::check(&files)?);
    if problems.is_empty() {
        println!("tidy: {} files, nothing to say", files.len());
        return Ok(());
    }
    for problem in &problems {
        println!("tidy: {problem}");
    }
    bail!("{} things are not tidy", problems.len());
}

/// Paths that git knows or would add, relative to the root.
fn tracked_files() -> Result<Vec<PathBuf>> {
    let mut command = Command::new("git");
    command.current_dir(process::root());
    command.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]);
    let stdout = process::capture(&mut command)?;
    let names = stdout.split(|byte| *byte == 0);
    let files = names.filter(|name| !name.is_empty());
    Ok(files
        .map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned()))
        .filter(|path| process::root().join(path).is_file())
        .collect())
}
