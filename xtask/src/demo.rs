//! From a fresh clone to moving records: checks what is there, builds, and hands over to `longshore demo`.

use std::process::Command;

use anyhow::{Result, bail};
use longshore_rig::Server;

use crate::cargo::Workspace;
use crate::{plugins, postgres, process, tools};

/// What a cold build of the guests and the worker takes.
const DISK_BYTES_MIN: u64 = 6 << 30;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let workspace = Workspace::load()?;
    check(&workspace)?;
    let cold = !workspace.target_dir.join("debug/longshore").exists();
    if cold {
        println!(
            "A first build compiles about 340 crates: 8 minutes and a half on 2 cores, less on more."
        );
    }
    process::timed("guests", || plugins::build_connectors(&workspace))?;
    process::timed("worker", || {
        process::run(workspace.cargo().args([
            "build",
            "--package",
            "longshore",
            "--bin",
            "longshore",
        ]))
    })?;
    let mut demo = Command::new(workspace.target_dir.join("debug/longshore"));
    demo.arg("demo").args(arguments);
    if arguments.iter().any(|a| a.starts_with("--postgres")) {
        return process::run(&mut demo);
    }
    let programs = postgres::ensure(&workspace.target_dir)?;
    // It ends with this process.
    let server = process::timed("PostgreSQL", || Server::start(&programs, &[]))?;
    process::run(demo.args(["--postgres", &server.url("postgres")]))
}

/// Names everything that is missing at once. Ports need no check: the demo takes a free one where its own is taken.
fn check(workspace: &Workspace) -> Result<()> {
    let absent = tools::missing(tools::BUILD);
    if !absent.is_empty() {
        bail!(
            "some programs are missing; install them with\n  {}",
            tools::apt_line(&absent)
        );
    }
    install_target()?;
    if let Some(free) = free_bytes(workspace)
        && free < DISK_BYTES_MIN
    {
        let (free, needed) = (free >> 20, DISK_BYTES_MIN >> 20);
        bail!(
            "{free} MiB are free for {}, a build needs {needed}",
            workspace.target_dir.display()
        );
    }
    Ok(())
}

/// rustup installs what rust-toolchain.toml names when it first runs, but only where it may do so by itself.
fn install_target() -> Result<()> {
    if process::find("rustup").is_none() {
        return Ok(());
    }
    let listed = process::capture(Command::new("rustup").current_dir(process::root()).args([
        "target",
        "list",
        "--installed",
    ]))?;
    if String::from_utf8_lossy(&listed).contains("wasm32-wasip2") {
        return Ok(());
    }
    process::run(Command::new("rustup").current_dir(process::root()).args([
        "target",
        "add",
        "wasm32-wasip2",
    ]))
}

fn free_bytes(workspace: &Workspace) -> Option<u64> {
    std::fs::create_dir_all(&workspace.target_dir).ok()?;
    let mut df = Command::new("df");
    df.args(["--output=avail", "--block-size=1"])
        .arg(&workspace.target_dir);
    let stdout = process::capture(&mut df).ok()?;
    String::from_utf8_lossy(&stdout)
        .lines()
        .nth(1)?
        .trim()
        .parse()
        .ok()
}
