//! Ordinary sessions: released tokio-postgres, over our own socket.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::{
    Client, Config, Connection, SimpleQueryMessage, SimpleQueryRow, SimpleQueryStream,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::answer::Stage;
use crate::attempt::Encryption;
use crate::bounded::Bounded;
use crate::copy::CopyOut;
use crate::socket::{Negotiated, Socket};
use crate::wire::Row;
use crate::{Error, PostgresGrant};

/// Rows cross to the reader in pages of about so much.
const PAGE_BYTES: usize = 256 << 10;
/// Pages that wait for a reader.
const PAGES_WAITING: usize = 2;

/// The one setting that poolers let through.
const NAME: &str = "application_name";

/// An ordinary session. Dropping it closes the connection.
pub struct Session {
    client: Arc<Client>,
    grant: Arc<PostgresGrant>,
    encryption: Encryption,
    io: Handle,
    connection: AbortHandle,
    statement: Arc<Semaphore>,
}

/// A session that is logged in; its connection does not run yet.
pub(crate) struct Opened {
    client: Client,
    connection: Connection<Socket, Bounded>,
    encryption: Encryption,
}

/// Connects and logs in.
pub(crate) async fn open_session(
    grant: &PostgresGrant,
    encryption: Encryption,
    parameters: &[(String, String)],
) -> Result<Opened, Error> {
    let socket = Socket::dial(grant, encryption).await?;
    let mut config = Config::new();
    config
        .user(&grant.user)
        .dbname(&grant.database)
        // What was asked for is negotiated already; this hands the socket through as it is.
        .ssl_mode(SslMode::Require)
        .ssl_negotiation(SslNegotiation::Direct);
    if let Some((_, name)) = parameters.iter().find(|(key, _)| key == NAME) {
        config.application_name(name);
    }
    if let Some(options) = options(parameters) {
        config.options(options);
    }
    if let Some(password) = grant.password() {
        config.password(password);
    }
    let connected = config.connect_raw(socket, Negotiated).await;
    let (client, connection) = connected.map_err(|e| Error::session(e, Stage::Login))?;
    Ok(Opened {
        client,
        connection,
        encryption,
    })
}

/// Settings as the server reads them from a command line; `None` where there are none, because a
/// pooler refuses even an empty one.
fn options(parameters: &[(String, String)]) -> Option<String> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(' ', "\\ ");
    let options: Vec<_> = parameters
        .iter()
        .filter(|(key, _)| key != NAME)
        .map(|(key, value)| format!("-c {}={}", escape(key), escape(value)))
        .collect();
    (!options.is_empty()).then(|| options.join(" "))
}

