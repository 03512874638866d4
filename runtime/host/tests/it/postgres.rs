//! A guest that connects to PostgreSQL, as far as that needs no server.

use std::time::Duration;

use longshore_host::Limits;
use longshore_model::{Fault, FaultClass, Position, SourcePosition};
use longshore_pipeline::port::{Plugins as _, Signal as _, SourcePlugin as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::zoo::{Task, config, host, id, open};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// A config of the server at that port.
fn server(port: &str) -> [(&str, &str); 5] {
    [
        ("database.hostname", "127.0.0.1"),
        ("database.port", port),
        ("database.user", "cdc"),
        ("database.password", "hunter2"),
        ("database.dbname", "shop"),
    ]
}

async fn listen() -> TcpListener {
    let listening = TcpListener::bind("127.0.0.1:0").await;
    listening.expect("loopback has a free port")
}

fn port_of(listener: &TcpListener) -> String {
    let address = listener.local_addr().expect("it is bound");
    address.port().to_string()
}

/// A port that nobody listens at.
async fn nobodys_port() -> String {
    port_of(&listen().await)
}

async fn dial(entries: &[(&str, &str)]) -> Result<(), Fault> {
    let host = host(&["dials"], Limits::default());
    let task = Task::new("dials", entries);
    let mut source = open(&host, "dials", &task, Vec::new()).await?;
    source.poll(8, 1 << 16).await.map(drop)
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_fault_that_may_pass_and_names_it() {
    let port = nobodys_port().await;
    let fault = dial(&server(&port)).await.unwrap_err();
    assert_eq!(
        (fault.class, fault.code.as_str()),
        (FaultClass::Retriable, "postgres-unreachable")
    );
    let address = format!("127.0.0.1:{port}");
    assert!(fault.message.contains(&address), "{fault}");
    assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
}

#[tokio::test]
async fn a_config_without_a_server_is_a_fault_of_its_key() {
    let fault = dial(&server("5432")[1..]).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Config);
    assert_eq!(fault.detail("key"), Some("database.hostname"));
}

#[tokio::test]
async fn a_stop_ends_a_call_that_waits_for_the_server_and_every_one_after_it() {
    let silent = listen().await;
    let port = port_of(&silent);
    let host = host(&["dials"], Limits::default());
    let task = Task::new("dials", &server(&port));
    let mut source = open(&host, "dials", &task, Vec::new()).await.unwrap();
    let signal = source.signal();
    let stop = async {
        let connected = timeout(SOON, silent.accept()).await;
        let connected = connected.expect("it connects").unwrap();
        signal.stop();
        connected
    };
    let (polled, _connected) = tokio::join!(source.poll(8, 1 << 16), stop);
    assert_eq!(polled.unwrap_err().class, FaultClass::Stopping);
    let after = source.poll(8, 1 << 16).await;
    assert_eq!(after.unwrap_err().code, "stopping");
    source.close().await.unwrap();
}

#[tokio::test]
async fn what_stays_behind_is_asked_for_by_the_export_and_cleaned_up_through_the_capability() {
    let host = host(&["dials", "counts"], Limits::default());
    let dials = id(&host, "dials").await;
    let port = nobodys_port().await;
    let config = config(&server(&port));
    let positions = [SourcePosition {
        partition: r#"{"server":"a"}"#.to_owned(),
        position: Position::at("{}", 1_u64),
    }];
    let left = host.leftovers(&dials, &config, &positions).await.unwrap();
    let left = left.expect("it exports cleanup").remove(0);
    assert_eq!(
        (left.name.as_str(), left.bytes, left.command.as_str()),
        (r#"{"server":"a"}"#, Some(1 << 40), "shop")
    );
    let failed = host.cleanup(&dials, &config, &positions).await;
    assert_eq!(failed.unwrap_err().code, "postgres-unreachable");
    let counts = id(&host, "counts").await;
    let none = host.leftovers(&counts, &config, &positions).await;
    assert_eq!(none.unwrap(), None);
    host.cleanup(&counts, &config, &positions).await.unwrap();
}
