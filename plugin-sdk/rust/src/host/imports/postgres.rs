//! `longshore:postgres`, call by call.

use longshore_model::Fault;

use super::{Handle, wake_in};
use crate::guest::bindings::imports::longshore::postgres::postgres as wit;
use crate::guest::convert::fault_in;
use crate::postgres::{Copied, CreatedSlot, Row, System, WalRead};

pub(crate) type PostgresSession = wit::Session;
pub(crate) type PostgresRows = wit::Rows;
pub(crate) type PostgresCopy = wit::CopyReader;
pub(crate) type PostgresReplication = wit::Replication;
pub(crate) type PostgresWal = wit::WalStream;

pub(crate) async fn connect_postgres(
    _host: &Handle,
    parameters: &[(&str, &str)],
) -> Result<PostgresSession, Fault> {
    wit::connect(owned(parameters)).await.map_err(fault_in)
}

pub(crate) async fn replicate_postgres(
    _host: &Handle,
    parameters: &[(&str, &str)],
) -> Result<PostgresReplication, Fault> {
    let session = wit::connect_replication(owned(parameters)).await;
    session.map_err(fault_in)
}

pub(crate) async fn query_postgres(
    session: &PostgresSession,
    sql: &str,
) -> Result<PostgresRows, Fault> {
    session.query(sql.to_owned()).await.map_err(fault_in)
}

pub(crate) async fn next_rows(rows: &PostgresRows, bytes_max: u32) -> Result<Vec<Row>, Fault> {
    rows.read(bytes_max).await.map_err(fault_in)
}

pub(crate) async fn copy_out_postgres(
    session: &PostgresSession,
    sql: &str,
) -> Result<PostgresCopy, Fault> {
    session.copy_out(sql.to_owned()).await.map_err(fault_in)
}

pub(crate) async fn read_copy(
    copy: &PostgresCopy,
    bytes_max: u32,
    timeout_ms: u64,
) -> Result<Copied, Fault> {
    let copied = copy.read(bytes_max, timeout_ms).await.map_err(fault_in)?;
    Ok(Copied {
        wake: wake_in(copied.wake),
        rows: copied.rows,
        done: copied.done,
    })
}

pub(crate) async fn identify_postgres(replication: &PostgresReplication) -> Result<System, Fault> {
    let system = replication.identify().await.map_err(fault_in)?;
    Ok(System {
        identifier: system.identifier,
        timeline: system.timeline,
        position: system.position,
        database: system.database,
    })
}

pub(crate) async fn create_slot(
    replication: &PostgresReplication,
    name: &str,
    export_snapshot: bool,
    timeout_ms: u64,
) -> Result<Option<CreatedSlot>, Fault> {
    let created = replication.create_slot(name.to_owned(), export_snapshot, timeout_ms);
    let created = created.await.map_err(fault_in)?;
    Ok(created.map(|created| CreatedSlot {
        consistent_point: created.consistent_point,
        snapshot: created.snapshot,
    }))
}

pub(crate) async fn drop_slot(
    replication: &PostgresReplication,
    name: &str,
    timeout_ms: u64,
) -> Result<(), Fault> {
    let dropped = replication.drop_slot(name.to_owned(), timeout_ms).await;
    dropped.map_err(fault_in)
}

pub(crate) async fn start_replication(
    replication: &PostgresReplication,
    slot: &str,
    start: u64,
    options: &[(&str, &str)],
) -> Result<PostgresWal, Fault> {
    let started = replication.start(slot.to_owned(), start, owned(options));
    started.await.map_err(fault_in)
}

pub(crate) fn wal_id(wal: &PostgresWal) -> u32 {
    wal.id()
}

pub(crate) async fn read_wal(
    wal: &PostgresWal,
    bytes_max: u32,
    timeout_ms: u64,
) -> Result<WalRead, Fault> {
    let read = wal.read(bytes_max, timeout_ms).await.map_err(fault_in)?;
    Ok(WalRead {
        wake: wake_in(read.wake),
        messages: read.messages,
    })
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}
