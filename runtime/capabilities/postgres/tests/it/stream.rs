use std::time::Duration;

use longshore_cap_postgres::{Session, WalStream};
use longshore_model::FaultClass;
use longshore_model::wal::{WalFrame, WalFrames};
use rustix::process::Signal;
use tokio::time::Instant;

use crate::server::Server;
use crate::{fault, query, until, value};

const LONG: Duration = Duration::from_secs(60);
/// `wal_sender_timeout` where a test sets it.
const SERVER_WAITS: Duration = Duration::from_secs(1);

/// A session beside the stream of a new slot.
async fn stream(server: &Server, config: &[(&str, &str)]) -> (Session, WalStream) {
    let client = server.client(config);
    let session = client.connect(&[]).await.expect("it is let in");
    for sql in [
        "CREATE TABLE t (n int PRIMARY KEY, v text)",
        "CREATE PUBLICATION \"P\" FOR TABLE t",
    ] {
        query(&session, sql).await.expect("it is right");
    }
    let replication = client.connect_replication(&[]).await.expect("it is let in");
    let created = replication
        .create_slot("s", false, LONG)
        .await
        .expect("a slot");
    let started = replication
        .start("s", created.consistent_point, &options())
        .await;
    (session, started.expect("a stream"))
}

fn options() -> [(String, String); 2] {
    [
        ("proto_version".to_owned(), "1".to_owned()),
        ("publication_names".to_owned(), "\"P\"".to_owned()),
    ]
}

/// Reads until so many transactions are complete; each message's first letter.
async fn letters(stream: &WalStream, n_commits: usize) -> Vec<u8> {
    let mut letters = Vec::new();
    while letters.iter().filter(|letter| **letter == b'C').count() < n_commits {
        let frames = stream.read(1 << 20, LONG).await.expect("frames");
        let mut read = WalFrames::new(&frames);
        for frame in read.by_ref() {
            if let WalFrame::Message { body, .. } = frame {
                letters.push(body[0]);
            }
        }
        assert!(read.rest().is_empty(), "frames are whole");
    }
    letters
}

#[tokio::test]
async fn changes_come_and_only_confirmation_moves_the_slot() {
    let Some(server) = Server::start(&["wal_sender_timeout=1s"]) else {
        return;
    };
    let (session, stream) = stream(&server, &[]).await;
    let flushed = "SELECT confirmed_flush_lsn FROM pg_replication_slots";
    let begun = value(&session, flushed).await;
    query(
        &session,
        "INSERT INTO t SELECT g, 'x' FROM generate_series(1, 3) g",
    )
    .await
    .unwrap();
    query(&session, "DELETE FROM t WHERE n = 2").await.unwrap();
    assert_eq!(letters(&stream, 2).await, b"BRIIICBDC");

    // Longer than the server waits for us, which it tells by what it sends meanwhile; the connection stays, the slot stays
    // where it is.
    let pid = value(&session, "SELECT active_pid FROM pg_replication_slots").await;
    let idle = Instant::now();
    while idle.elapsed() < 2 * SERVER_WAITS {
        assert!(!stream.read(1, LONG).await.unwrap().is_empty());
    }
    assert_eq!(
        value(&session, "SELECT active_pid FROM pg_replication_slots").await,
        pid
    );
    assert_eq!(value(&session, flushed).await, begun);

    let delivered = stream.delivered();
    stream.confirm(delivered);
    let moved = "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots";
    until(&session, moved, &delivered.to_string()).await;
    // A stream begins where it is told to.
    drop(stream);
    let active = "SELECT count(*) FROM pg_replication_slots WHERE active";
    until(&session, active, "0").await;
    query(&session, "INSERT INTO t VALUES (9, 'y')")
        .await
        .unwrap();
    let replication = server.client(&[]).connect_replication(&[]).await.unwrap();
    let again = replication.start("s", delivered, &options()).await.unwrap();
    assert_eq!(letters(&again, 1).await, b"BRIC");
    assert_eq!(again.id(), 1);
    let busy = fault(replication.identify().await);
    assert_eq!(busy.code, "postgres-connection-lost");
}