impl Opened {
    /// Begins to work until the server is `gone`; `session` is its place among the task's sessions.
    pub(crate) fn run(
        self,
        grant: Arc<PostgresGrant>,
        io: Handle,
        session: OwnedSemaphorePermit,
        gone: CancellationToken,
    ) -> Session {
        let connection = self.connection;
        let running = io.spawn(async move {
            // How it ends is said to whoever waits for an answer, and to nobody else.
            drop(gone.run_until_cancelled(connection).await);
            drop(session);
        });
        Session {
            client: Arc::new(self.client),
            grant,
            encryption: self.encryption,
            io,
            connection: running.abort_handle(),
            statement: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Session {
    /// Runs one statement. Whether it was right is known with the first page of rows.
    ///
    /// # Errors
    /// When another statement of this session was not read to its end, or the connection is lost.
    pub async fn query(&self, sql: &str) -> Result<Rows, Error> {
        let statement = self.enter()?;
        let refused = |e| Error::session(e, Stage::Statement);
        let rows = self.client.simple_query_raw(sql).await.map_err(refused)?;
        let (pages, answer) = mpsc::channel(PAGES_WAITING);
        let gather = self.io.spawn(async move {
            let outcome = gather(rows, &pages).await;
            // A reader that is gone wants neither the end nor the error.
            let end = outcome.map(|()| Vec::new()).map_err(refused);
            drop(pages.send(end).await);
        });
        Ok(Rows {
            answer: Mutex::new(Answer {
                pages: answer,
                end: None,
                statement: Some(statement),
            }),
            _gather: AbortOnDropHandle::new(gather),
        })
    }

    /// Starts `COPY ... TO STDOUT`. The server answers when it has rows, which may be long after: whether the statement was
    /// right is known with the first read. A copy that is dropped before its end closes the session.
    ///
    /// # Errors
    /// When another statement was not read to its end.
    pub fn copy_out(&self, sql: &str) -> Result<CopyOut, Error> {
        let statement = self.enter()?;
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        let rows = async move { client.copy_out(&sql).await };
        Ok(CopyOut::new(
            rows,
            &self.io,
            self.connection.clone(),
            statement,
        ))
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Error> {
        let statement = Arc::clone(&self.statement).try_acquire_owned();
        statement.map_err(|_| Error::Busy)
    }
}

impl Drop for Session {
    /// An idle connection ends with its client. One that works is cut off, and the server is told
    /// to stop, which it would otherwise do only when it next has something to send.
    fn drop(&mut self) {
        if self.statement.available_permits() > 0 {
            return;
        }
        self.connection.abort();
        let (grant, encryption) = (Arc::clone(&self.grant), self.encryption);
        let cancel = self.client.cancel_token();
        self.io.spawn(async move {
            let told = async {
                let socket = Socket::dial(&grant, encryption).await.ok()?;
                cancel.cancel_query_raw(socket, Negotiated).await.ok()
            };
            // A server that cannot be told is not there.
            drop(timeout(grant.connect_timeout, told).await);
        });
    }
}

/// The answer to a statement.
pub struct Rows {
    answer: Mutex<Answer>,
    _gather: AbortOnDropHandle<()>,
}

struct Answer {
    /// An empty page is the end.
    pages: mpsc::Receiver<Result<Vec<Row>, Error>>,
    end: Option<Result<(), Error>>,
    /// Absent at the end: the session is free.
    statement: Option<OwnedSemaphorePermit>,
}

impl Rows {
    /// The next rows, at least one and about `bytes_max` of them; none at the end.
    ///
    /// # Errors
    /// When the server refuses the statement or the connection is lost.
    pub async fn read(&self, bytes_max: usize) -> Result<Vec<Row>, Error> {
        let mut answer = self.answer.lock().await;
        if answer.end.is_none() {
            let page = answer.pages.recv().await;
            let mut rows = answer.take(page);
            for _ in 1..bytes_max / PAGE_BYTES {
                match answer.pages.try_recv() {
                    Ok(page) => rows.append(&mut answer.take(Some(page))),
                    Err(_) => break,
                }
            }
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        let end = answer.end.clone().unwrap_or(Ok(()));
        end.map(|()| Vec::new())
    }
}

impl Answer {
    /// The rows of a page; the session is free again when it is the last.
    fn take(&mut self, page: Option<Result<Vec<Row>, Error>>) -> Vec<Row> {
        let end = match page {
            Some(Ok(rows)) if !rows.is_empty() => return rows,
            Some(page) => page.map(|_| ()),
            None => Err(Error::closed()),
        };
        self.end = Some(end);
        self.statement = None;
        Vec::new()
    }
}

async fn gather(
    rows: SimpleQueryStream,
    pages: &mpsc::Sender<Result<Vec<Row>, Error>>,
) -> Result<(), tokio_postgres::Error> {
    let mut rows = pin!(rows);
    let (mut page, mut bytes) = (Vec::new(), 0);
    while let Some(message) = rows.next().await.transpose()? {
        let SimpleQueryMessage::Row(row) = message else {
            continue;
        };
        let row = owned(&row)?;
        bytes += row_bytes(&row);
        page.push(row);
        if bytes >= PAGE_BYTES {
            bytes = 0;
            if pages.send(Ok(std::mem::take(&mut page))).await.is_err() {
                return Ok(());
            }
        }
    }
    if !page.is_empty() {
        // The end follows, and finds out whether somebody reads.
        drop(pages.send(Ok(page)).await);
    }
    Ok(())
}

fn owned(row: &SimpleQueryRow) -> Result<Row, tokio_postgres::Error> {
    let value = |n| Ok(row.try_get(n)?.map(str::to_owned));
    (0..row.len()).map(value).collect()
}

fn row_bytes(row: &Row) -> usize {
    let values: usize = row.iter().flatten().map(String::len).sum();
    values + size_of::<Row>() + row.len() * size_of::<Option<String>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parameters: &[(&str, &str)], expected: Option<&str>) {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let parameters: Vec<_> = parameters.iter().map(own).collect();
        assert_eq!(options(&parameters).as_deref(), expected);
    }

    #[test]
    fn settings_are_escaped() {
        check(&[], None);
        check(&[("application_name", "me")], None);
        let two = [("statement_timeout", "0"), ("DateStyle", "ISO, DMY")];
        check(&two, Some("-c statement_timeout=0 -c DateStyle=ISO,\\ DMY"));
        check(&[("a", "b\\c")], Some("-c a=b\\\\c"));
    }
}
