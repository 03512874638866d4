use super::*;

const SERVER: [(&str, &str); 3] = [("hostname", "db"), ("user", "me"), ("dbname", "d")];

fn parse(more: &[(&str, &str)]) -> Result<PostgresGrant, Error> {
    let all = [more, &SERVER].concat();
    PostgresGrant::from_config("database.", |key| {
        let found = all
            .iter()
            .find(|(name, _)| key == format!("database.{name}"));
        found.map(|(_, value)| *value)
    })
}

fn check_refused(more: &[(&str, &str)], key: &str) {
    match parse(more) {
        Err(Error::Setting { key: named, .. }) => assert_eq!(named, format!("database.{key}")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_have_defaults() {
    let grant = parse(&[]).unwrap();
    assert_eq!(grant.address(), "db:5432");
    assert_eq!(grant.sslmode, SslMode::Prefer);
    assert_eq!(grant.connect_timeout, CONNECT_TIMEOUT);
    assert!(grant.keepalive && grant.password().is_none());
    let more = [
        ("port", "6432"),
        ("tcpKeepAlive", "false"),
        ("connectTimeout", "3"),
    ];
    let grant = parse(&more).unwrap();
    assert_eq!(grant.address(), "db:6432");
    assert_eq!(grant.connect_timeout, Duration::from_secs(3));
    assert!(!grant.keepalive);
    assert!(parse(&[("sslmode", "disable")]).unwrap().tls.is_none());
}

#[test]
fn what_is_wrong_is_named_by_its_key() {
    for key in ["hostname", "user", "dbname"] {
        check_refused(&[(key, "")], key);
    }
    check_refused(&[("hostname", "a:1,b:2")], "hostname");
    check_refused(&[("hostname", "under_score..")], "hostname");
    check_refused(&[("port", "70000")], "port");
    check_refused(&[("sslmode", "verify")], "sslmode");
    check_refused(&[("tcpKeepAlive", "yes")], "tcpKeepAlive");
    check_refused(&[("sslpassword", "p")], "sslpassword");
    check_refused(
        &[("sslmode", "verify-ca"), ("sslrootcert", "/none")],
        "sslrootcert",
    );
}

#[test]
fn files_are_read_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["db".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let (crt, pem, der, locked, junk) = (
        path("crt"),
        path("pem"),
        path("der"),
        path("locked"),
        path("junk"),
    );
    std::fs::write(&crt, certificate.pem()).unwrap();
    std::fs::write(&pem, key.serialize_pem()).unwrap();
    std::fs::write(&der, key.serialize_der()).unwrap();
    std::fs::write(&locked, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n").unwrap();
    std::fs::write(&junk, "junk").unwrap();

    for key in [&pem, &der] {
        parse(&[("sslcert", &crt), ("sslkey", key)]).unwrap();
    }
    parse(&[("sslmode", "verify-full"), ("sslrootcert", &crt)]).unwrap();
    check_refused(
        &[("sslmode", "verify-ca"), ("sslrootcert", &junk)],
        "sslrootcert",
    );
    check_refused(&[("sslcert", &crt), ("sslkey", &locked)], "sslkey");
    check_refused(&[("sslcert", &crt), ("sslkey", &junk)], "sslkey");
    let other = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&pem, other.serialize_pem()).unwrap();
    check_refused(&[("sslcert", &crt), ("sslkey", &pem)], "sslkey");
    check_refused(&[("sslcert", &crt)], "sslkey");
    check_refused(&[("sslkey", &pem)], "sslcert");
}

#[test]
fn no_password_is_shown() {
    let grant = parse(&[("password", "hush-hush")]).unwrap();
    assert_eq!(grant.password(), Some("hush-hush"));
    assert!(!format!("{grant:?}").contains("hush-hush"));
}
