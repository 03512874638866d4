//! What has to be installed, and who installs it.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{postgres, process};

/// A program that something here runs.
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
    /// What cannot run without it.
    pub(crate) purpose: &'static str,
}

/// Needed to build anything.
pub(crate) const BUILD: &[Tool] = &[
    Tool {
        program: "git",
        package: "git",
        purpose: "tidy",
    },
    Tool {
        program: "cc",
        package: "build-essential",
        purpose: "every build",
    },
    Tool {
        program: "curl",
        package: "curl",
        purpose: "the README's commands",
    },
];

/// Needed by tests against clients that others wrote.
pub(crate) const TEST: &[Tool] = &[
    Tool {
        program: "kcat",
        package: "kcat",
        purpose: "the tests with librdkafka",
    },
    Tool {
        program: "pgbouncer",
        package: "pgbouncer",
        purpose: "the test with a pooler",
    },
    Tool {
        program: "java",
        package: "default-jre-headless",
        purpose: "the tests with Kafka's own clients",
    },
    Tool {
        program: "mvn",
        package: "maven",
        purpose: "the tests with Kafka's own clients",
    },
];

/// Which of these are not there.
pub(crate) fn missing(tools: &'static [Tool]) -> Vec<&'static Tool> {
    tools
        .iter()
        .filter(|tool| process::find(tool.program).is_none())
        .collect()
}

/// The one line that installs them.
pub(crate) fn apt_line(tools: &[&Tool]) -> String {
    let packages: Vec<&str> = tools.iter().map(|tool| tool.package).collect();
    format!("sudo apt-get install -y {}", packages.join(" "))
}

/// Installs what the tests need where this may be done; else names it. With `CI` set a missing tool is an error, because
/// a test that is skipped there is a test that nobody runs.
pub(crate) fn install_for_tests(target_dir: &Path) -> Result<()> {
    // Tests of Postgres are never skipped.
    postgres::ensure(target_dir)?;
    let mut absent = missing(TEST);
    if absent.is_empty() {
        return Ok(());
    }
    if is_root() && process::find("apt-get").is_some() {
        let install = || {
            process::run(apt_get().arg("update"))?;
            let packages = absent.iter().map(|tool| tool.package);
            process::run(
                apt_get()
                    .args(["install", "-y", "--no-install-recommends"])
                    .args(packages),
            )
        };
        if let Err(error) = install() {
            println!("note: {error:#}");
        }
        absent = missing(TEST);
    }
    for tool in &absent {
        println!("note: no {}: skips {}", tool.program, tool.purpose);
    }
    if absent.is_empty() {
        return Ok(());
    }
    println!(
        "note: install what is missing with\n  {}",
        apt_line(&absent)
    );
    if std::env::var_os("CI").is_some() {
        bail!("a skipped test fails where CI is set");
    }
    Ok(())
}

/// apt-get as a script runs it.
pub(crate) fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
    command
}

/// Whether anything may be installed.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
