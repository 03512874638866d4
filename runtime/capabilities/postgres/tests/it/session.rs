use longshore_model::FaultClass;
use rustix::process::Signal;

use crate::server::Server;
use crate::{fault, query, until, value};

fn own(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    parameters.iter().map(own).collect()
}

#[tokio::test]
async fn rows_come_as_text_under_the_sessions_settings() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let parameters = own(&[("DateStyle", "German"), ("search_path", "\"a \\b\", c")]);
    let session = server.client(&[]).connect(&parameters).await.unwrap();

    let rows = query(&session, "SELECT date '2026-11-21', NULL, '', 'ü', 1.50").await;
    let text = |value: &str| Some(value.to_owned());
    let expected = vec![text("21.11.2026"), None, text(""), text("ü"), text("1.50")];
    assert_eq!(rows.unwrap(), [expected]);
    assert_eq!(value(&session, "SHOW search_path").await, "\"a \\b\", c");
    assert_eq!(value(&session, "SHOW client_encoding").await, "UTF8");
    assert_eq!(value(&session, "SHOW application_name").await, "longshore");

    let replication = server.client(&[]).connect_replication(&parameters).await;
    drop(replication.unwrap());
    let ours = own(&[("Client_Encoding", "LATIN1")]);
    let fault = fault(server.client(&[]).connect(&ours).await);
    assert_eq!(fault.detail("key"), Some("client_encoding"));
}

#[tokio::test]
async fn a_refused_statement_leaves_the_session() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let session = server.client(&[]).connect(&[]).await.unwrap();
    let refused = fault(query(&session, "SELECT 1/0 FROM generate_series(1, 3)").await);
    assert_eq!(refused.detail("sqlstate"), Some("22012"));
    assert_eq!(refused.class, FaultClass::Fatal);

    // The error comes after the rows before it.
    let rows =
        session.query("SELECT repeat('x', 1000) , 1/(9999-g) FROM generate_series(1, 9999) g");
    let rows = rows.await.unwrap();
    assert!(!rows.read(1).await.unwrap().is_empty());
    let failed = loop {
        match rows.read(1).await {
            Ok(page) => assert!(!page.is_empty(), "the statement fails"),
            Err(error) => break error,
        }
    };
    assert_eq!(failed.class(), FaultClass::Fatal);
    assert!(rows.read(1).await.is_err(), "it stays failed");
    assert_eq!(value(&session, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_session_does_one_thing_at_a_time() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let session = server.client(&[]).connect(&[]).await.unwrap();
    let series = "SELECT repeat('x', 1000) FROM generate_series(1, 100000)";
    let rows = session.query(series).await.unwrap();
    assert!(!rows.read(1 << 20).await.unwrap().is_empty());
    assert_eq!(
        fault(session.query("SELECT 1").await).code,
        "postgres-session-busy"
    );
    drop(rows);
    assert_eq!(value(&session, "SELECT 1").await, "1");
    assert_eq!(query(&session, series).await.unwrap().len(), 100_000);
    assert!(query(&session, "").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_is_dropped_at_work_stops_its_statement() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let client = server.client(&[]);
    let session = client.connect(&[]).await.unwrap();
    let watcher = client.connect(&[]).await.unwrap();
    let pid = value(&session, "SELECT pg_backend_pid()").await;
    let rows = session.query("SELECT pg_sleep(3600)").await.unwrap();
    let sleeps = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    let active = format!("{sleeps} AND state = 'active' AND query LIKE '%3600%'");
    until(&watcher, &active, "1").await;
    drop(session);
    until(&watcher, &sleeps, "0").await;
    assert_eq!(fault(rows.read(1).await).code, "postgres-connection-lost");
}

#[tokio::test]
async fn a_server_that_stops_is_worth_another_try() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let client = server.client(&[]);
    let session = client.connect(&[]).await.unwrap();
    let rows = session.query("SELECT pg_sleep(3600)").await.unwrap();
    server.stop(Signal::INT);
    let ended = fault(rows.read(1).await);
    assert_eq!(
        (ended.class, ended.code.as_str()),
        (FaultClass::Retriable, "postgres-stopping")
    );
    let lost = fault(query(&session, "SELECT 1").await);
    assert_eq!(
        (lost.class, lost.code.as_str()),
        (FaultClass::Retriable, "postgres-connection-lost")
    );
    let gone = fault(client.connect(&[]).await);
    assert_eq!(
        (gone.class, gone.code.as_str()),
        (FaultClass::Retriable, "postgres-unreachable")
    );
    server.run();
    let session = client.connect(&[]).await.unwrap();
    assert_eq!(value(&session, "SELECT 1").await, "1");
}
