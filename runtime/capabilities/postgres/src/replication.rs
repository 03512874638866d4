//! A session in replication mode: one task that owns the connection, one command at a time.

use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::answer::{Meaning, Stage};
use crate::client::{Cancel, LoggedIn};
use crate::command;
use crate::feed::{Feed, SILENCE_MAX};
use crate::silence::Silence;
use crate::socket::Socket;
use crate::stream::WalStream;
use crate::wire::{Row, Wire};

/// What `IDENTIFY_SYSTEM` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemIdentity {
    /// Names the cluster; a copy of its files keeps it.
    pub identifier: u64,
    /// Its timeline.
    pub timeline: u32,
    /// The server's current flush position.
    pub position: u64,
    /// The database of the session.
    pub database: String,
}

/// A slot that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSlot {
    /// Transactions that committed before it are in the snapshot, all others in the stream.
    pub consistent_point: u64,
    /// For `SET TRANSACTION SNAPSHOT`, until the next command.
    pub snapshot: Option<String>,
}

/// A session in replication mode. Dropping it closes the connection, unless a stream has it.
pub struct Replication {
    commands: mpsc::Sender<Command>,
}

type Reply<T> = oneshot::Sender<Result<T, Error>>;

enum Command {
    Identify(Reply<SystemIdentity>),
    CreateSlot {
        name: String,
        export_snapshot: bool,
        timeout: Duration,
        given_up: CancellationToken,
        reply: Reply<CreatedSlot>,
    },
    DropSlot {
        name: String,
        timeout: Duration,
        reply: Reply<()>,
    },
    Start {
        slot: String,
        start: u64,
        options: Vec<(String, String)>,
        reply: Reply<WalStream>,
    },
}

impl Replication {
    pub(crate) fn new(
        logged_in: LoggedIn,
        io: &Handle,
        session: OwnedSemaphorePermit,
        silence: Silence,
        next_id: impl Fn() -> u32 + Send + 'static,
    ) -> Self {
        let (commands, asked) = mpsc::channel(1);
        let LoggedIn { wire, cancel } = logged_in;
        let connection = Connection {
            wire,
            cancel,
            silence,
            next_id,
        };
        io.spawn(async move {
            connection.serve(asked).await;
            drop(session);
        });
        Self { commands }
    }

    /// Asks who the server is.
    ///
    /// # Errors
    /// When it refuses or the connection is lost.
    pub async fn identify(&self) -> Result<SystemIdentity, Error> {
        self.ask(Command::Identify).await
    }

    /// Creates a permanent logical slot for `pgoutput`. After `timeout`, or when the future is
    /// dropped, the command is cancelled and no slot is left.
    ///
    /// # Errors
    /// When the server refuses, the time is over or the connection is lost.
    pub async fn create_slot(
        &self,
        name: &str,
        export_snapshot: bool,
        timeout: Duration,
    ) -> Result<CreatedSlot, Error> {
        self.create(name, export_snapshot, timeout, CancellationToken::new())
            .await
    }

    /// The same, and as soon as `until` completes the command is cancelled as well: answers none when no slot is left.
    ///
    /// # Errors
    /// When the server refuses, the time is over or the connection is lost.
    pub async fn create_slot_until(
        &self,
        name: &str,
        export_snapshot: bool,
        timeout: Duration,
        until: impl Future<Output = ()>,
    ) -> Result<Option<CreatedSlot>, Error> {
        let given_up = CancellationToken::new();
        let mut created = pin!(self.create(name, export_snapshot, timeout, given_up.clone()));
        tokio::select! {
            biased;
            created = &mut created => return created.map(Some),
            () = until => given_up.cancel(),
        }
        match created.await {
            Err(Error::SlotTimeout { .. }) => Ok(None),
            created => created.map(Some),
        }
    }

    async fn create(
        &self,
        name: &str,
        export_snapshot: bool,
        timeout: Duration,
        given_up: CancellationToken,
    ) -> Result<CreatedSlot, Error> {
        let name = name.to_owned();
        self.ask(|reply| Command::CreateSlot {
            name,
            export_snapshot,
            timeout,
            given_up,
            reply,
        })
        .await
    }

    /// Drops a slot; one that is in use is waited for until `timeout` is over.
    ///
    /// # Errors
    /// When the server refuses, the slot is still in use or the connection is lost.
    pub async fn drop_slot(&self, name: &str, timeout: Duration) -> Result<(), Error> {
        let name = name.to_owned();
        self.ask(|reply| Command::DropSlot {
            name,
            timeout,
            reply,
        })
        .await
    }

    /// Starts the slot's stream, to which the session belongs from here on.
    ///
    /// # Errors
    /// When the server refuses or the connection is lost.
    pub async fn start(
        &self,
        slot: &str,
        start: u64,
        options: &[(String, String)],
    ) -> Result<WalStream, Error> {
        let (slot, options) = (slot.to_owned(), options.to_vec());
        self.ask(|reply| Command::Start {
            slot,
            start,
            options,
            reply,
        })
        .await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        match self.commands.try_send(command(reply)) {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(Error::closed())),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Error::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Error::closed()),
        }
    }
}

struct Connection<N> {
    wire: Wire,
    cancel: Cancel,
    silence: Silence,
    next_id: N,
}

/// How a command that may have to wait ended.
enum Waited {
    Answered(Vec<Row>),
    Cancelled,
}

