//! The sessions of one task.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::attempt::{Encryption, may_help};
use crate::login::{CancelKey, log_in};
use crate::replication::Replication;
use crate::session::{Session, open_session};
use crate::silence::Silence;
use crate::socket::Socket;
use crate::wire::Wire;
use crate::{Error, PostgresGrant};

/// Most sessions of both kinds that one task has open at a time.
pub const SESSIONS_MAX: usize = 16;

/// A server under a grant, for one task.
#[derive(Clone)]
pub struct PostgresClient {
    grant: Option<Arc<PostgresGrant>>,
    io: Handle,
    sessions: Arc<Semaphore>,
    streams: Arc<AtomicU32>,
    silence: Silence,
}

/// A session in replication mode that nobody uses yet.
pub(crate) struct LoggedIn {
    pub(crate) wire: Wire,
    pub(crate) cancel: Cancel,
}

/// Ends a command from outside.
#[derive(Clone)]
pub(crate) struct Cancel {
    pub(crate) grant: Arc<PostgresGrant>,
    pub(crate) encryption: Encryption,
    pub(crate) key: CancelKey,
}

impl PostgresClient {
    /// A client whose sockets live on `io`. Without a grant every call is denied.
    #[must_use]
    pub fn new(grant: Option<PostgresGrant>, io: Handle) -> Self {
        Self {
            grant: grant.map(Arc::new),
            io,
            sessions: Arc::new(Semaphore::new(SESSIONS_MAX)),
            streams: Arc::new(AtomicU32::new(1)),
            silence: Silence::default(),
        }
    }

    /// Opens an ordinary session. `parameters` are the server's settings for all of it.
    ///
    /// # Errors
    /// When there is no grant, or too many sessions, or the server is not reached or refuses.
    pub async fn connect(&self, parameters: &[(String, String)]) -> Result<Session, Error> {
        let (grant, session) = self.enter()?;
        let parameters = parameters_of(parameters, &["client_encoding"])?;
        let server = Arc::clone(&grant);
        let open = async move {
            reach(&server, |encryption| {
                open_session(&server, encryption, &parameters)
            })
            .await
        };
        let opened = self.on_io(open).await?;
        let gone = self.silence.after_now();
        Ok(opened.run(grant, self.io.clone(), session, gone))
    }

    /// Opens a session in replication mode.
    ///
    /// # Errors
    /// When there is no grant, or too many sessions, or the server is not reached or refuses.
    pub async fn connect_replication(
        &self,
        parameters: &[(String, String)],
    ) -> Result<Replication, Error> {
        let (grant, session) = self.enter()?;
        let reserved = ["client_encoding", "user", "database", "replication"];
        let parameters = parameters_of(parameters, &reserved)?;
        let open = async move {
            reach(&grant, |encryption| {
                let (grant, parameters) = (&grant, &parameters);
                async move {
                    let socket = Socket::dial(grant, encryption).await?;
                    let (wire, key) = log_in(grant, socket, parameters).await?;
                    let cancel = Cancel {
                        grant: Arc::clone(grant),
                        encryption,
                        key,
                    };
                    Ok(LoggedIn { wire, cancel })
                }
            })
            .await
        };
        let logged_in = self.on_io(open).await?;
        let streams = Arc::clone(&self.streams);
        let next_id = move || streams.fetch_add(1, Ordering::Relaxed);
        let silence = self.silence.clone();
        Ok(Replication::new(
            logged_in, &self.io, session, silence, next_id,
        ))
    }

    fn enter(&self) -> Result<(Arc<PostgresGrant>, OwnedSemaphorePermit), Error> {
        let grant = self.grant.clone().ok_or(Error::NotGranted)?;
        let session = Arc::clone(&self.sessions).try_acquire_owned();
        Ok((grant, session.map_err(|_| Error::TooManySessions)?))
    }

    async fn on_io<T: Send + 'static>(
        &self,
        open: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let opening = AbortOnDropHandle::new(self.io.spawn(open));
        opening.await.unwrap_or_else(|_| Err(Error::closed()))
    }
}

/// Tries what `sslmode` allows, in turn, each within the time for a connection.
async fn reach<T, F: Future<Output = Result<T, Error>>>(
    grant: &PostgresGrant,
    open: impl Fn(Encryption) -> F,
) -> Result<T, Error> {
    let mut tries = grant.sslmode.attempts().iter().peekable();
    loop {
        let encryption = *tries.next().expect("the last try returns");
        let opened = timeout(grant.connect_timeout, open(encryption)).await;
        let opened = opened.unwrap_or_else(|_| {
            Err(Error::ConnectTimeout {
                host: grant.address(),
                timeout: grant.connect_timeout,
            })
        });
        match opened {
            Err(error) if may_help(&error) && tries.peek().is_some() => {}
            opened => return opened,
        }
    }
}

/// What the caller asks for, and who we are; some of it is ours to say.
fn parameters_of(
    parameters: &[(String, String)],
    reserved: &[&str],
) -> Result<Vec<(String, String)>, Error> {
    let is = |name: &str| {
        parameters
            .iter()
            .any(|(key, _)| key.eq_ignore_ascii_case(name))
    };
    if let Some(name) = reserved.iter().find(|name| is(name)) {
        return Err(Error::Setting {
            key: (*name).to_owned(),
            reason: "is not the session's to set".to_owned(),
        });
    }
    let mut all = parameters.to_vec();
    if !is("application_name") {
        all.push(("application_name".to_owned(), "longshore".to_owned()));
    }
    Ok(all)
}
