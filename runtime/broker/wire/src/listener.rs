//! Listening, and the life of connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::protocol::StrBytes;
use longshore_log::Log;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{Broker, Context, LOOKUPS_MAX};
use crate::budget::Budget;
use crate::config::WireConfig;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::session::Session;

const ADVERTISED_KEY: &str = "kafka.advertised.listeners";
/// Wait after the system refused a connection, for example because the process has too many files open.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// All Kafka listeners of a worker: bound, and not serving yet.
#[derive(Debug)]
pub struct Listener {
    doors: Vec<Door>,
    config: WireConfig,
    log: Log,
}

/// A listener as it is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Its name.
    pub name: String,
    /// The address it listens on, with the port that was taken.
    pub local: SocketAddr,
    /// What clients are told; none where they are told the address that they came in by.
    pub advertised: Option<(String, u16)>,
}

#[derive(Debug)]
struct Door {
    socket: TcpListener,
    bound: Bound,
}

/// What comes of connections at a door.
#[derive(Debug)]
struct Visits {
    broker: Arc<Broker>,
    connections: Arc<Semaphore>,
    sessions: TaskTracker,
    over: CancellationToken,
}

impl Listener {
    /// Binds all listeners.
    ///
    /// # Errors
    /// When an address cannot be bound, or an advertised one has no listener.
    pub async fn bind(config: WireConfig, log: Log) -> Result<Self, Error> {
        for advertised in &config.advertised {
            check_advertised(advertised, &config.listeners)?;
        }
        let mut doors = Vec::with_capacity(config.listeners.len());
        for endpoint in &config.listeners {
            let failed = |source| Error::Bind {
                endpoint: endpoint.to_string(),
                source,
            };
            let socket = bind(endpoint).await.map_err(failed)?;
            let local = socket.local_addr().map_err(failed)?;
            let given = config.advertised.iter().find(|a| a.name == endpoint.name);
            let bound = Bound {
                name: endpoint.name.clone(),
                local,
                advertised: advertised(given, endpoint, local),
            };
            doors.push(Door { socket, bound });
        }
        Ok(Self { doors, config, log })
    }

    /// Where it listens, in the order of the configuration.
    pub fn bound(&self) -> impl Iterator<Item = &Bound> {
        self.doors.iter().map(|door| &door.bound)
    }

    /// Serves until `shutdown`; then requests that were begun are answered, for at most [`WireConfig::drain_max`].
    pub async fn serve(self, shutdown: CancellationToken) {
        let drain_max = self.config.drain_max;
        let connections = Arc::new(Semaphore::new(self.config.connections_max));
        let broker = Arc::new(Broker {
            requests: Budget::new(
                self.config
                    .requests_bytes_max
                    .max(self.config.request_bytes_max),
            ),
            fetches: Budget::new(self.config.fetches_bytes_max),
            lookups: Semaphore::new(LOOKUPS_MAX),
            config: self.config,
            log: self.log,
            shutdown: shutdown.clone(),
        });
        // No connection outlives this future, however it ends.
        let over = CancellationToken::new();
        let _over_when_dropped = over.clone().drop_guard();
        let sessions = TaskTracker::new();
        for door in self.doors {
            let visits = Visits {
                broker: Arc::clone(&broker),
                connections: Arc::clone(&connections),
                sessions: sessions.clone(),
                over: over.clone(),
            };
            sessions.spawn(over.clone().run_until_cancelled_owned(door.serve(visits)));
        }
        sessions.close();
        shutdown.cancelled().await;
        if timeout(drain_max, sessions.wait()).await.is_err() {
            tracing::warn!(
                n_connections = sessions.len(),
                "connections did not end in time"
            );
        }
    }
}

fn check_advertised(advertised: &Endpoint, listeners: &[Endpoint]) -> Result<(), Error> {
    let wrong = |reason| Error::Endpoint {
        key: ADVERTISED_KEY,
        entry: advertised.to_string(),
        reason,
    };
    if !listeners
        .iter()
        .any(|listener| listener.name == advertised.name)
    {
        return Err(wrong("no listener has this name"));
    }
    match advertised.host.as_str() {
        "" | "0.0.0.0" | "::" => Err(wrong("clients cannot connect to this address")),
        _ => Ok(()),
    }
}

async fn bind(endpoint: &Endpoint) -> io::Result<TcpListener> {
    match endpoint.host.as_str() {
        "" => TcpListener::bind(("0.0.0.0", endpoint.port)).await,
        host => TcpListener::bind((host, endpoint.port)).await,
    }
}

/// What clients are told: the advertised address, else the host as it was configured, else nothing fixed.
fn advertised(
    given: Option<&Endpoint>,
    endpoint: &Endpoint,
    local: SocketAddr,
) -> Option<(String, u16)> {
    match given {
        Some(Endpoint { host, port: 0, .. }) => Some((host.clone(), local.port())),
        Some(Endpoint { host, port, .. }) => Some((host.clone(), *port)),
        None if local.ip().is_unspecified() => None,
        None => Some((endpoint.host.clone(), local.port())),
    }
}

impl Door {
    async fn serve(self, visits: Visits) {
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&visits.connections) => accepted,
                () = visits.broker.shutdown.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer, permit)) => {
                    let session = self.session(&visits.broker, stream, peer);
                    let session = visits.over.clone().run_until_cancelled_owned(session);
                    visits.sessions.spawn(async move {
                        session.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    let listener = &self.bound.name;
                    tracing::warn!(listener, error = %error, "cannot accept a connection");
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    /// The next connection, once there is room for it.
    async fn accept(
        &self,
        connections: &Arc<Semaphore>,
    ) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        if connections.available_permits() == 0 {
            let listener = &self.bound.name;
            tracing::warn!(listener, "max.connections is reached: new connections wait");
        }
        let permit = Arc::clone(connections).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let (stream, peer) = self.socket.accept().await?;
        // Answers are written whole, so waiting for more to send only delays them.
        stream.set_nodelay(true)?;
        Ok((stream, peer, permit))
    }

    fn session(
        &self,
        broker: &Arc<Broker>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + use<> {
        let listener = self.bound.name.clone();
        let advertised = self.bound.advertised.clone();
        let broker = Arc::clone(broker);
        async move {
            let (host, port) = match (advertised, stream.local_addr()) {
                (Some(advertised), _) => advertised,
                (None, Ok(local)) => (local.ip().to_string(), local.port()),
                (None, Err(_)) => return,
            };
            let context = Context {
                broker,
                host: StrBytes::from_string(host),
                port,
            };
            let (reader, writer) = stream.into_split();
            match Session::new(context, reader, writer).run().await {
                Ok(()) => {}
                Err(broken) if broken.ordinary() => {
                    tracing::debug!(listener, %peer, error = %broken, "connection closed");
                }
                Err(broken) => {
                    tracing::warn!(listener, %peer, error = %broken, "connection closed");
                }
            }
        }
    }
}