impl<N: Fn() -> u32> Connection<N> {
    async fn serve(mut self, mut commands: mpsc::Receiver<Command>) {
        while let Some(command) = commands.recv().await {
            // An answer that nobody waits for is nobody's.
            match command {
                Command::Identify(reply) => {
                    drop(reply.send(self.identify().await));
                }
                Command::CreateSlot {
                    name,
                    export_snapshot,
                    timeout,
                    given_up,
                    mut reply,
                } => {
                    let sql = command::create_slot(&name, export_snapshot);
                    let created = self.wait(&sql, timeout, &given_up, &mut reply).await;
                    let created = created_slot(&name, timeout, created);
                    if let Err(Ok(_)) = reply.send(created) {
                        // It was made just as the caller went.
                        drop(self.drop_slot_now(&name).await);
                    }
                }
                Command::DropSlot {
                    name,
                    timeout,
                    mut reply,
                } => {
                    let dropped = self.drop_slot(&name, timeout, &mut reply).await;
                    drop(reply.send(dropped));
                }
                Command::Start {
                    slot,
                    start,
                    options,
                    reply,
                } => match self.start(&slot, start, &options).await {
                    Ok(feedback_interval) => {
                        let (stream, feed) = Feed::new(&slot, (self.next_id)(), feedback_interval);
                        drop(commands);
                        // A stream that nobody has is closed at once.
                        drop(reply.send(Ok(stream)));
                        return feed.run(self.wire, &self.silence).await;
                    }
                    Err(error) => {
                        drop(reply.send(Err(error)));
                    }
                },
            }
        }
        self.wire.close(|_| ()).await;
    }

    /// A command that does not wait for anybody.
    async fn command(&mut self, sql: &str, stage: Stage) -> Result<Vec<Row>, Error> {
        let answer = timeout(SILENCE_MAX, self.wire.command(sql, stage)).await;
        answer.unwrap_or(Err(Error::Silent {
            silence: SILENCE_MAX,
        }))
    }

    async fn identify(&mut self) -> Result<SystemIdentity, Error> {
        command::identity(self.command("IDENTIFY_SYSTEM", Stage::Identify).await?)
    }

    async fn drop_slot(
        &mut self,
        name: &str,
        limit: Duration,
        reply: &mut Reply<()>,
    ) -> Result<(), Error> {
        let sql = command::drop_slot(name, true);
        match self
            .wait(&sql, limit, &CancellationToken::new(), reply)
            .await
        {
            Ok(Waited::Answered(_)) => Ok(()),
            // Whoever has it is named.
            Ok(Waited::Cancelled) => self.drop_slot_now(name).await,
            Err(error) => Err(error.about_slot(name)),
        }
    }

    async fn drop_slot_now(&mut self, name: &str) -> Result<(), Error> {
        let sql = command::drop_slot(name, false);
        let dropped = self.command(&sql, Stage::Slot).await;
        dropped.map_or_else(|error| Err(error.about_slot(name)), |_| Ok(()))
    }

    /// Runs a command until it is answered, the time is over, it is given up or nobody waits any more.
    async fn wait<T>(
        &mut self,
        sql: &str,
        limit: Duration,
        given_up: &CancellationToken,
        reply: &mut Reply<T>,
    ) -> Result<Waited, Error> {
        let mut answer = std::pin::pin!(self.wire.command(sql, Stage::Slot));
        tokio::select! {
            answer = &mut answer => return answer.map(Waited::Answered),
            () = sleep(limit) => {}
            () = given_up.cancelled() => {}
            () = reply.closed() => {}
        }
        self.cancel.send().await;
        let answer = timeout(SILENCE_MAX, answer).await;
        match answer.unwrap_or(Err(Error::closed())) {
            Err(Error::Server {
                meaning: Meaning::Cancelled,
                ..
            }) => Ok(Waited::Cancelled),
            answer => answer.map(Waited::Answered),
        }
    }

    /// Starts the stream and returns how often the server must hear from us.
    async fn start(
        &mut self,
        slot: &str,
        start: u64,
        options: &[(String, String)],
    ) -> Result<Duration, Error> {
        let rows = self.command(command::SENDER_TIMEOUT, Stage::Slot).await?;
        let timeout_ms = command::sender_timeout_ms(rows)?;
        let started = timeout(SILENCE_MAX, self.enter_stream(slot, start, options)).await;
        started
            .unwrap_or(Err(Error::Silent {
                silence: SILENCE_MAX,
            }))
            .map_err(|error| error.about_slot(slot))?;
        Ok(crate::feed::feedback_interval(timeout_ms))
    }

    async fn enter_stream(
        &mut self,
        slot: &str,
        start: u64,
        options: &[(String, String)],
    ) -> Result<(), Error> {
        self.wire.ask(&command::start(slot, start, options)).await?;
        let message = self.wire.message().await?;
        match message.tag {
            b'W' => Ok(()),
            b'E' => Err(self.wire.refused(&message.body, Stage::Slot).await),
            _ => Err(Error::Protocol("START_REPLICATION answers something else")),
        }
    }
}

fn created_slot(
    name: &str,
    timeout: Duration,
    created: Result<Waited, Error>,
) -> Result<CreatedSlot, Error> {
    match created {
        Ok(Waited::Answered(rows)) => command::created(rows),
        Ok(Waited::Cancelled) => Err(Error::SlotTimeout {
            slot: name.to_owned(),
            timeout,
        }),
        Err(error) => Err(error.about_slot(name)),
    }
}

impl Cancel {
    /// Asks the server to cancel what the session does. Whether it heard shows in the session.
    async fn send(&self) {
        let told = async {
            let socket = Socket::dial(&self.grant, self.encryption).await.ok()?;
            let mut request = BytesMut::new();
            frontend::cancel_request(self.key.process, self.key.secret, &mut request);
            let mut socket = socket;
            socket.write_all(&request).await.ok()?;
            socket.shutdown().await.ok()
        };
        drop(timeout(self.grant.connect_timeout, told).await);
    }
}
