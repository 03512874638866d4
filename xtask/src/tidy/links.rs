//! Every relative link of a document leads somewhere, and so does every path that ARCHITECTURE.md names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process;

pub(super) fn check(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in files {
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(process::root().join(path))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        for (line, target) in link_targets(&text) {
            if !process::root().join(folder).join(target).exists() {
                problems.push(format!("{}:{line}: {target} leads nowhere", path.display()));
            }
        }
        if path == Path::new("ARCHITECTURE.md") {
            for (line, target) in quoted_paths(&text) {
                if !process::root().join(target).exists() {
                    problems.push(format!("{}:{line}: there is no {target}", path.display()));
                }
            }
        }
    }
    Ok(problems)
}

/// Targets of `[text](target)` that are files, with their lines.
fn link_targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for piece in line.split("](").skip(1) {
            let Some((target, _)) = piece.split_once(')') else {
                continue;
            };
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                targets.push((index + 1, target));
            }
        }
    }
    targets
}

/// Words in backquotes that read as paths: they hold a slash and begin with a folder of the root.
fn quoted_paths(text: &str) -> Vec<(usize, &str)> {
    const FOLDERS: &[&str] = &[
        "schemas/",
        "plugin-sdk/",
        "runtime/",
        "connectors/",
        "docs/",
        "xtask/",
    ];
    let mut paths = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            let is_path = FOLDERS.iter().any(|folder| word.starts_with(folder));
            if is_path && !word.contains(['*', '{', ' ', 'N']) {
                paths.push((index + 1, word));
            }
        }
    }
    paths
}