#[tokio::test]
async fn a_stream_that_is_dropped_with_a_backlog_frees_its_slot_at_once() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (session, stream) = stream(&server, &[]).await;
    let rows = "INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 50000) g";
    query(&session, rows).await.unwrap();
    assert!(!stream.read(1, LONG).await.unwrap().is_empty());
    let replication = server.client(&[]).connect_replication(&[]).await.unwrap();
    drop(stream);
    // The server would wait a minute for a reader that is gone without a word.
    replication.drop_slot("s", LONG / 4).await.unwrap();
}

#[tokio::test]
async fn a_row_of_many_megabytes_comes_whole_also_encrypted() {
    let authority = crate::certificate::Authority::new();
    let issued = authority.issue("localhost");
    let shown = crate::server::Shown {
        certificate: &issued.certificate,
        key: &issued.key,
    };
    let Some(server) = Server::start_encrypted(&[], Some(shown)) else {
        return;
    };
    let (session, stream) = stream(&server, &[("sslmode", "require")]).await;
    query(&session, "INSERT INTO t VALUES (1, repeat('x', 20000000))")
        .await
        .unwrap();
    query(
        &session,
        "INSERT INTO t SELECT g, 'x' FROM generate_series(2, 30000) g",
    )
    .await
    .unwrap();
    assert_eq!(letters(&stream, 2).await.len(), 30_000 + 5);
}

#[tokio::test]
async fn a_server_that_stops_ends_the_stream_and_it_goes_on_after_the_start() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let (session, stream) = stream(&server, &[]).await;
    query(&session, "INSERT INTO t VALUES (1, 'x')")
        .await
        .unwrap();
    assert_eq!(letters(&stream, 1).await, b"BRIC");
    drop(session);
    server.stop(Signal::QUIT);
    let ended = loop {
        if let Err(error) = stream.read(1, LONG).await {
            break fault::<()>(Err(error));
        }
    };
    assert_eq!(ended.class, FaultClass::Retriable, "{ended}");
    server.run();
    let replication = server.client(&[]).connect_replication(&[]).await.unwrap();
    let again = replication.start("s", 0, &options()).await.unwrap();
    assert_eq!(letters(&again, 1).await, b"BRIC");
}

#[tokio::test]
async fn a_publication_that_is_missing_and_a_text_that_is_none_are_named() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (session, stream) = stream(&server, &[]).await;
    query(&session, "DROP PUBLICATION \"P\"").await.unwrap();
    query(&session, "INSERT INTO t VALUES (1, 'x')")
        .await
        .unwrap();
    let missing = loop {
        if let Err(error) = stream.read(1, LONG).await {
            break fault::<()>(Err(error));
        }
    };
    assert_eq!(
        (missing.class, missing.code.as_str()),
        (FaultClass::Fatal, "postgres-publication-missing")
    );
    assert!(missing.detail("lsn").is_some());

    let ascii = "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0";
    query(&session, ascii).await.unwrap();
    let client = server.client(&[("dbname", "ascii")]);
    let session = client.connect(&[]).await.unwrap();
    query(&session, "CREATE TABLE t (v text)").await.unwrap();
    query(&session, "CREATE PUBLICATION \"P\" FOR TABLE t")
        .await
        .unwrap();
    let replication = client.connect_replication(&[]).await.unwrap();
    replication.create_slot("ascii", false, LONG).await.unwrap();
    let stream = replication.start("ascii", 0, &options()).await.unwrap();
    query(&session, "INSERT INTO t VALUES (E'\\351')")
        .await
        .unwrap();
    let poison = loop {
        if let Err(error) = stream.read(1, LONG).await {
            break fault::<()>(Err(error));
        }
    };
    assert_eq!(
        (poison.class, poison.code.as_str()),
        (FaultClass::Fatal, "postgres-invalid-text")
    );
}
