//! A PostgreSQL server behind a native host.

use std::rc::Rc;

use longshore_model::{Fault, FaultClass};

use super::{Handle, LocalFuture};
use crate::postgres::{Copied, CreatedSlot, Row, System, WalRead};

/// The server of a [`super::Host`]; [`crate::postgres::Postgres`] says what each call means.
#[expect(missing_docs, reason = "Postgres documents each call")]
pub trait HostPostgres {
    fn connect<'a>(
        &'a self,
        parameters: &'a [(&'a str, &'a str)],
    ) -> LocalFuture<'a, Result<Rc<dyn HostSession>, Fault>>;
    fn replicate<'a>(
        &'a self,
        parameters: &'a [(&'a str, &'a str)],
    ) -> LocalFuture<'a, Result<Rc<dyn HostReplication>, Fault>>;
}

/// See [`crate::postgres::Session`].
#[expect(missing_docs, reason = "Session documents each call")]
pub trait HostSession {
    fn query<'a>(&'a self, sql: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostRows>, Fault>>;
    fn copy_out<'a>(&'a self, sql: &'a str) -> LocalFuture<'a, Result<Rc<dyn HostCopy>, Fault>>;
}

/// The answer to a statement; no rows at its end.
#[expect(missing_docs, reason = "Session documents each call")]
pub trait HostRows {
    fn read(&self, bytes_max: u32) -> LocalFuture<'_, Result<Vec<Row>, Fault>>;
}

/// See [`crate::postgres::CopyOut`].
#[expect(missing_docs, reason = "CopyOut documents each call")]
pub trait HostCopy {
    fn read(&self, bytes_max: u32, timeout_ms: u64) -> LocalFuture<'_, Result<Copied, Fault>>;
}

/// See [`crate::postgres::Replication`].
#[expect(missing_docs, reason = "Replication documents each call")]
pub trait HostReplication {
    fn identify(&self) -> LocalFuture<'_, Result<System, Fault>>;
    fn create_slot<'a>(
        &'a self,
        name: &'a str,
        export_snapshot: bool,
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<Option<CreatedSlot>, Fault>>;
    fn drop_slot<'a>(
        &'a self,
        name: &'a str,
        timeout_ms: u64,
    ) -> LocalFuture<'a, Result<(), Fault>>;
    fn start<'a>(
        &'a self,
        slot: &'a str,
        start: u64,
        options: &'a [(&'a str, &'a str)],
    ) -> LocalFuture<'a, Result<Rc<dyn HostWal>, Fault>>;
}

/// See [`crate::postgres::WalStream`].
#[expect(missing_docs, reason = "WalStream documents each call")]
pub trait HostWal {
    fn id(&self) -> u32;
    fn read(&self, bytes_max: u32, timeout_ms: u64) -> LocalFuture<'_, Result<WalRead, Fault>>;
}

pub(crate) type PostgresSession = Rc<dyn HostSession>;
pub(crate) type PostgresRows = Rc<dyn HostRows>;
pub(crate) type PostgresCopy = Rc<dyn HostCopy>;
pub(crate) type PostgresReplication = Rc<dyn HostReplication>;
pub(crate) type PostgresWal = Rc<dyn HostWal>;

fn server(host: &Handle) -> Result<Rc<dyn HostPostgres>, Fault> {
    host.postgres().ok_or_else(|| {
        let message = "this host has no PostgreSQL server";
        Fault::new(FaultClass::Denied, "postgres-not-granted", message)
    })
}

pub(crate) async fn connect_postgres(
    host: &Handle,
    parameters: &[(&str, &str)],
) -> Result<PostgresSession, Fault> {
    server(host)?.connect(parameters).await
}

pub(crate) async fn replicate_postgres(
    host: &Handle,
    parameters: &[(&str, &str)],
) -> Result<PostgresReplication, Fault> {
    server(host)?.replicate(parameters).await
}

pub(crate) async fn query_postgres(
    session: &PostgresSession,
    sql: &str,
) -> Result<PostgresRows, Fault> {
    session.query(sql).await
}

pub(crate) async fn next_rows(rows: &PostgresRows, bytes_max: u32) -> Result<Vec<Row>, Fault> {
    rows.read(bytes_max).await
}

pub(crate) async fn copy_out_postgres(
    session: &PostgresSession,
    sql: &str,
) -> Result<PostgresCopy, Fault> {
    session.copy_out(sql).await
}

pub(crate) async fn read_copy(
    copy: &PostgresCopy,
    bytes_max: u32,
    timeout_ms: u64,
) -> Result<Copied, Fault> {
    copy.read(bytes_max, timeout_ms).await
}

pub(crate) async fn identify_postgres(replication: &PostgresReplication) -> Result<System, Fault> {
    replication.identify().await
}

pub(crate) async fn create_slot(
    replication: &PostgresReplication,
    name: &str,
    export_snapshot: bool,
    timeout_ms: u64,
) -> Result<Option<CreatedSlot>, Fault> {
    replication
        .create_slot(name, export_snapshot, timeout_ms)
        .await
}

pub(crate) async fn drop_slot(
    replication: &PostgresReplication,
    name: &str,
    timeout_ms: u64,
) -> Result<(), Fault> {
    replication.drop_slot(name, timeout_ms).await
}

pub(crate) async fn start_replication(
    replication: &PostgresReplication,
    slot: &str,
    start: u64,
    options: &[(&str, &str)],
) -> Result<PostgresWal, Fault> {
    replication.start(slot, start, options).await
}

pub(crate) fn wal_id(wal: &PostgresWal) -> u32 {
    wal.id()
}

pub(crate) async fn read_wal(
    wal: &PostgresWal,
    bytes_max: u32,
    timeout_ms: u64,
) -> Result<WalRead, Fault> {
    wal.read(bytes_max, timeout_ms).await
}
