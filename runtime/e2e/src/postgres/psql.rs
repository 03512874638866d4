//! SQL over a `psql` process that stays: no driver of ours stands between a test and the server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context as _, Result, bail};
use longshore_rig::Server;

/// Stands between columns; no value of a test has it.
const COLUMN: char = '\u{1f}';
/// Stands for null.
const NULL: &str = "\u{2}";
/// Ends an answer.
const END: &str = "\u{4}";

/// A session. The first error ends it.
#[derive(Debug)]
pub struct Psql {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Psql {
    /// Opens a session as the superuser.
    ///
    /// # Errors
    /// When `psql` does not start; whether the server is there is known with the first answer.
    pub fn open(server: &Server, database: &str) -> Result<Self> {
        let mut command = server.psql(database);
        command.args(["--quiet", "--no-align", "--tuples-only"]);
        command.args(["--set", "ON_ERROR_STOP=1"]);
        command.arg(format!("--field-separator={COLUMN}"));
        command.arg(format!("--pset=null={NULL}"));
        command.env("PGOPTIONS", "-c client_min_messages=error");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().context("stdin is piped")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// Runs statements, or whatever else `psql` reads, and returns the rows that they answer.
    ///
    /// # Errors
    /// When the server refuses one.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let sent = writeln!(self.stdin, "{sql}\n;\n\\echo {END}").and_then(|()| self.stdin.flush());
        let mut rows = Vec::new();
        if sent.is_ok() {
            for line in self.stdout.by_ref().lines() {
                let line = line?;
                if line == END {
                    return Ok(rows);
                }
                let column = |text: &str| (text != NULL).then(|| text.to_owned());
                rows.push(line.split(COLUMN).map(column).collect());
            }
        }
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said)?;
        }
        bail!("{sql}: {said}");
    }

    /// The same, without an answer.
    ///
    /// # Errors
    /// When the server refuses a statement.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        self.query(sql).map(drop)
    }

    /// The one value that is asked for.
    ///
    /// # Errors
    /// When there is none, or it is null.
    pub fn value(&mut self, sql: &str) -> Result<String> {
        let mut rows = self.query(sql)?;
        let row = rows.pop().with_context(|| format!("{sql}: no row"))?;
        let value = row.into_iter().next().flatten();
        value.with_context(|| format!("{sql}: null"))
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
