//! A real worker in a directory of its own, on free ports, ended by its process id.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::disk::Disk;
use crate::rest::Rest;
use crate::{program, watch};

const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(30);
const LOG: &str = "worker.log";

/// How a worker is started.
#[derive(Clone, Debug)]
pub struct Setup {
    folder: PathBuf,
    settings: Vec<String>,
    config: Option<PathBuf>,
    file_size_max: Option<u64>,
    environment: Vec<(&'static str, PathBuf)>,
}

/// A running worker. Dropping it kills it.
#[derive(Debug)]
pub struct WorkerProcess {
    child: Child,
    log: PathBuf,
    /// Its REST address.
    pub rest_url: String,
    /// Its Kafka address.
    pub kafka: String,
}

impl Setup {
    /// A worker whose working directory is this folder, with its data in it.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: Vec::new(),
            config: None,
            file_size_max: None,
            environment: Vec::new(),
        }
        .set("listeners=http://127.0.0.1:0")
        .set("kafka.listeners=127.0.0.1:0")
        .set("data.dir=data")
    }

    /// With one more setting.
    #[must_use]
    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// With a configuration file.
    #[must_use]
    pub fn config(mut self, file: &Path) -> Self {
        self.config = Some(file.to_owned());
        self
    }

    /// On a disk that is full once a file has this many KiB.
    #[must_use]
    pub fn file_size_max(mut self, kib: u64) -> Self {
        self.file_size_max = Some(kib);
        self
    }

    /// On a disk that stalls and fails as it is told.
    #[must_use]
    pub fn disk(mut self, disk: &Disk) -> Self {
        self.environment.extend(disk.environment());
        self
    }

    /// The command, for tests of workers that do not start.
    ///
    /// # Errors
    /// When the binary was not built.
    pub fn command(&self) -> Result<Command> {
        let program = program::longshore()?;
        let mut command = if let Some(kib) = self.file_size_max {
            let mut shell = Command::new("bash");
            // Without the signal, a write over the limit fails as on a full disk.
            shell
                .arg("-c")
                .arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\""))
                .arg("bash")
                .arg(program);
            shell
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder).args(["worker", "--json"]);
        if let Some(file) = &self.config {
            command.arg("--config").arg(file);
        }
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        let environment = self.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        command.env_remove("LONGSHORE_REST").stdin(Stdio::null());
        Ok(command)
    }

    /// Starts it and waits until everything answers.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub fn start(&self) -> Result<WorkerProcess> {
        let log = self.folder.join(LOG);
        let stderr = File::options().create(true).append(true).open(&log)?;
        let mut child = self
            .command()?
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .context("start the worker")?;
        let ready = read_ready(&mut child);
        let ready = match ready {
            Ok(ready) => ready,
            Err(error) => {
                child.kill().ok();
                child.wait().ok();
                let log = fs::read_to_string(&log).unwrap_or_default();
                return Err(error.context(format!("the worker did not start:\n{log}")));
            }
        };
        let text = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
        Ok(WorkerProcess {
            child,
            log,
            rest_url: text("rest"),
            kafka: text("kafka"),
        })
    }
}

/// The first line on stdout.
fn read_ready(child: &mut Child) -> Result<Value> {
    let mut stdout = child.stdout.take().context("stdout is piped")?;
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        if !watch::readable(&stdout, READY_WITHIN)? {
            bail!("not ready within {READY_WITHIN:?}");
        }
        let mut byte = [0];
        if stdout.read(&mut byte)? == 0 {
            bail!("it ended: {}", child.wait()?);
        }
        line.extend_from_slice(&byte);
    }
    // It prints nothing else there, so that the pipe may go.
    let ready: Value = serde_json::from_slice(&line)?;
    if ready["event"] != "ready" {
        bail!("the first line is not the ready line: {ready}");
    }
    Ok(ready)
}

impl WorkerProcess {
    /// A client of its REST API.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn rest(&self) -> Result<Rest> {
        Rest::new(&self.rest_url)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The memory that it had at its peak.
    ///
    /// # Errors
    /// When it does not run.
    pub fn peak_mb(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let mut lines = status.lines();
        let peak = lines.find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        let kib: u64 = peak.context("it has ended")?.trim().parse()?;
        Ok(kib / 1024)
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it had ended by itself before.
    pub fn kill(mut self) -> Result<()> {
        self.end()
    }

    pub(crate) fn end(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "the worker had ended by itself: {status}\n{}",
                self.read_log()
            );
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM; it must drain and end with 0.
    ///
    /// # Errors
    /// When it does not, or had something to say that an operator should see.
    pub fn stop(self) -> Result<()> {
        self.stop_expecting(&[])
    }

    /// The same, where lines with these words are part of the test.
    ///
    /// # Errors
    /// When it does not end with 0 in time, or another line is a warning or an error.
    pub fn stop_expecting(mut self, words: &[&str]) -> Result<()> {
        let pid = i32::try_from(self.child.id())?;
        let pid = Pid::from_raw(pid).context("a process id is above 0")?;
        kill_process(pid, Signal::TERM)?;
        let status = self.wait()?;
        if !status.success() {
            bail!(
                "the worker ended with {status} after SIGTERM\n{}",
                self.read_log()
            );
        }
        let log = self.read_log();
        let loud = |line: &&str| line.contains(" WARN ") || line.contains("ERROR ");
        let strange = log
            .lines()
            .filter(loud)
            .find(|line| !words.iter().any(|word| line.contains(word)));
        if let Some(line) = strange {
            bail!("an unexpected line in the worker's log: {line}\n{log}");
        }
        Ok(())
    }

    /// Everything that it and its predecessors in this folder have logged.
    #[must_use]
    pub fn read_log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        let pid = i32::try_from(self.child.id())?;
        let pid = Pid::from_raw(pid).context("a process id is above 0")?;
        let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
        if !watch::readable(&fd, ENDS_WITHIN)? {
            bail!(
                "the worker did not end within {ENDS_WITHIN:?} of SIGTERM\n{}",
                self.read_log()
            );
        }
        Ok(self.child.wait()?)
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
