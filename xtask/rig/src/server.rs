//! One server in a directory of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::programs::{Programs, capture};

/// The superuser.
pub const USER: &str = "postgres";
/// Its password.
pub const PASSWORD: &str = "throw-away";

/// Removes everything once nobody holds the other end of its stdin.
const KEEPER: &str = r#"read -r _; "$1" -D "$2/data" -m immediate -s stop; rm -rf "$2""#;

/// What every server of ours has.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    ("wal_level", "logical"),
    ("max_replication_slots", "100"),
    ("max_wal_senders", "100"),
    ("max_connections", "300"),
    ("fsync", "off"),
];

/// How a server is made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It tells its clients, waits for what its walsenders still have to send, and closes its files.
    Fast,
    /// It drops everything and recovers at its next start.
    Immediate,
    /// `kill -9`.
    Kill,
}

/// A server. It ends with the value, and with the process that has it.
#[derive(Debug)]
pub struct Server {
    programs: Programs,
    folder: PathBuf,
    keeper: Child,
    settings: Mutex<Vec<(String, String)>>,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Makes and starts a server. The settings beat ours; with `fsync` off, which is ours, it is quick and not crash-safe
    /// against power loss, as tests and demos like it.
    ///
    /// # Errors
    /// When a program fails, with what it said.
    pub fn start(programs: &Programs, settings: &[(&str, &str)]) -> Result<Self> {
        let template = std::env::temp_dir().join("longshore-postgres.XXXXXX");
        let mut mktemp = programs.owned(Path::new("mktemp"));
        let folder = capture(mktemp.arg("-d").arg(template))?;
        let folder = PathBuf::from(folder.trim_end());
        let mut keeper = programs.owned(Path::new("sh"));
        keeper.args(["-c", KEEPER, "sh"]);
        keeper.arg(programs.path("pg_ctl"));
        let keeper = keeper
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of Ctrl-C, which is for its owner.
            .process_group(0)
            .spawn()
            .context("start the keeper of a server")?;
        let server = Self {
            programs: programs.clone(),
            folder,
            keeper,
            settings: Mutex::default(),
            port: free_port()?,
        };
        for (key, value) in SETTINGS.iter().chain(settings) {
            server.set(key, value);
        }
        let password = server.folder.join("password");
        fs::write(&password, PASSWORD).context("write the password")?;
        let mut initdb = programs.command("initdb");
        initdb.args(["--encoding=UTF8", "--no-locale", "--no-sync"]);
        initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        initdb.arg(format!("--username={USER}"));
        initdb.arg("--pwfile").arg(&password);
        capture(initdb.arg("--pgdata").arg(server.data_dir()))?;
        server.start_again()?;
        Ok(server)
    }

    /// Changes a setting for the next start.
    pub fn set(&self, key: &str, value: &str) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.retain(|(set, _)| set != key);
        settings.push((key.to_owned(), value.to_owned()));
    }

    /// Starts it after a stop, on the same port.
    ///
    /// # Errors
    /// When it does not start, with its log.
    pub fn start_again(&self) -> Result<()> {
        let place = format!("-p {} -k {}", self.port, self.folder.display());
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = settings.iter();
        let settings: String = settings
            .map(|(key, value)| format!(" -c {key}='{value}'"))
            .collect();
        let mut start = self.pg_ctl();
        start.args(["-w", "-s", "-o", &(place + &settings), "-l"]);
        capture(start.arg(self.log_file()).arg("start"))
            .map(drop)
            .with_context(|| self.read_log())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&self, how: Stop) -> Result<()> {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
            Stop::Kill => return self.kill(),
        };
        capture(self.pg_ctl().args(["-w", "-s", "-m", mode, "stop"])).map(drop)
    }

    /// Its children go when they see that it has gone, and until then a new server would not start over them.
    fn kill(&self) -> Result<()> {
        let id = self.id()?;
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let pid = |id: i32| Pid::from_raw(id).context("a process id is above 0");
        let mut processes = vec![open(pid(id)?)?];
        for child in children.split_ascii_whitespace() {
            // One may have gone meanwhile.
            processes.extend(open(pid(child.parse()?)?).ok());
        }
        kill_process(pid(id)?, Signal::KILL).context("kill the server")?;
        for process in processes {
            poll(&mut [PollFd::new(&process, PollFlags::IN)], None)?;
        }
        // Whoever reaps it may be slow, and as long these would stand for a server that runs.
        let socket = format!(".s.PGSQL.{}.lock", self.port);
        for lock in [
            self.data_dir().join("postmaster.pid"),
            self.folder.join(socket),
        ] {
            fs::remove_file(lock).context("remove a lock of the server")?;
        }
        Ok(())
    }

    /// The address of a database, with the superuser's name and password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Where its socket is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `psql` as the superuser, over the socket.
    #[must_use]
    pub fn psql(&self, database: &str) -> Command {
        let mut psql = self.programs.command("psql");
        psql.args(["--no-psqlrc", "--username", USER, "--dbname", database]);
        psql.arg("--host").arg(&self.folder);
        psql.arg("--port").arg(self.port.to_string());
        psql
    }

    /// Another program of the server's version, such as `pg_recvlogical`, told where the server is.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.programs.command(program);
        command.env("PGHOST", &self.folder).env("PGUSER", USER);
        command.env("PGPORT", self.port.to_string());
        command
    }

    /// Everything that it has logged.
    #[must_use]
    pub fn read_log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The process id of the postmaster.
    ///
    /// # Errors
    /// When it does not run.
    pub fn id(&self) -> Result<i32> {
        let text = fs::read_to_string(self.data_dir().join("postmaster.pid"))?;
        let first = text.lines().next().unwrap_or_default();
        first.parse().context("its first line is a process id")
    }

    fn pg_ctl(&self) -> Command {
        let mut command = self.programs.command("pg_ctl");
        command.arg("-D").arg(self.data_dir());
        command
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

fn open(pid: Pid) -> Result<OwnedFd> {
    pidfd_open(pid, PidfdFlags::empty()).context("watch a process")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?.port())
}
