//! The PostgreSQL server that a config names.
//!
//! A fault that the server answered carries its `sqlstate` among the details. A lost connection is
//! of class retriable, and ends everything that was opened on it.

use longshore_model::Fault;

use crate::Wake;
use crate::host;

/// A row of an answer: each column in PostgreSQL's text form, `None` where it is null.
pub type Row = Vec<Option<String>>;

/// Bytes of rows that one page of a query is asked for.
const PAGE_BYTES: u32 = 256 << 10;

/// The server, as far as it was granted.
#[derive(Clone, Copy)]
pub struct Postgres<'a> {
    host: &'a host::Handle,
}

impl<'a> Postgres<'a> {
    pub(crate) fn new(host: &'a host::Handle) -> Self {
        Self { host }
    }

    /// Opens an ordinary session with run-time parameters of the server; `client_encoding` is always
    /// UTF8.
    ///
    /// # Errors
    /// When the server cannot be reached or lets nobody in.
    pub async fn connect(self, parameters: &[(&str, &str)]) -> Result<Session, Fault> {
        Ok(Session(
            host::connect_postgres(self.host, parameters).await?,
        ))
    }

    /// Opens a session in replication mode.
    ///
    /// # Errors
    /// As for [`Postgres::connect`], and when the user may not replicate or no sender is free.
    pub async fn replicate(self, parameters: &[(&str, &str)]) -> Result<Replication, Fault> {
        Ok(Replication(
            host::replicate_postgres(self.host, parameters).await?,
        ))
    }
}

/// An ordinary session: one statement at a time.
pub struct Session(host::PostgresSession);

impl Session {
    /// Runs one statement and reads all its rows.
    ///
    /// # Errors
    /// What the server says.
    pub async fn query(&self, sql: &str) -> Result<Vec<Row>, Fault> {
        let pages = host::query_postgres(&self.0, sql).await?;
        let mut rows = Vec::new();
        loop {
            let page = host::next_rows(&pages, PAGE_BYTES).await?;
            if page.is_empty() {
                return Ok(rows);
            }
            rows.extend(page);
        }
    }

    /// Starts `COPY ... TO STDOUT`; whether the statement was right is known with the first read. The
    /// session does nothing else until it was read to its end; a copy that is dropped earlier closes
    /// its session.
    ///
    /// # Errors
    /// What the server says.
    pub async fn copy_out(&self, sql: &str) -> Result<CopyOut, Fault> {
        Ok(CopyOut(host::copy_out_postgres(&self.0, sql).await?))
    }
}

/// Rows being copied out.
pub struct CopyOut(host::PostgresCopy);

/// A part of what is copied out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Why the read returned.
    pub wake: Wake,
    /// Whole rows in COPY's text form; may hold some whatever `wake` says. A row of over 129 MiB is told by the line `\.`
    /// and its number of bytes.
    pub rows: Vec<u8>,
    /// Nothing comes after this. If it does not say so, a row comes behind those that are here.
    pub done: bool,
}

impl CopyOut {
    /// At least one row and about `bytes_max` (4 MiB), without waiting longer than `timeout_ms`. With 0 bytes it takes none,
    /// and waits until a row or the end is there.
    ///
    /// # Errors
    /// What the server says.
    pub async fn read(&self, bytes_max: u32, timeout_ms: u64) -> Result<Copied, Fault> {
        host::read_copy(&self.0, bytes_max, timeout_ms).await
    }
}

/// What `IDENTIFY_SYSTEM` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Names the cluster; a copy of its files keeps it.
    pub identifier: u64,
    /// The timeline.
    pub timeline: u32,
    /// The server's current flush position.
    pub position: u64,
    /// The database that the session is in.
    pub database: String,
}

/// A slot that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSlot {
    /// Transactions that committed before it are in the snapshot, all others in the stream.
    pub consistent_point: u64,
    /// For `SET TRANSACTION SNAPSHOT`, until the next call on this replication session.
    pub snapshot: Option<String>,
}

/// A session in replication mode: one command at a time.
pub struct Replication(host::PostgresReplication);

impl Replication {
    /// Who the server is.
    ///
    /// # Errors
    /// What the server says.
    pub async fn identify(&self) -> Result<System, Fault> {
        host::identify_postgres(&self.0).await
    }

    /// Creates a permanent logical slot for `pgoutput`. The server waits for the transactions that
    /// are running; after `timeout_ms` no slot is left. The same when the host has something to say, and the answer is
    /// none.
    ///
    /// # Errors
    /// What the server says; `postgres-slot-timeout` after the time.
    pub async fn create_slot(
        &self,
        name: &str,
        export_snapshot: bool,
        timeout_ms: u64,
    ) -> Result<Option<CreatedSlot>, Fault> {
        host::create_slot(&self.0, name, export_snapshot, timeout_ms).await
    }

    /// Drops a slot; one that is in use is waited for until the time is over.
    ///
    /// # Errors
    /// What the server says: after the time, who still uses it.
    pub async fn drop_slot(&self, name: &str, timeout_ms: u64) -> Result<(), Fault> {
        host::drop_slot(&self.0, name, timeout_ms).await
    }

    /// Starts the stream of a slot; the session belongs to it from here on.
    ///
    /// # Errors
    /// What the server says.
    pub async fn start(
        &self,
        slot: &str,
        start: u64,
        options: &[(&str, &str)],
    ) -> Result<WalStream, Fault> {
        Ok(WalStream(
            host::start_replication(&self.0, slot, start, options).await?,
        ))
    }
}

/// A replication stream. The host answers the server while nobody reads, and confirms what is
/// stored; the guest has no way to.
pub struct WalStream(host::PostgresWal);

/// What a read of a stream returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalRead {
    /// Why the read returned.
    pub wake: Wake,
    /// Frames for [`crate::wal::WalFrames`]; may hold some whatever `wake` says.
    pub messages: Vec<u8>,
}

impl WalStream {
    /// What watermarks call the stream; its values are LSNs.
    #[must_use]
    pub fn id(&self) -> u32 {
        host::wal_id(&self.0)
    }

    /// About `bytes_max` (4 MiB) of what has come, or what comes first within the time.
    ///
    /// # Errors
    /// What the server says; retriable when the connection is lost.
    pub async fn read(&self, bytes_max: u32, timeout_ms: u64) -> Result<WalRead, Fault> {
        host::read_wal(&self.0, bytes_max, timeout_ms).await
    }
}

/// A name as SQL takes it: quoted, quotes doubled.
#[must_use]
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as SQL takes it, whatever `standard_conforming_strings` says.
#[must_use]
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_text_cannot_break_out() {
        assert_eq!(quote_ident(r#"a"b"#), r#""a""b""#);
        assert_eq!(quote_literal("o'clock"), "'o''clock'");
        assert_eq!(quote_literal(r"\'; drop"), r"E'\\''; drop'");
    }
}
