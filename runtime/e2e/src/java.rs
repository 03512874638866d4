//! Java programs of other projects, from artifacts that Maven resolves by name and that stay in cargo's target directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{program, watch};

const READY_WITHIN: Duration = Duration::from_secs(120);

/// What has to be installed, as program and package.
pub const NEEDED: &[(&str, &str)] = &[("java", "default-jre-headless"), ("mvn", "maven")];

/// The folder with everything that a `pom.xml` of `runtime/e2e/kafka` names, under this name in the target directory.
///
/// # Errors
/// When Maven fails, with what it said.
pub fn libraries(pom: &str, name: &str) -> Result<PathBuf> {
    let folder = program::target_dir()?.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    // Under another name first, so that a download that broke off is not taken for the whole.
    let unfinished = folder.with_extension(format!("{}", std::process::id()));
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "dependency:copy-dependencies", "-f"]);
    mvn.arg(program::root().join("runtime/e2e/kafka").join(pom));
    mvn.arg(format!("-DoutputDirectory={}", unfinished.display()));
    let output = mvn.output().context("start mvn")?;
    if !output.status.success() {
        bail!("mvn: {}", String::from_utf8_lossy(&output.stdout));
    }
    fs::rename(&unfinished, &folder)?;
    Ok(folder)
}

/// A main class of these libraries. Without the encoding a JVM under the locale `C` would not know letters beyond ASCII.
#[must_use]
pub fn command(libraries: &Path, heap: &str, main_class: &str) -> Command {
    let mut command = Command::new("java");
    command.arg(format!("-Xmx{heap}"));
    command.args(["-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8", "-cp"]);
    command.arg(libraries.join("*")).arg(main_class);
    command
}

/// A server that runs in the background. Dropping it kills it.
#[derive(Debug)]
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts it with its log in this folder, and waits for all that it says when it is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time, with its log.
    pub fn start(mut command: Command, folder: &Path, name: &str, ready: &[&str]) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?);
        let child = command.stderr(file).spawn().context("start java")?;
        let mut service = Self { child, log };
        let log = service.log.clone();
        watch::until(folder, READY_WITHIN, name, || {
            if let Some(status) = service.child.try_wait()? {
                bail!("{name} ended: {status}");
            }
            let said = fs::read_to_string(&log)?;
            Ok(ready.iter().all(|line| said.contains(line)))
        })
        .with_context(|| service.read_log())?;
        Ok(service)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has logged.
    #[must_use]
    pub fn read_log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
