//! A PostgreSQL server of a test's own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use longshore_cap_postgres::PostgresClient;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::client;

/// The superuser's password.
pub(crate) const PASSWORD: &str = "sesame and more";

/// A running server; it stops when it is dropped.
pub(crate) struct Server {
    folder: TempDir,
    programs: PathBuf,
    settings: Vec<String>,
    port: u16,
    process: Option<Child>,
}

/// What a server shows whoever encrypts.
pub(crate) struct Shown<'a> {
    pub(crate) certificate: &'a str,
    pub(crate) key: &'a str,
}

impl Server {
    /// Starts a server for logical replication, `None` where PostgreSQL is not installed. Where `CI` is
    /// set that fails the test.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        Self::start_encrypted(settings, None)
    }

    pub(crate) fn start_encrypted(settings: &[&str], shown: Option<Shown<'_>>) -> Option<Self> {
        let programs = programs()?;
        let mut server = Self {
            folder: tempfile::tempdir().expect("a folder"),
            programs,
            settings: settings.iter().map(|s| (*s).to_owned()).collect(),
            port: free_port(),
            process: None,
        };
        server.init();
        if let Some(shown) = shown {
            server.own("server.crt", shown.certificate);
            server.own("server.key", shown.key);
            server.set("ssl=on");
        }
        server.run();
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command of the server's, as the user `postgres` when we are root, which it refuses.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        if !geteuid().is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program);
        command
    }

    fn init(&self) {
        let password = self.folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("it is written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.folder.path(), mode).expect("it is ours");
        std::fs::create_dir(self.data()).expect("it is new");
        if geteuid().is_root() {
            chown(self.data(), Some(postgres_uid()), None).expect("we are root");
        }
        let mut initdb = self.command("initdb");
        initdb
            .arg("--pgdata")
            .arg(self.data())
            .args(["--username=postgres", "--auth=scram-sha-256"])
            .args(["--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg("--pwfile")
            .arg(password);
        let done = initdb.output().expect("initdb runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "initdb: {said}");
    }

    /// Puts a file into the data directory that the server may read.
    pub(crate) fn own(&self, name: &str, content: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, content).expect("it is written");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("it is ours");
        if geteuid().is_root() {
            chown(&path, Some(postgres_uid()), None).expect("we are root");
        }
    }

    /// A setting from the next start on.
    pub(crate) fn set(&mut self, setting: &str) {
        self.settings.push(setting.to_owned());
    }

    /// Starts it, or starts it again.
    pub(crate) fn run(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        let port = format!("port={}", self.port);
        let ours = [
            port.as_str(),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "wal_level=logical",
            "fsync=off",
            "log_min_messages=log",
            "lc_messages=C",
        ];
        let theirs = self.settings.iter().map(String::as_str);
        for setting in ours.into_iter().chain(theirs) {
            command.args(["-c", setting]);
        }
        command.stderr(Stdio::piped());
        let mut process = command.spawn().expect("postgres runs");
        let log = process.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let mut said = String::new();
        let ready = lines.any(|line| {
            said.push_str(&line);
            said.push('\n');
            line.contains("ready to accept connections")
        });
        assert!(ready, "postgres: {said}");
        // What it says later has to be taken from it.
        std::thread::spawn(move || lines.for_each(drop));
        self.process = Some(process);
    }

    /// Ends it as `SIGINT` (fast) or `SIGQUIT` (immediate) do.
    pub(crate) fn stop(&mut self, signal: Signal) {
        if let Some(mut process) = self.process.take() {
            kill_process(Pid::from_child(&process), signal).expect("it runs");
            process.wait().expect("it was started");
        }
    }

    /// The superuser's config, with `more` keys that go before its own.
    pub(crate) fn client(&self, more: &[(&str, &str)]) -> PostgresClient {
        let port = self.port.to_string();
        let ours = [
            ("hostname", "127.0.0.1"),
            ("port", port.as_str()),
            ("user", "postgres"),
            ("password", PASSWORD),
            ("dbname", "postgres"),
        ];
        client(&[more, &ours].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop(Signal::QUIT);
    }
}

#[expect(
    clippy::print_stderr,
    reason = "whoever runs the tests is told what was skipped"
)]
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    let found = folders
        .filter(|folder| folder.join("postgres").is_file())
        .max();
    if found.is_none() {
        eprintln!("skipped: PostgreSQL is not installed (sudo apt-get install -y postgresql)");
        let ci = std::env::var_os("CI").is_some();
        assert!(!ci, "a skipped test fails where CI is set");
    }
    found
}

fn postgres_uid() -> u32 {
    let id = Command::new("id").args(["-u", "postgres"]).output();
    let text = String::from_utf8(id.expect("id runs").stdout).expect("a number");
    text.trim().parse().expect("a number")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}
