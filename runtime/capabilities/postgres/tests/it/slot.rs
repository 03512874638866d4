use std::time::Duration;

use longshore_cap_postgres::{Replication, Session};
use longshore_model::FaultClass;

use crate::server::Server;
use crate::{fault, query, until, value};

const LONG: Duration = Duration::from_secs(60);
const N_SLOTS: &str = "SELECT count(*) FROM pg_replication_slots";

async fn both(server: &Server) -> (Session, Replication) {
    let client = server.client(&[]);
    let session = client.connect(&[]).await.expect("it is let in");
    let replication = client.connect_replication(&[]).await;
    (session, replication.expect("it is let in"))
}

fn options(publication: &str) -> [(String, String); 2] {
    [
        ("proto_version".to_owned(), "1".to_owned()),
        ("publication_names".to_owned(), format!("\"{publication}\"")),
    ]
}

#[tokio::test]
async fn a_slot_exports_the_snapshot_that_it_begins_at() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (session, replication) = both(&server).await;
    query(&session, "CREATE TABLE t AS SELECT 1 AS n")
        .await
        .unwrap();

    let system = replication.identify().await.unwrap();
    let identifier = value(
        &session,
        "SELECT system_identifier FROM pg_control_system()",
    )
    .await;
    assert_eq!(system.identifier.to_string(), identifier);
    assert_eq!((system.timeline, system.database.as_str()), (1, "postgres"));

    let created = replication.create_slot("s", true, LONG).await.unwrap();
    assert!(created.consistent_point >= system.position);
    query(&session, "INSERT INTO t VALUES (2)").await.unwrap();
    let snapshot = created.snapshot.unwrap();
    query(&session, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await
        .unwrap();
    query(&session, &format!("SET TRANSACTION SNAPSHOT '{snapshot}'"))
        .await
        .unwrap();
    assert_eq!(value(&session, "SELECT count(*) FROM t").await, "1");
    query(&session, "COMMIT").await.unwrap();

    let exists = fault(replication.create_slot("s", false, LONG).await);
    assert_eq!(
        (exists.class, exists.code.as_str()),
        (FaultClass::Fatal, "postgres-slot-exists")
    );
    replication.drop_slot("s", LONG).await.unwrap();
    assert_eq!(value(&session, N_SLOTS).await, "0");
    let missing = fault(replication.drop_slot("s", LONG).await);
    assert_eq!(missing.code, "postgres-slot-missing");
    assert_eq!(missing.detail("slot"), Some("s"));
    let wrong = fault(replication.create_slot("S L", false, LONG).await);
    assert_eq!(wrong.detail("sqlstate"), Some("42602"));
    let wrong = fault(replication.drop_slot("s\"", LONG).await);
    assert_eq!(wrong.code, "postgres-refused");
    let wrong = fault(replication.drop_slot("\0", LONG).await);
    assert_eq!(
        (wrong.class, wrong.code.as_str()),
        (FaultClass::Fatal, "postgres-zero-byte")
    );
    let wrong = fault(session.query("SELECT '\0'").await);
    assert_eq!(
        (wrong.class, wrong.code.as_str()),
        (FaultClass::Fatal, "postgres-zero-byte")
    );
    let plain = replication.create_slot("plain", false, LONG).await.unwrap();
    assert_eq!(plain.snapshot, None);
}

