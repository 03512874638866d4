//! A real server.
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs is there, or the test fails"
)]

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;

use longshore_rig::{Programs, Server, Stop};

fn programs() -> Programs {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    Programs::find(target).expect("`cargo xtask test` installs PostgreSQL")
}

fn ask(server: &Server, sql: &str) -> String {
    let output = server
        .psql("postgres")
        .args(["-Atc", sql])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn a_server_keeps_its_rows_and_its_port_through_every_way_to_stop() {
    let server = Server::start(&programs(), &[("wal_sender_timeout", "5s")]).unwrap();
    assert_eq!(ask(&server, "show wal_level"), "logical");
    ask(&server, "create table t (id int)");
    let port = server.port;
    for (id, how) in (0..).zip([Stop::Fast, Stop::Immediate, Stop::Kill]) {
        ask(&server, &format!("insert into t values ({id})"));
        server.stop(how).unwrap();
        server.set("wal_sender_timeout", &format!("{}s", 10 + id));
        server.start_again().unwrap();
        assert_eq!(ask(&server, "select count(*) from t"), (id + 1).to_string());
        assert_eq!(
            ask(&server, "show wal_sender_timeout"),
            format!("{}s", 10 + id)
        );
    }
    assert_eq!(server.port, port);
}

#[test]
fn a_server_is_gone_with_its_owner() {
    let server = Server::start(&programs(), &[]).unwrap();
    let (folder, port) = (server.folder().to_owned(), server.port);
    assert!(folder.is_dir());
    drop(server);
    assert!(!folder.exists());
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}
