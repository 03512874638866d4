//! Sessions in replication mode: slots and their streams.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use longshore_model::wal::WalFrame;
use longshore_model::{Fault, FaultClass};
use longshore_sdk::Wake;
use longshore_sdk::host::{HostReplication, HostWal, LocalFuture};
use longshore_sdk::postgres::{CreatedSlot, System, WalRead};
use tokio::time::{Instant, timeout_at};

use super::catalog::DATABASE;
use super::connection::{Connection, fault};
use super::pgoutput;
use super::server::{Server, Slot};
use super::table::TABLES;

/// For ever.
const WAIT_MAX: Duration = Duration::from_secs(86_400);

fn deadline(timeout_ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(timeout_ms).min(WAIT_MAX)
}

pub(super) struct SimReplication {
    connection: Rc<Connection>,
    /// The snapshot that the last command exported.
    exports: RefCell<Option<String>>,
}

impl Drop for SimReplication {
    fn drop(&mut self) {
        self.forget_snapshot();
    }
}

impl SimReplication {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection: Rc::new(connection),
            exports: RefCell::new(None),
        }
    }

    /// It can be joined until the next command.
    fn forget_snapshot(&self) {
        if let Some(name) = self.exports.take() {
            self.connection.server.borrow_mut().exported.remove(&name);
        }
    }

    /// Waits until it is so, as the server does.
    async fn until(&self, is_so: impl Fn(&mut Server) -> bool) -> Result<(), Fault> {
        let changed = Rc::clone(&self.connection.server.borrow().changed);
        loop {
            let mut change = pin!(changed.notified());
            change.as_mut().enable();
            self.connection.check()?;
            if is_so(&mut self.connection.server.borrow_mut()) {
                return Ok(());
            }
            change.await;
        }
    }

    async fn create(&self, export_snapshot: bool) -> Result<CreatedSlot, Fault> {
        // The log shows a consistent state when all that was running has ended.
        let running = self.connection.server.borrow().running();
        self.until(|server| server.running().is_disjoint(&running))
            .await?;
        let mut server = self.connection.server.borrow_mut();
        let view = Rc::new(server.view_of_log());
        let consistent_point = server.lsn();
        let name = format!("snapshot-{}", server.id());
        if export_snapshot {
            server.exported.insert(name.clone(), Rc::clone(&view));
            self.exports.replace(Some(name.clone()));
        }
        server.slot = Some(Slot {
            consistent: consistent_point,
            confirmed: consistent_point,
            noted: consistent_point,
            active: None,
            lingers: 0,
            snapshots: vec![view],
        });
        server.seen.slots += 1;
        Ok(CreatedSlot {
            consistent_point,
            snapshot: export_snapshot.then_some(name),
        })
    }
}

async fn within<T>(
    timeout_ms: u64,
    code: &str,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let late = |_| Err(fault(FaultClass::Retriable, code));
    timeout_at(deadline(timeout_ms), work)
        .await
        .unwrap_or_else(late)
}

impl HostReplication for SimReplication {
    fn identify(&self) -> LocalFuture<'_, Result<System, Fault>> {
        Box::pin(async move {
            self.forget_snapshot();
            self.connection.call().await?;
            let position = self.connection.server.borrow().lsn();
            self.connection.answered(System {
                identifier: 7_300_000_000_000_000_001,
                timeline: 1,
                position,
                database: DATABASE.to_owned(),
            })
        })
    }

    fn create_slot<'a>(
        &'a self,
        _name: &'a str,
        export_snapshot: bool,
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<Option<CreatedSlot>, Fault>> {
        Box::pin(async move {
            self.forget_snapshot();
            self.connection.call().await?;
            if self.connection.server.borrow_mut().random.one_in(8) {
                // The host has something to say.
                return Ok(None);
            }
            let exists = self.connection.server.borrow().slot.is_some();
            assert!(!exists, "the slot exists");
            let create = self.create(export_snapshot);
            let created = within(timeout_ms, "postgres-slot-timeout", create).await;
            if created.is_err() {
                self.connection.server.borrow_mut().seen.slot_timeouts += 1;
            }
            self.connection.answered(Some(created?))
        })
    }

    fn drop_slot<'a>(
        &'a self,
        _name: &'a str,
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            self.forget_snapshot();
            self.connection.call().await?;
            let free = self.until(|server| {
                let slot = server.slot.as_mut().expect("it was looked up");
                slot.lingers = slot.lingers.saturating_sub(1);
                slot.active.is_none() && slot.lingers == 0
            });
            within(timeout_ms, "postgres-slot-active", free).await?;
            self.connection.server.borrow_mut().slot = None;
            self.connection.answered(())
        })
    }

    fn start<'a>(
        &'a self,
        _slot: &'a str,
        start: u64,
        _options: &'a [(&'a str, &'a str)],
    ) -> LocalFuture<'a, Result<Rc<dyn HostWal>, Fault>> {
        Box::pin(async move {
            self.forget_snapshot();
            self.connection.call().await?;
            let mut server = self.connection.server.borrow_mut();
            let id = server.id();
            let slot = server.slot.as_mut().expect("it was looked up");
            if slot.active.is_some() || slot.lingers > 0 {
                slot.lingers = slot.lingers.saturating_sub(1);
                return Err(fault(FaultClass::Retriable, "postgres-slot-active"));
            }
            slot.active = Some(id);
            // What was confirmed is gone: the server goes forward without a word.
            let start = start.max(slot.confirmed);
            server.delivered.insert(id, start);
            let next = server.history.partition_point(|t| t.commit < start);
            let wal = SimWal {
                connection: Rc::clone(&self.connection),
                id,
                sender: RefCell::new(Sender {
                    next,
                    at: 0,
                    told: BTreeSet::new(),
                    kept: start,
                }),
            };
            Ok(Rc::new(wal) as Rc<dyn HostWal>)
        })
    }
}