#[tokio::test]
async fn a_slot_that_has_to_wait_is_cancelled_in_time() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (session, replication) = both(&server).await;
    let watcher = server.client(&[]).connect(&[]).await.unwrap();
    query(&session, "BEGIN").await.unwrap();
    query(&session, "SELECT pg_current_xact_id()")
        .await
        .unwrap();

    let late = fault(
        replication
            .create_slot("s", true, Duration::from_millis(300))
            .await,
    );
    assert_eq!(
        (late.class, late.code.as_str()),
        (FaultClass::Retriable, "postgres-slot-timeout")
    );
    assert_eq!(value(&watcher, N_SLOTS).await, "0");

    // The same when nobody waits any more.
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND wait_event_type = 'Lock'";
    tokio::select! {
        _ = replication.create_slot("s", true, LONG) => panic!("it has to wait"),
        () = until(&watcher, waits, "1") => {}
    }
    assert_eq!(replication.identify().await.unwrap().database, "postgres");
    assert_eq!(value(&watcher, N_SLOTS).await, "0");

    // The same when it is given up, and the answer comes when nothing is left.
    let waiting = until(&watcher, waits, "1");
    let given_up = replication.create_slot_until("s", true, LONG, waiting);
    assert_eq!(given_up.await.unwrap(), None);
    assert_eq!(value(&watcher, N_SLOTS).await, "0");
    query(&session, "COMMIT").await.unwrap();
    replication.create_slot("s", true, LONG).await.unwrap();
    assert_eq!(value(&watcher, N_SLOTS).await, "1");
}

#[tokio::test]
async fn a_slot_in_use_is_named_with_its_reader_and_waited_for() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (session, reading) = both(&server).await;
    query(&session, "CREATE PUBLICATION p FOR ALL TABLES")
        .await
        .unwrap();
    reading.create_slot("s", false, LONG).await.unwrap();
    let stream = reading.start("s", 0, &options("p")).await.unwrap();
    let pid = value(&session, "SELECT active_pid FROM pg_replication_slots").await;

    let other = server.client(&[]).connect_replication(&[]).await.unwrap();
    for active in [
        fault(other.start("s", 0, &options("p")).await),
        fault(other.drop_slot("s", Duration::from_millis(300)).await),
    ] {
        assert_eq!(
            (active.class, active.code.as_str()),
            (FaultClass::Retriable, "postgres-slot-active")
        );
        assert_eq!(active.detail("pid"), Some(pid.as_str()));
        assert_eq!(active.detail("slot"), Some("s"));
    }

    let (dropped, ()) = tokio::join!(other.drop_slot("s", LONG), async { drop(stream) });
    dropped.unwrap();
    assert_eq!(value(&session, N_SLOTS).await, "0");
}

#[tokio::test]
async fn a_slot_that_cannot_be_read_says_why() {
    let Some(server) = Server::start(&["max_slot_wal_keep_size=1MB", "min_wal_size=32MB"]) else {
        return;
    };
    let (session, replication) = both(&server).await;
    query(&session, "CREATE PUBLICATION p FOR ALL TABLES")
        .await
        .unwrap();
    let missing = fault(replication.start("s", 0, &options("p")).await);
    assert_eq!(
        (missing.class, missing.code.as_str()),
        (FaultClass::Fatal, "postgres-slot-missing")
    );
    assert_eq!(missing.detail("slot"), Some("s"));

    query(&session, "CREATE DATABASE other").await.unwrap();
    let other = server.client(&[("dbname", "other")]);
    let other = other.connect_replication(&[]).await.unwrap();
    other.create_slot("elsewhere", false, LONG).await.unwrap();
    let elsewhere = fault(replication.start("elsewhere", 0, &options("p")).await);
    assert_eq!(elsewhere.code, "postgres-slot-elsewhere");

    replication.create_slot("s", false, LONG).await.unwrap();
    for _ in 0..6 {
        query(
            &session,
            "SELECT pg_logical_emit_message(false, 'm', repeat('x', 100000)), pg_switch_wal()",
        )
        .await
        .unwrap();
    }
    query(&session, "CHECKPOINT").await.unwrap();
    let lost = fault(replication.start("s", 0, &options("p")).await);
    assert_eq!(
        (lost.class, lost.code.as_str()),
        (FaultClass::Fatal, "postgres-slot-lost")
    );
    // The session is still good for other commands.
    replication.drop_slot("s", LONG).await.unwrap();
}
