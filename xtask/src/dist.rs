//! One file to hand out: `dist/longshore`.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::Workspace;
use crate::{plugins, process};

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    plugins::build_connectors(&workspace)?;
    process::run(
        workspace
            .cargo()
            .envs(commit().map(|commit| ("LONGSHORE_COMMIT", commit)))
            .args(["build", "--release", "--package", "longshore"]),
    )?;
    let folder = process::root().join("dist");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let file = folder.join("longshore");
    let built = workspace.target_dir.join("release/longshore");
    let bytes = fs::copy(&built, &file).with_context(|| format!("copy {}", built.display()))?;
    println!("dist/longshore: {:.1} MB", bytes as f64 / 1e6);
    Ok(())
}

/// What `GET /` calls its commit; a copy of the sources without their history has none.
fn commit() -> Option<String> {
    let mut git = Command::new("git");
    let asked = git.current_dir(process::root()).args(["rev-parse", "HEAD"]);
    let stdout = process::capture(asked).ok()?;
    Some(String::from_utf8(stdout).ok()?.trim().to_owned())
}