struct SimWal {
    connection: Rc<Connection>,
    id: u32,
    sender: RefCell<Sender>,
}

/// How far the server has sent.
struct Sender {
    /// The transaction.
    next: usize,
    /// Its part: the beginning, the changes, the commit.
    at: usize,
    /// Relations whose shape was sent.
    told: BTreeSet<usize>,
    kept: u64,
}

impl Drop for SimWal {
    fn drop(&mut self) {
        let mut server = self.connection.server.borrow_mut();
        // The host has told on its way out what was confirmed, or has not come to it.
        let told = server.random.one_in(2);
        if let Some(slot) = &mut server.slot
            && slot.active == Some(self.id)
        {
            slot.active = None;
            if told {
                slot.confirmed = slot.noted;
            }
        }
        server.changed.notify_waiters();
    }
}

impl Sender {
    /// Appends frames until there are enough bytes or nothing to send; the highest LSN among them.
    fn fill(&mut self, server: &mut Server, bytes_max: usize, out: &mut Vec<u8>) -> u64 {
        let mut highest = 0;
        while out.len() < bytes_max {
            let unsent = server.history.get(self.next);
            // All that committed before this was sent, and in the middle of a transaction nothing of it counts.
            let sent = unsent.map_or(server.lsn(), |transaction| transaction.commit);
            // It says so for as long as that is not confirmed.
            let confirmed = server.slot.as_ref().map_or(0, |slot| slot.confirmed);
            let is_due = self.kept < sent || self.at > 0 || confirmed < sent;
            let frame = if is_due && server.random.one_in(6) {
                self.kept = sent;
                WalFrame::Keepalive { lsn: sent }.write(out);
                sent
            } else if self.next < server.history.len() {
                self.send(server, out)
            } else {
                return highest;
            };
            highest = highest.max(frame);
        }
        highest
    }

    /// Sends the next message.
    fn send(&mut self, server: &mut Server, out: &mut Vec<u8>) -> u64 {
        let tells_again = server.random.one_in(50);
        let transaction = &server.history[self.next];
        let n_changes = transaction.changes.len();
        let (lsn, body) = match self.at {
            0 => (transaction.changes[0].lsn, pgoutput::begin(transaction)),
            at if at > n_changes => (transaction.end, pgoutput::commit(transaction)),
            at => {
                let change = &transaction.changes[at - 1];
                if tells_again {
                    self.told.remove(&change.table);
                }
                if self.told.insert(change.table) {
                    let body = pgoutput::relation(&TABLES[change.table]);
                    let lsn = change.lsn;
                    WalFrame::Message { lsn, body: &body }.write(out);
                }
                (change.lsn, pgoutput::change(change))
            }
        };
        WalFrame::Message { lsn, body: &body }.write(out);
        self.at += 1;
        if self.at > n_changes + 1 {
            self.at = 0;
            self.next += 1;
        }
        lsn
    }
}

impl HostWal for SimWal {
    fn id(&self) -> u32 {
        self.id
    }

    fn read(&self, bytes_max: u32, timeout_ms: u64) -> LocalFuture<'_, Result<WalRead, Fault>> {
        Box::pin(async move {
            self.connection.call().await?;
            let changed = Rc::clone(&self.connection.server.borrow().changed);
            let deadline = deadline(timeout_ms);
            loop {
                let mut change = pin!(changed.notified());
                change.as_mut().enable();
                self.connection.check()?;
                let messages = self.take(bytes_max);
                if !messages.is_empty() {
                    let wake = Wake::Ready;
                    return Ok(WalRead { wake, messages });
                }
                let wake = tokio::select! {
                    biased;
                    heard = self.connection.bell.heard() => heard,
                    () = tokio::time::sleep_until(deadline) => Wake::Ready,
                    () = change => continue,
                };
                return Ok(WalRead { wake, messages });
            }
        })
    }
}

impl SimWal {
    /// What has come; sometimes only a little of it.
    fn take(&self, bytes_max: u32) -> Vec<u8> {
        let mut server = self.connection.server.borrow_mut();
        let bytes_max = match server.random.within(0..3) {
            0 => bytes_max as usize,
            1 => usize::try_from(server.random.within(1..3_000)).unwrap(),
            _ => 1,
        };
        let mut messages = Vec::new();
        let sent = self
            .sender
            .borrow_mut()
            .fill(&mut server, bytes_max, &mut messages);
        let delivered = server.delivered.entry(self.id).or_default();
        *delivered = sent.max(*delivered);
        messages
    }
}
