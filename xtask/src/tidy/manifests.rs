//! The shape of every Cargo.toml: versions and lints stand in the root only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process;

/// Lines that every member's manifest carries.
const EXPECTED: &[&str] = &[
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
    "publish.workspace = true",
    "[lints]\nworkspace = true",
];

pub(super) fn check(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let members = files
        .iter()
        .filter(|path| path.ends_with("Cargo.toml") && path.parent() != Some(Path::new("")))
        // What `longshore plugin new` writes stands outside of this workspace.
        .filter(|path| !path.starts_with("plugin-sdk/templates"));
    for path in members {
        let text = fs::read_to_string(process::root().join(path))?;
        for expected in EXPECTED {
            if !text.contains(expected) {
                problems.push(format!("{}: lacks `{expected}`", path.display()));
            }
        }
        check_dependencies(path, &text, &mut problems);
    }
    Ok(problems)
}

fn check_dependencies(path: &Path, text: &str, problems: &mut Vec<String>) {
    let mut in_dependencies = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies
            && !line.is_empty()
            && !line.starts_with('#')
            && !line.contains("workspace = true")
        {
            let place = format!("{}:{}", path.display(), index + 1);
            problems.push(format!(
                "{place}: the version belongs into the root's Cargo.toml"
            ));
        }
    }
}
