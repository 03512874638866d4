use longshore_cap_postgres::Session;
use longshore_model::FaultClass;

use crate::certificate::Authority;
use crate::server::{Server, Shown};
use crate::{fault, value};

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// A server that shows a certificate for `localhost` until that year, and its authority's file.
fn start(year: i32) -> Option<(Server, Authority, String)> {
    let authority = Authority::new();
    let issued = authority.issue_until("localhost", year);
    let shown = Shown {
        certificate: &issued.certificate,
        key: &issued.key,
    };
    let server = Server::start_encrypted(&[], Some(shown))?;
    let path = authority.path().display().to_string();
    Some((server, authority, path))
}

async fn connect(server: &Server, config: &[(&str, &str)]) -> Session {
    let client = server.client(config);
    let replication = client.connect_replication(&[]).await.expect("it is let in");
    let system = replication.identify().await.expect("it is a server");
    assert_eq!(system.database, "postgres");
    client.connect(&[]).await.expect("it is let in")
}

async fn refused(server: &Server, config: &[(&str, &str)], code: &str) {
    let client = server.client(config);
    for fault in [
        fault(client.connect(&[]).await),
        fault(client.connect_replication(&[]).await),
    ] {
        assert_eq!(
            (fault.class, fault.code.as_str()),
            (FaultClass::Config, code)
        );
        assert!(fault.detail("host").is_some());
    }
}

#[tokio::test]
async fn certificates_are_checked_as_sslmode_says() {
    let Some((server, _authority, root)) = start(2100) else {
        return;
    };
    let root = root.as_str();
    let stranger = Authority::new();
    let strange = stranger.path().display().to_string();
    let strange = strange.as_str();
    let localhost = ("hostname", "localhost");
    let accepted: [&[(&str, &str)]; 5] = [
        &[],
        &[("sslmode", "prefer")],
        &[("sslmode", "require")],
        &[("sslmode", "verify-ca"), ("sslrootcert", root)],
        &[("sslmode", "verify-full"), ("sslrootcert", root), localhost],
    ];
    for config in accepted {
        let session = connect(&server, config).await;
        assert_eq!(value(&session, IS_ENCRYPTED).await, "t", "{config:?}");
    }
    for mode in ["disable", "allow"] {
        let session = connect(&server, &[("sslmode", mode)]).await;
        assert_eq!(value(&session, IS_ENCRYPTED).await, "f", "{mode}");
    }

    let untrusted = "postgres-certificate-untrusted";
    let full = ("sslmode", "verify-full");
    refused(
        &server,
        &[full, ("sslrootcert", root)],
        "postgres-certificate-host",
    )
    .await;
    refused(
        &server,
        &[full, ("sslrootcert", strange), localhost],
        untrusted,
    )
    .await;
    refused(
        &server,
        &[("sslmode", "verify-ca"), ("sslrootcert", strange)],
        untrusted,
    )
    .await;
    refused(
        &server,
        &[("sslmode", "require"), ("sslrootcert", strange)],
        untrusted,
    )
    .await;
}

#[tokio::test]
async fn a_certificate_that_has_run_out_is_not_trusted() {
    let Some((server, _authority, root)) = start(2021) else {
        return;
    };
    let ca = [("sslmode", "verify-ca"), ("sslrootcert", root.as_str())];
    refused(&server, &ca, "postgres-certificate-untrusted").await;
    drop(connect(&server, &[("sslmode", "require")]).await);
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_where_it_is_asked_for() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    for mode in ["require", "verify-ca", "verify-full"] {
        let authority = Authority::new();
        let root = authority.path().display().to_string();
        let config = [("sslmode", mode), ("sslrootcert", root.as_str())];
        refused(&server, &config, "postgres-no-encryption").await;
    }
    for mode in ["disable", "allow", "prefer"] {
        let session = connect(&server, &[("sslmode", mode)]).await;
        assert_eq!(value(&session, IS_ENCRYPTED).await, "f");
    }
}

/// One that is missing is refused by the access rules, one that is strange by TLS.
async fn refused_certificate(server: &Server, config: &[(&str, &str)]) {
    let client = server.client(config);
    for fault in [
        fault(client.connect(&[]).await),
        fault(client.connect_replication(&[]).await),
    ] {
        assert_eq!(fault.class, FaultClass::Config, "{fault:?}");
        let codes = ["postgres-certificate-refused", "postgres-login-refused"];
        assert!(codes.contains(&fault.code.as_str()), "{fault}");
    }
}

#[tokio::test]
async fn a_server_may_ask_for_encryption_or_for_a_certificate() {
    let authority = Authority::new();
    let shown = authority.issue("localhost");
    let client = authority.issue("postgres");
    let shown = Shown {
        certificate: &shown.certificate,
        key: &shown.key,
    };
    let Some(mut server) = Server::start_encrypted(&[], Some(shown)) else {
        return;
    };
    server.stop(rustix::process::Signal::INT);
    let root = std::fs::read_to_string(authority.path()).unwrap();
    server.own("root.crt", &root);
    server.own(
        "pg_hba.conf",
        "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n",
    );
    server.set("ssl_ca_file=root.crt");
    server.run();
    let folder = tempfile::tempdir().unwrap();
    let (crt, key) = (folder.path().join("c.crt"), folder.path().join("c.key"));
    std::fs::write(&crt, &client.certificate).unwrap();
    std::fs::write(&key, &client.key).unwrap();
    let shows = [
        ("sslcert", crt.to_str().unwrap()),
        ("sslkey", key.to_str().unwrap()),
    ];

    // `allow` begins in plain text, is refused, and encrypts.
    let session = connect(&server, &[&shows[..], &[("sslmode", "allow")]].concat()).await;
    assert_eq!(value(&session, IS_ENCRYPTED).await, "t");
    refused_certificate(&server, &[("sslmode", "require")]).await;
    let strange = Authority::new().issue("postgres");
    std::fs::write(&crt, &strange.certificate).unwrap();
    std::fs::write(&key, &strange.key).unwrap();
    refused_certificate(&server, &[&shows[..], &[("sslmode", "require")]].concat()).await;
    let plain = server.client(&[("sslmode", "disable")]).connect(&[]).await;
    assert_eq!(fault(plain).code, "postgres-login-refused");
}
