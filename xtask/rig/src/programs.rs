//! Where the server's programs are, and as whom they run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Debian's packages and `dpkg -x` lay out versions below it alike.
const VERSIONS: &str = "usr/lib/postgresql";
/// Debian's packages make this user, and the server refuses to run as root.
const OWNER: &str = "postgres";

/// The programs of one version.
#[derive(Clone, Debug)]
pub struct Programs {
    bin: PathBuf,
    /// Where the libraries of an unpacked version are.
    libraries: Option<OsString>,
    as_owner: bool,
    environment: Vec<(&'static str, OsString)>,
}

impl Programs {
    /// Where `cargo xtask` unpacks packages that nobody may install.
    #[must_use]
    pub fn unpacked_dir(target_dir: &Path) -> PathBuf {
        target_dir.join("postgresql")
    }

    /// The newest version that is installed, else the one that was unpacked.
    #[must_use]
    pub fn find(target_dir: &Path) -> Option<Self> {
        let as_owner = rustix::process::geteuid().is_root();
        if let Some(bin) = newest(Path::new("/")) {
            return Some(Self {
                bin,
                libraries: None,
                as_owner,
                environment: Vec::new(),
            });
        }
        let root = Self::unpacked_dir(target_dir);
        let bin = newest(&root)?;
        let folders = fs::read_dir(root.join("usr/lib")).ok()?.flatten();
        // The multiarch folder, such as x86_64-linux-gnu, whatever the machine.
        let libraries = folders
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().contains("-linux-"));
        Some(Self {
            bin,
            libraries: std::env::join_paths(libraries).ok(),
            as_owner,
            environment: Vec::new(),
        })
    }

    /// The same with one more variable.
    #[must_use]
    pub fn environment(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// One of the programs, as a user that the server accepts, in English.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        self.owned(&self.path(program))
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// Any program as that user.
    pub(crate) fn owned(&self, program: &Path) -> Command {
        let mut command = if self.as_owner {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={OWNER}"));
            command.arg(format!("--regid={OWNER}"));
            command.arg("--clear-groups").arg(program);
            command
        } else {
            Command::new(program)
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let environment = self.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        command.env("LC_ALL", "C").current_dir("/");
        command
    }
}

fn newest(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root.join(VERSIONS)).ok()?.flatten();
    let newest = versions
        .filter(|entry| entry.path().join("bin/postgres").is_file())
        .max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())?;
    Some(newest.path().join("bin"))
}

/// Runs a command to its end and returns what it said; anything but success is an error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("start {name}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?}: {}\n{said}{errors}", output.status);
    }
    Ok(said)
}
