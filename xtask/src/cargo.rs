//! Cargo as xtask calls it: always in the root, always with the same target directory and the same environment, so that
//! no step builds again what another has built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// Where the guests that go into the binary lie; `cli/build.rs` reads it.
pub(crate) const BUILTINS: &str = "LONGSHORE_BUILTINS";

/// The workspace as `cargo metadata` describes it.
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Value>,
    pub(crate) target_dir: PathBuf,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let stdout =
            process::capture(bare().args(["metadata", "--format-version", "1", "--no-deps"]))?;
        let metadata: Value = serde_json::from_slice(&stdout).context("read cargo metadata")?;
        let packages = metadata["packages"]
            .as_array()
            .context("cargo metadata lists no packages")?
            .clone();
        let target_dir = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target directory")?;
        Ok(Self {
            packages,
            target_dir: PathBuf::from(target_dir),
        })
    }

    /// The folder that `plugins` writes the connectors to.
    pub(crate) fn plugins_dir(&self) -> PathBuf {
        self.target_dir.join("plugins")
    }

    /// Cargo with the built-in connectors named, for every command that may compile the binary.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = bare();
        command.env(BUILTINS, self.plugins_dir());
        command
    }

    /// Packages with a target of this kind whose manifest lies under a folder of the clone.
    pub(crate) fn packages_with(&self, kind: &str, folder: &Path) -> Vec<&str> {
        self.packages
            .iter()
            .filter(|package| {
                let manifest = package["manifest_path"].as_str().unwrap_or_default();
                let mut targets = package["targets"].as_array().into_iter().flatten();
                Path::new(manifest).starts_with(folder)
                    && targets.any(|target| has_kind(target, kind))
            })
            .filter_map(|package| package["name"].as_str())
            .collect()
    }

    /// The examples of a package.
    pub(crate) fn examples_of(&self, package: &str) -> Vec<&str> {
        self.packages
            .iter()
            .filter(|found| found["name"] == package)
            .filter_map(|found| found["targets"].as_array())
            .flatten()
            .filter(|target| has_kind(target, "example"))
            .filter_map(|target| target["name"].as_str())
            .collect()
    }
}

/// Cargo in the root, without the variables of the cargo that runs us.
fn bare() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(process::root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

fn has_kind(target: &Value, kind: &str) -> bool {
    let mut kinds = target["kind"].as_array().into_iter().flatten();
    kinds.any(|candidate| candidate.as_str() == Some(kind))
}
