//! A connection to a server, encrypted or not, before anybody has logged in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::{Ready, ready};
use postgres_protocol::message::frontend;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use crate::attempt::Encryption;
use crate::bounded::Bounded;
use crate::error::tls_error;
use crate::tcp::Tcp;
use crate::tls::{Tls, end_point, is_wrong_name};
use crate::{Error, PostgresGrant};

/// A peer that is gone is found out after about a minute, whoever speaks next.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(60);

/// A connection, encrypted as it was asked for.
pub(crate) enum Socket {
    Plain(Tcp),
    Encrypted {
        stream: Box<tokio_rustls::client::TlsStream<Tcp>>,
        /// What binds a login to the server's certificate.
        end_point: Option<Vec<u8>>,
    },
}

impl Socket {
    /// Connects, and encrypts before anything is said.
    pub(crate) async fn dial(grant: &PostgresGrant, encryption: Encryption) -> Result<Self, Error> {
        let unreachable = |e| Error::Unreachable {
            host: grant.address(),
            source: Arc::new(e),
        };
        let stream = TcpStream::connect((grant.host.as_str(), grant.port)).await;
        let mut stream = stream.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        if grant.keepalive {
            keep_alive(&stream).map_err(unreachable)?;
        }
        let tls = match &grant.tls {
            Some(tls) if encryption != Encryption::None => tls,
            _ => return Ok(Self::Plain(Tcp::new(stream))),
        };
        if offers_encryption(&mut stream).await.map_err(unreachable)? {
            return Self::encrypt(grant, tls, stream).await;
        }
        match encryption {
            Encryption::Required => Err(Error::NoEncryption {
                host: grant.address(),
            }),
            Encryption::Offered | Encryption::None => Ok(Self::Plain(Tcp::new(stream))),
        }
    }

    async fn encrypt(grant: &PostgresGrant, tls: &Tls, stream: TcpStream) -> Result<Self, Error> {
        let connector = TlsConnector::from(Arc::clone(&tls.config));
        let stream = connector.connect(tls.name.clone(), Tcp::new(stream)).await;
        let stream = stream.map_err(|e| handshake_error(grant.address(), e))?;
        let certificates = stream.get_ref().1.peer_certificates();
        let end_point = certificates
            .and_then(<[_]>::first)
            .and_then(|der| end_point(der));
        Ok(Self::Encrypted {
            stream: Box::new(stream),
            end_point,
        })
    }

    /// Leaves it alone until the next read or write.
    pub(crate) fn unwatch(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.unwatch(),
            Self::Encrypted { stream, .. } => stream.get_mut().0.unwatch(),
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Encrypted { .. })
    }

    pub(crate) fn end_point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(_) => None,
            Self::Encrypted { end_point, .. } => end_point.clone(),
        }
    }
}

/// One byte answers, and no more is read: what follows in plain text must not pass for encrypted.
async fn offers_encryption(stream: &mut TcpStream) -> io::Result<bool> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    match stream.read_u8().await? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        _ => Err(io::Error::other(
            "it does not answer as a PostgreSQL server",
        )),
    }
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    Ok(())
}

fn handshake_error(host: String, source: io::Error) -> Error {
    match tls_error(&source).cloned() {
        Some(source) if is_wrong_name(&source) => Error::WrongHost { host, source },
        Some(source @ rustls::Error::InvalidCertificate(_)) => Error::Untrusted { host, source },
        _ => match Error::lost(source) {
            Error::Lost { source } => Error::Tls { host, source },
            refused => refused,
        },
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Encrypted { stream, .. } => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Encrypted { stream, .. } => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Encrypted { stream, .. } => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Encrypted { stream, .. } => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl TlsStream for Socket {
    fn channel_binding(&self) -> ChannelBinding {
        self.end_point()
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// Hands tokio-postgres a connection that is encrypted already, as far as it was asked for.
pub(crate) struct Negotiated;

impl TlsConnect<Socket> for Negotiated {
    type Stream = Bounded;
    type Error = io::Error;
    type Future = Ready<io::Result<Bounded>>;

    fn connect(self, socket: Socket) -> Self::Future {
        ready(Ok(Bounded::new(socket)))
    }
}
