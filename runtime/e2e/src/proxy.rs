//! A network between a connector and its server that fails as it is told.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

const BUFFER_BYTES: usize = 64 << 10;

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// They arrive.
    Up,
    /// They are held back, and nobody is told: packets that are dropped.
    Stalled,
    /// Connections are reset, and new ones too.
    Cut,
}

#[derive(Debug)]
struct Wire {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    network: Network,
    streams: Vec<TcpStream>,
    ended: bool,
    /// After so many of the server's replication messages it stalls.
    stalls_after: Option<u64>,
}

/// Forwards from a port of its own to another.
#[derive(Debug)]
pub struct Proxy {
    wire: Arc<Wire>,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Proxy {
    /// Begins to forward to a port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let wire = Arc::new(Wire {
            state: Mutex::new(State {
                network: Network::Up,
                streams: Vec::new(),
                ended: false,
                stalls_after: None,
            }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = accepting.lock();
                if state.ended {
                    return;
                }
                if state.network != Network::Cut {
                    drop(state);
                    connect(&accepting, &client, to).ok();
                }
            }
        });
        Ok(Self { wire, port })
    }

    /// Changes the network's state for all connections, and those to come.
    pub fn set(&self, network: Network) {
        let mut state = self.wire.lock();
        state.network = network;
        if network == Network::Cut {
            for stream in state.streams.drain(..) {
                stream.shutdown(Shutdown::Both).ok();
            }
        }
        self.wire.changed.notify_all();
    }

    /// Lets so many more of the server's replication messages through, and stalls.
    pub fn stall_after(&self, messages: u64) {
        self.wire.lock().stalls_after = Some(messages);
    }

    /// Waits until it has stalled.
    ///
    /// # Errors
    /// When it does not within the time.
    pub fn until_stalled(&self, within: Duration) -> Result<()> {
        let goes_on = |state: &mut State| state.network != Network::Stalled;
        let changed = &self.wire.changed;
        let waited = changed.wait_timeout_while(self.wire.lock(), within, goes_on);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        ensure!(
            state.network == Network::Stalled,
            "not stalled within {within:?}"
        );
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wire.lock().ended = true;
        self.set(Network::Cut);
        // Wakes the thread that accepts.
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
    }
}

impl Wire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while nothing arrives.
    fn pass(&self) {
        let stalled = |state: &mut State| state.network == Network::Stalled;
        let waited = self.changed.wait_while(self.lock(), stalled);
        drop(waited);
    }

    /// How many of the bytes may pass before it stalls, if it does.
    fn count(&self, messages: &mut Messages, bytes: &[u8]) -> usize {
        let mut state = self.lock();
        for (n, byte) in bytes.iter().enumerate() {
            if !messages.ends_replication_message(*byte) {
                continue;
            }
            if let Some(left @ 1..) = state.stalls_after {
                state.stalls_after = Some(left - 1).filter(|left| *left > 0);
                if left == 1 {
                    state.network = Network::Stalled;
                    self.changed.notify_all();
                    return n + 1;
                }
            }
        }
        bytes.len()
    }
}

/// The server's messages, byte by byte.
#[derive(Default)]
struct Messages {
    /// Whether the server has answered that it does not encrypt: a byte that is no message.
    is_begun: bool,
    /// Kind, length and first byte of the message.
    head: Vec<u8>,
    /// What is to come of it.
    left: usize,
}

impl Messages {
    /// Whether it is the last byte of a message of WAL.
    fn ends_replication_message(&mut self, byte: u8) -> bool {
        if !std::mem::replace(&mut self.is_begun, true) && byte == b'N' {
            return false;
        }
        if self.head.len() < 6 {
            self.head.push(byte);
        }
        match self.head.len() {
            ..5 => return false,
            5 if self.left == 0 => {
                let length = <[u8; 4]>::try_from(&self.head[1..5]).expect("they are four");
                // The length counts itself.
                self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(4) - 4;
            }
            _ => self.left -= 1,
        }
        if self.left > 0 {
            return false;
        }
        let is_wal = (self.head.first(), self.head.get(5)) == (Some(&b'd'), Some(&b'w'));
        self.head.clear();
        is_wal
    }
}

fn connect(wire: &Arc<Wire>, client: &TcpStream, to: u16) -> Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    for (from, to, from_server) in [(client, &server, false), (&server, client, true)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        wire.lock().streams.push(from.try_clone()?);
        let wire = Arc::clone(wire);
        thread::spawn(move || {
            let mut buffer = vec![0; BUFFER_BYTES];
            let mut messages = Messages::default();
            'open: while let Ok(n @ 1..) = from.read(&mut buffer) {
                let mut rest = &buffer[..n];
                while !rest.is_empty() {
                    wire.pass();
                    let n = match from_server {
                        true => wire.count(&mut messages, rest),
                        false => rest.len(),
                    };
                    if to.write_all(&rest[..n]).is_err() {
                        break 'open;
                    }
                    rest = &rest[n..];
                }
            }
            from.shutdown(Shutdown::Both).ok();
            to.shutdown(Shutdown::Both).ok();
        });
    }
    Ok(())
}
