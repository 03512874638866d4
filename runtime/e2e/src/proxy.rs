//! A network between a connector and its server that fails as it is told.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::Result;

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
}

fn connect(wire: &Arc<Wire>, client: &TcpStream, to: u16) -> Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    for (from, to) in [(client, &server), (&server, client)] {
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        wire.lock().streams.push(from.try_clone()?);
        let wire = Arc::clone(wire);
        thread::spawn(move || {
            let mut buffer = vec![0; BUFFER_BYTES];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                wire.pass();
                if to.write_all(&buffer[..n]).is_err() {
                    break;
                }
            }
            from.shutdown(Shutdown::Both).ok();
            to.shutdown(Shutdown::Both).ok();
        });
    }
    Ok(())
}
