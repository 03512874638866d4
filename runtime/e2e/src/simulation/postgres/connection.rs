//! Connections to the server, and how they are lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use longshore_model::{Fault, FaultClass};
use longshore_sdk::host::{HostPostgres, HostReplication, HostSession, LocalFuture};

use super::replication::SimReplication;
use super::server::Server;
use super::session::SimSession;
use crate::native::{Bell, NativePostgres};

pub(super) type Shared = Rc<RefCell<Server>>;

/// The server as one life of a worker reaches it.
pub(super) struct SimulatedPostgres {
    server: Shared,
    bell: Bell,
}

/// One connection.
pub(super) struct Connection {
    pub(super) server: Shared,
    pub(super) bell: Bell,
    epoch: u64,
    pub(super) is_lost: Cell<bool>,
}

/// A fault of the server, as the capability names it.
pub(super) fn fault(class: FaultClass, code: &str) -> Fault {
    Fault::new(class, code, format!("the simulated server says {code}"))
}

fn lost() -> Fault {
    fault(FaultClass::Retriable, "postgres-connection-lost")
}

impl SimulatedPostgres {
    pub(super) fn new(server: Shared, bell: Bell) -> Self {
        Self { server, bell }
    }

    async fn connection(&self) -> Result<Connection, Fault> {
        let connection = Connection {
            server: Rc::clone(&self.server),
            bell: self.bell.clone(),
            epoch: self.server.borrow().epoch,
            is_lost: Cell::new(false),
        };
        connection.call().await?;
        Ok(connection)
    }
}

impl Connection {
    /// The way to the server: it takes time, and may not lead there.
    pub(super) async fn call(&self) -> Result<(), Fault> {
        let delay = {
            let mut server = self.server.borrow_mut();
            let latency_ms = server.latency_ms;
            server.random.millis(1..latency_ms)
        };
        tokio::time::sleep(delay).await;
        self.check()?;
        let mut server = self.server.borrow_mut();
        let fails_once_in = server.fails_once_in;
        if fails_once_in > 0 && server.random.one_in(fails_once_in) {
            if server.random.one_in(4) {
                server.restart();
            }
            server.seen.lost += 1;
            self.is_lost.set(true);
            return Err(lost());
        }
        Ok(())
    }

    /// The way back, on which an answer may be lost.
    pub(super) fn answered<T>(&self, answer: T) -> Result<T, Fault> {
        let mut server = self.server.borrow_mut();
        let fails_once_in = server.fails_once_in;
        if fails_once_in > 0 && server.random.one_in(fails_once_in * 2) {
            server.seen.lost += 1;
            self.is_lost.set(true);
            return Err(lost());
        }
        Ok(answer)
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.is_lost.get() || self.epoch != self.server.borrow().epoch {
            return Err(lost());
        }
        Ok(())
    }
}

impl HostPostgres for SimulatedPostgres {
    fn connect<'a>(
        &'a self,
        parameters: &'a [(&'a str, &'a str)],
    ) -> LocalFuture<'a, Result<Rc<dyn HostSession>, Fault>> {
        Box::pin(async move {
            let session = SimSession::new(self.connection().await?, parameters);
            Ok(Rc::new(session) as Rc<dyn HostSession>)
        })
    }

    fn replicate<'a>(
        &'a self,
        _parameters: &'a [(&'a str, &'a str)],
    ) -> LocalFuture<'a, Result<Rc<dyn HostReplication>, Fault>> {
        Box::pin(async move {
            let replication = SimReplication::new(self.connection().await?);
            Ok(Rc::new(replication) as Rc<dyn HostReplication>)
        })
    }
}

impl NativePostgres for SimulatedPostgres {
    fn delivered(&self, stream: u32) -> Option<u64> {
        self.server.borrow().delivered.get(&stream).copied()
    }

    /// The server is told now, or some time with a later one.
    fn confirm(&self, stream: u32, value: u64) {
        let mut server = self.server.borrow_mut();
        let at_once = !server.random.one_in(3);
        let slot = server.slot.as_mut();
        let Some(slot) = slot.filter(|slot| slot.active == Some(stream)) else {
            return;
        };
        slot.noted = slot.noted.max(value);
        if at_once {
            slot.confirmed = slot.noted;
        }
        server.seen.confirmed += 1;
    }
}
