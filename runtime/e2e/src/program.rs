//! Where the programs under test lie, and how those of this room begin.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

/// Runs a program of this room with its arguments, and says what ended it.
#[expect(clippy::print_stderr, reason = "it speaks to the person who runs it")]
#[must_use]
pub fn main(run: fn(&[String]) -> Result<()>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The binary: beside the test program's own folder, where cargo puts both.
///
/// # Errors
/// When it was not built.
pub fn longshore() -> Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let program = folder.join("longshore");
    if !program.is_file() {
        bail!(
            "{} was not built; `cargo xtask test` builds it",
            program.display()
        );
    }
    Ok(program)
}

/// Cargo's target directory, for what tests keep between runs.
///
/// # Errors
/// When this program does not lie in one.
pub fn target_dir() -> Result<PathBuf> {
    let mut folder = longshore()?;
    folder.pop();
    folder.pop();
    Ok(folder)
}

/// The root of the clone.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program of another project on the search path. Without it the test is skipped by name, and fails where `CI` is set.
///
/// # Errors
/// Where `CI` is set.
#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests is told what was skipped"
)]
pub fn installed(name: &str, package: &str) -> Result<Option<PathBuf>> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian puts what serves, and not everybody looks.
    let beside = PathBuf::from("/usr/sbin");
    let found = std::env::split_paths(&path)
        .chain([beside])
        .map(|folder| folder.join(name))
        .find(|p| p.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed (sudo apt-get install -y {package})");
        if std::env::var_os("CI").is_some() {
            bail!("{name} is missing, and a skipped test fails where CI is set");
        }
    }
    Ok(found)
}
