//! Ordinary sessions: catalog, snapshots, copies.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use longshore_model::{Fault, FaultClass};
use longshore_sdk::Wake;
use longshore_sdk::host::{HostCopy, HostRows, HostSession, LocalFuture};
use longshore_sdk::postgres::{Copied, Row};

use super::catalog::lsn_text;
use super::connection::{Connection, fault};
use super::copy::Statement;
use super::view::View;

pub(super) struct SimSession {
    connection: Rc<Connection>,
    /// Whether it has neither of the timeouts that would end a long copy.
    is_lasting: bool,
    in_transaction: Cell<bool>,
    /// What its transaction sees, from its first statement on.
    view: RefCell<Option<Rc<View>>>,
    is_copying: Rc<Cell<bool>>,
    /// The snapshot that it exports.
    exports: RefCell<Option<String>>,
}

impl Drop for SimSession {
    fn drop(&mut self) {
        if let Some(name) = self.exports.take() {
            self.connection.server.borrow_mut().exported.remove(&name);
        }
    }
}

impl SimSession {
    pub(super) fn new(connection: Connection, parameters: &[(&str, &str)]) -> Self {
        let timeouts = ["statement_timeout", "idle_in_transaction_session_timeout"];
        Self {
            connection: Rc::new(connection),
            is_lasting: timeouts
                .iter()
                .all(|name| parameters.contains(&(name, "0"))),
            in_transaction: Cell::new(false),
            view: RefCell::new(None),
            is_copying: Rc::new(Cell::new(false)),
            exports: RefCell::new(None),
        }
    }

    async fn answer(&self, sql: &str) -> Result<Vec<Row>, Fault> {
        assert!(!self.is_copying.get(), "the session copies: {sql}");
        self.connection.call().await?;
        let rows = if sql.starts_with("BEGIN ISOLATION LEVEL REPEATABLE READ") {
            self.in_transaction.set(true);
            Vec::new()
        } else if let Some(name) = sql.strip_prefix("SET TRANSACTION SNAPSHOT ") {
            self.join(name.trim_matches('\''))?;
            Vec::new()
        } else if sql.starts_with("SELECT pg_export_snapshot(), txid_current_snapshot()") {
            self.export().await?
        } else if sql == "SELECT txid_snapshot_xmax(txid_current_snapshot())" {
            vec![vec![Some(self.view().xmax.to_string())]]
        } else {
            self.connection.server.borrow_mut().answer(sql)
        };
        self.connection.answered(rows)
    }

    fn view(&self) -> Rc<View> {
        assert!(
            self.in_transaction.get(),
            "a snapshot lives in a transaction"
        );
        let mut view = self.view.borrow_mut();
        let now = || Rc::new(self.connection.server.borrow().view());
        Rc::clone(view.get_or_insert_with(now))
    }

    fn join(&self, name: &str) -> Result<(), Fault> {
        assert!(self.in_transaction.get() && self.view.borrow().is_none());
        let server = self.connection.server.borrow();
        let Some(view) = server.exported.get(name) else {
            let refused = fault(FaultClass::Fatal, "postgres-refused");
            return Err(refused.with("sqlstate", "22023"));
        };
        self.view.replace(Some(Rc::clone(view)));
        Ok(())
    }

    /// Transactions go on while the statement runs: its end of the log lies behind what it sees.
    async fn export(&self) -> Result<Vec<Row>, Fault> {
        let view = self.view();
        self.connection.call().await?;
        let mut server = self.connection.server.borrow_mut();
        let name = format!("snapshot-{}", server.id());
        server.exported.insert(name.clone(), Rc::clone(&view));
        self.exports.replace(Some(name.clone()));
        if let Some(slot) = &mut server.slot {
            slot.snapshots.push(Rc::clone(&view));
        }
        server.seen.snapshots += 1;
        let cells = [name, view.text(), lsn_text(server.lsn())];
        Ok(vec![cells.into_iter().map(Some).collect()])
    }
}

impl HostSession for SimSession {
    fn query<'a>(&'a self, sql: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostRows>, Fault>> {
        Box::pin(async move {
            let rows = SimRows(RefCell::new(self.answer(sql).await?));
            Ok(Rc::new(rows) as Rc<dyn HostRows>)
        })
    }

    fn copy_out<'a>(&'a self, sql: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostCopy>, Fault>> {
        Box::pin(async move {
            assert!(self.is_lasting, "a copy may take long");
            assert!(!self.is_copying.get(), "the session copies: {sql}");
            self.connection.call().await?;
            let view = self.view();
            let random = &mut self.connection.server.borrow_mut().random;
            let rows = Statement::parse(sql).rows(&view, random);
            self.is_copying.set(true);
            let copy = SimCopy {
                connection: Rc::clone(&self.connection),
                rows: RefCell::new(rows.into()),
                is_copying: Rc::clone(&self.is_copying),
                is_read: Cell::new(false),
            };
            Ok(Rc::new(copy) as Rc<dyn HostCopy>)
        })
    }
}

struct SimRows(RefCell<Vec<Row>>);

impl HostRows for SimRows {
    fn read(&self, _bytes_max: u32) -> LocalFuture<'_, Result<Vec<Row>, Fault>> {
        Box::pin(async move { Ok(self.0.take()) })
    }
}

struct SimCopy {
    connection: Rc<Connection>,
    rows: RefCell<VecDeque<Vec<u8>>>,
    /// The session's, which may be copying something else when this copy goes.
    is_copying: Rc<Cell<bool>>,
    is_read: Cell<bool>,
}

impl Drop for SimCopy {
    fn drop(&mut self) {
        // A copy that is given up closes its session.
        if !self.is_read.get() {
            self.connection.is_lost.set(true);
        }
    }
}

impl HostCopy for SimCopy {
    /// A row, or a few, or all.
    fn read(&self, bytes_max: u32, _timeout_ms: u64) -> LocalFuture<'_, Result<Copied, Fault>> {
        Box::pin(async move {
            self.connection.call().await?;
            let random = &mut self.connection.server.borrow_mut().random;
            let (bytes_max, wake) = match random.within(0..4) {
                _ if bytes_max == 0 => (0, Wake::Ready),
                0 => (bytes_max, Wake::Ready),
                1 => (1, Wake::Woken),
                2 => (1, Wake::Ready),
                _ => (400, Wake::Ready),
            };
            let mut queue = self.rows.borrow_mut();
            let mut rows = Vec::new();
            while rows.len() < bytes_max as usize
                && let Some(row) = queue.pop_front()
            {
                rows.extend(row);
            }
            let done = queue.is_empty();
            if done {
                self.is_read.set(true);
                self.is_copying.set(false);
            }
            Ok(Copied { wake, rows, done })
        })
    }
}
