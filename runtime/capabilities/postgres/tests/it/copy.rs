use std::time::Duration;

use longshore_cap_postgres::{CopyOut, Session};

use crate::server::Server;
use crate::{fault, until, value};

const LONG: Duration = Duration::from_secs(60);
const SERIES: &str =
    "COPY (SELECT g, repeat('x', g % 300) FROM generate_series(1, 50000) g) TO STDOUT";

async fn read_all(copy: &CopyOut, bytes_max: usize) -> Vec<Vec<u8>> {
    let mut reads = Vec::new();
    loop {
        let copied = copy.read(bytes_max, LONG).await.expect("rows");
        assert!(copied.done || !copied.rows.is_empty());
        reads.push(copied.rows);
        if copied.done {
            return reads;
        }
    }
}

async fn session(server: &Server) -> Session {
    let session = server.client(&[]).connect(&[]).await;
    session.expect("it is let in")
}

#[tokio::test]
async fn a_copy_comes_in_whole_rows_and_bounded_reads() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let session = session(&server).await;
    let expected: String = (1..=50_000)
        .map(|g| format!("{g}\t{}\n", "x".repeat(g % 300)))
        .collect();
    for bytes_max in [1, 100_000, usize::MAX] {
        let copy = session.copy_out(SERIES).unwrap();
        let reads = read_all(&copy, bytes_max).await;
        assert!(
            reads
                .iter()
                .all(|read| read.last().is_none_or(|last| *last == b'\n'))
        );
        let largest = reads.iter().map(Vec::len).max();
        assert!(largest < Some(bytes_max.max(20 << 10)));
        assert!(reads.concat() == expected.as_bytes(), "the rows differ");
        let again = copy.read(1, LONG).await.unwrap();
        assert!(again.done && again.rows.is_empty());
    }
    let empty = session.copy_out("COPY (SELECT 1 WHERE false) TO STDOUT");
    assert_eq!(read_all(&empty.unwrap(), 1).await.concat(), b"");
    assert_eq!(value(&session, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_copy_that_is_not_read_is_not_held_in_memory() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let watcher = session(&server).await;
    let copying = session(&server).await;
    let pid = value(&copying, "SELECT pg_backend_pid()").await;
    let copy = copying
        .copy_out("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 200000)) TO STDOUT")
        .unwrap();
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'ClientWrite'"
    );
    until(&watcher, &waits, "1").await;
    let bytes: usize = read_all(&copy, usize::MAX).await.iter().map(Vec::len).sum();
    assert_eq!(bytes, 200_000 * 1001);
}

#[tokio::test]
async fn a_copy_that_is_dropped_early_closes_its_session() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let watcher = session(&server).await;
    let copying = session(&server).await;
    let pid = value(&copying, "SELECT pg_backend_pid()").await;
    let endless = "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000000)) TO STDOUT";
    let copy = copying.copy_out(endless).unwrap();
    assert!(!copy.read(1, LONG).await.unwrap().rows.is_empty());
    assert_eq!(
        fault(copying.query("SELECT 1").await).code,
        "postgres-session-busy"
    );
    drop(copy);
    let alive = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    until(&watcher, &alive, "0").await;
    let lost = copying.query("SELECT 1").await.err().unwrap();
    assert_eq!(lost.code(), "postgres-connection-lost");
}

#[tokio::test]
async fn a_copy_that_fails_gives_its_rows_and_then_the_error() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let session = session(&server).await;
    let nothing = session.copy_out("COPY nothing TO STDOUT").unwrap();
    let refused = fault(nothing.read(1, LONG).await);
    assert_eq!(refused.detail("sqlstate"), Some("42P01"));

    let failing = "COPY (SELECT 1/(30000-g) FROM generate_series(1, 50000) g) TO STDOUT";
    let copy = session.copy_out(failing).unwrap();
    let mut rows = Vec::new();
    let failed = loop {
        match copy.read(1, LONG).await {
            Ok(copied) => rows.extend_from_slice(&copied.rows),
            Err(error) => break fault::<()>(Err(error)),
        }
    };
    assert_eq!(failed.detail("sqlstate"), Some("22012"));
    assert_eq!(rows.iter().filter(|byte| **byte == b'\n').count(), 29_999);
    assert_eq!(value(&session, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let session = session(&server).await;
    let copy = session.copy_out(SERIES).unwrap();
    let mut bytes = 0;
    loop {
        let read = copy.read(1000, LONG);
        tokio::select! {
            biased;
            copied = read => {
                let copied = copied.unwrap();
                bytes += copied.rows.len();
                if copied.done {
                    break;
                }
            }
            () = tokio::task::yield_now() => {}
        }
    }
    let expected: usize = (1..=50_000)
        .map(|g: usize| g.to_string().len() + 2 + g % 300)
        .sum();
    assert_eq!(bytes, expected);
}
