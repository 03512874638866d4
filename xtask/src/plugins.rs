//! Builds the guests: the connectors into `target/plugins`, the zoo and the testkit's guests into `target/zoo`.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo::Workspace;
use crate::process;

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "guest";
const TESTKIT_GUESTS: &str = "longshore-testkit-guests";

/// Builds every guest of the workspace.
pub(crate) fn build_all() -> Result<()> {
    let workspace = Workspace::load()?;
    build_connectors(&workspace)?;
    build_zoo(&workspace)
}

/// Builds what goes into the binary.
pub(crate) fn build_connectors(workspace: &Workspace) -> Result<()> {
    let folder = process::root().join("connectors");
    let packages = workspace.packages_with("cdylib", &folder);
    build_into(workspace, &packages, &workspace.plugins_dir())
}

/// The guests of the zoo and of the testkit are examples, which are cdylibs and nothing else, so one `cargo build`
/// makes them all; the host's tests look for the zoo's where it does. The testkit's are copied, to be a plugin path.
fn build_zoo(workspace: &Workspace) -> Result<()> {
    let mut guests = workspace.cargo();
    guests.args(["build", "--examples", "--package", "longshore-zoo"]);
    guests.args(["--package", TESTKIT_GUESTS]);
    guests.args(["--target", TARGET, "--profile", PROFILE]);
    process::run(&mut guests)?;
    let folder = workspace.target_dir.join("zoo");
    process::fresh_dir(&folder)?;
    let built = workspace
        .target_dir
        .join(TARGET)
        .join(PROFILE)
        .join("examples");
    for guest in workspace.examples_of(TESTKIT_GUESTS) {
        let file = format!("{guest}.wasm");
        fs::copy(built.join(&file), folder.join(&file)).with_context(|| format!("copy {file}"))?;
    }
    Ok(())
}

/// Builds packages one by one, so that each is its own `cargo rustc --crate-type cdylib`: cargo leaves link-time
/// optimisation out where a crate is cdylib and rlib at once.
fn build_into(workspace: &Workspace, packages: &[&str], folder: &Path) -> Result<()> {
    let is_current = |name: &str| packages.iter().any(|p| format!("{p}.wasm") == name);
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !is_current(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    for package in packages {
        process::run(&mut rustc(workspace, package))?;
        let file = format!("{}.wasm", package.replace('-', "_"));
        let built = workspace.target_dir.join(TARGET).join(PROFILE).join(&file);
        if built.extension() != Some(OsStr::new("wasm")) || !built.is_file() {
            bail!("{} was not built", built.display());
        }
        renew(&built, &folder.join(format!("{package}.wasm")))?;
    }
    println!("{} guests in {}", packages.len(), folder.display());
    Ok(())
}

/// Copies a guest where it has changed: the worker is built again for each new file.
fn renew(built: &Path, copy: &Path) -> Result<()> {
    let bytes = fs::read(built).with_context(|| format!("read {}", built.display()))?;
    if fs::read(copy).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::write(copy, bytes).with_context(|| format!("write {}", copy.display()))
}

fn rustc(workspace: &Workspace, package: &str) -> Command {
    let mut command = workspace.cargo();
    command.args([
        "rustc",
        "--package",
        package,
        "--lib",
        "--crate-type",
        "cdylib",
    ]);
    command.args(["--target", TARGET, "--profile", PROFILE]);
    command
}
