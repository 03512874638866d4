//! Sizes, opening words and leftovers of source files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process;

/// A longer file lacks a noun.
const FILE_LINES_MAX: usize = 500;

/// Paths of one machine. In pieces, so that this file does not name them.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wor", "k/"),
    concat!("/roo", "t/"),
    concat!("/hom", "e/"),
];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "manager", "types",
];

pub(super) fn check(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in files {
        let Ok(text) = fs::read_to_string(process::root().join(path)) else {
            continue; // Binary fixtures have no lines.
        };
        check_machine_paths(path, &text, &mut problems);
        if path.extension().is_some_and(|extension| extension == "rs") {
            check_rust(path, &text, &mut problems);
        }
    }
    Ok(problems)
}

fn check_machine_paths(path: &Path, text: &str, problems: &mut Vec<String>) {
    for (index, line) in text.lines().enumerate() {
        if MACHINE_PATHS.iter().any(|machine| line.contains(machine)) {
            problems.push(format!(
                "{}:{}: names a path of one machine",
                path.display(),
                index + 1
            ));
        }
    }
}

fn check_rust(path: &Path, text: &str, problems: &mut Vec<String>) {
    let shown = path.display();
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        problems.push(format!(
            "{shown}: {lines} lines, {FILE_LINES_MAX} are the limit"
        ));
    }
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        problems.push(format!(
            "{shown}: the name says nothing about what is inside"
        ));
    }
    let is_room = matches!(stem, "lib" | "mod");
    let is_test = path.components().any(|part| part.as_os_str() == "tests");
    if is_room && !is_test {
        if !text.starts_with("//!") && !text.starts_with("#![doc") {
            problems.push(format!("{shown}: does not open with what the room owns"));
        }
        // Macros have to stand in the crate's root; a connector's root is its registration.
        let is_free = path.starts_with("plugin-sdk/macros") || path.starts_with("connectors");
        if stem == "lib"
            && !is_free
            && let Some(line) = first_function(text)
        {
            problems.push(format!(
                "{shown}:{line}: a lib.rs holds docs and re-exports only"
            ));
        }
    }
}

/// The first line that begins a function with a body at the outermost level.
fn first_function(text: &str) -> Option<usize> {
    let begins = |line: &str| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.starts_with("fn ")
    };
    text.lines().position(begins).map(|index| index + 1)
}
