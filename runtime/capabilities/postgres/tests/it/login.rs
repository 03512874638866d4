use longshore_cap_postgres::{PostgresClient, SESSIONS_MAX};
use longshore_model::FaultClass;
use tokio::runtime::Handle;

use crate::server::Server;
use crate::{fault, query, value};

type Config<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn whoever_is_refused_is_told_why() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let session = server.client(&[]).connect(&[]).await.unwrap();
    let roles = "DO $$ BEGIN CREATE ROLE out PASSWORD 'p' NOLOGIN; CREATE ROLE plain LOGIN PASSWORD 'p'; END $$";
    query(&session, roles).await.unwrap();

    let refused: [(Config<'_>, &str, &str); 4] = [
        (
            &[("password", "hush-hush")],
            "postgres-wrong-password",
            "28P01",
        ),
        (&[("user", "nobody")], "postgres-wrong-password", "28P01"),
        (
            &[("user", "out"), ("password", "p")],
            "postgres-login-refused",
            "28000",
        ),
        (&[("dbname", "none")], "postgres-database-missing", "3D000"),
    ];
    for (config, code, sqlstate) in refused {
        let client = server.client(config);
        let ordinary = fault(client.connect(&[]).await);
        let replication = fault(client.connect_replication(&[]).await);
        for fault in [ordinary, replication] {
            assert_eq!(
                (fault.class, fault.code.as_str()),
                (FaultClass::Config, code)
            );
            assert_eq!(fault.detail("sqlstate"), Some(sqlstate));
            assert!(!format!("{fault:?}").contains("hush-hush"));
        }
    }

    let plain = server.client(&[("user", "plain"), ("password", "p")]);
    let fault = fault(plain.connect_replication(&[]).await);
    assert_eq!(fault.code, "postgres-not-permitted");
    assert_eq!(fault.class, FaultClass::Config);
}

#[tokio::test]
async fn a_server_that_is_full_says_of_what() {
    let Some(server) = Server::start(&["max_wal_senders=1", "max_replication_slots=1"]) else {
        return;
    };
    let client = server.client(&[]);
    let first = client.connect_replication(&[]).await.unwrap();
    let full = fault(client.connect_replication(&[]).await);
    assert_eq!(full.code, "postgres-senders-in-use");
    assert_eq!(full.detail("setting"), Some("max_wal_senders"));
    assert_eq!(full.class, FaultClass::Config);

    let limit = std::time::Duration::from_secs(30);
    first.create_slot("one", false, limit).await.unwrap();
    let full = fault(first.create_slot("two", false, limit).await);
    assert_eq!(full.code, "postgres-slots-in-use");
    assert_eq!(full.detail("setting"), Some("max_replication_slots"));
    assert_eq!(full.class, FaultClass::Config);
}

#[tokio::test]
async fn a_wal_level_without_logic_is_named() {
    let Some(server) = Server::start(&["wal_level=replica"]) else {
        return;
    };
    let replication = server.client(&[]).connect_replication(&[]).await.unwrap();
    let limit = std::time::Duration::from_secs(30);
    let fault = fault(replication.create_slot("s", true, limit).await);
    assert_eq!(fault.code, "postgres-wal-level");
    assert_eq!(fault.class, FaultClass::Config);
}

#[tokio::test]
async fn one_task_has_a_limited_number_of_sessions() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let client = server.client(&[]);
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS_MAX {
        sessions.push(client.connect(&[]).await.unwrap());
    }
    let fault = fault(client.clone().connect(&[]).await);
    assert_eq!(fault.code, "postgres-too-many-sessions");
    assert_eq!(fault.class, FaultClass::Fatal);
    assert_eq!(value(&sessions[15], "SELECT 1").await, "1");
}

#[tokio::test]
async fn without_a_grant_every_call_is_denied() {
    let client = PostgresClient::new(None, Handle::current());
    for fault in [
        fault(client.connect(&[]).await),
        fault(client.connect_replication(&[]).await),
    ] {
        assert_eq!(fault.code, "postgres-not-granted");
        assert_eq!(fault.class, FaultClass::Denied);
    }
}
