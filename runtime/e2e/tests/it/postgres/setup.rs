//! What is wrong before anything begins: named, with the SQL that mends it, and nothing is made.

use std::sync::Arc;

use longshore_e2e::postgres::{Capture, Database, programs};
use longshore_rig::{Server, Stop};
use serde_json::json;

const TABLE: &str = "create table t (id int primary key); insert into t values (1);";

fn n_slots(capture: &mut Capture) -> String {
    let name = capture.database.name.clone();
    let sql = format!("select count(*) from pg_replication_slots where slot_name = '{name}'");
    capture.psql.value(&sql).unwrap()
}

fn n_publications(capture: &mut Capture) -> String {
    capture
        .psql
        .value("select count(*) from pg_publication")
        .unwrap()
}

/// 65
#[test]
fn a_server_that_cannot_replicate_is_told_by_setting() {
    let server = Server::start(&programs().unwrap(), &[("wal_level", "replica")]).unwrap();
    let server = Arc::new(server);
    let database = Database::create(Arc::clone(&server)).unwrap();
    let mut capture = Capture::prepare_in(database, TABLE).unwrap();
    let refusal = capture.refusal(&json!({})).unwrap();
    assert!(
        refusal.contains("wal_level") && refusal.contains("ALTER SYSTEM"),
        "{refusal}"
    );
    assert_eq!(n_publications(&mut capture), "0");

    let restart = |settings: [(&str, &str); 2]| {
        server.set("wal_level", "logical");
        for (key, value) in settings {
            server.set(key, value);
        }
        server.stop(Stop::Immediate).unwrap();
        server.start_again().unwrap();
    };
    restart([("max_replication_slots", "1"), ("max_wal_senders", "10")]);
    let mut psql = capture.database.psql().unwrap();
    psql.run("select pg_create_logical_replication_slot('other', 'pgoutput')")
        .unwrap();
    let refusal = capture.refusal(&json!({})).unwrap();
    assert!(refusal.contains("max_replication_slots"), "{refusal}");

    restart([("max_replication_slots", "10"), ("max_wal_senders", "0")]);
    let refusal = capture.refusal(&json!({})).unwrap();
    assert!(refusal.contains("max_wal_senders"), "{refusal}");
    capture.psql = capture.database.psql().unwrap();
    assert_eq!(n_publications(&mut capture), "0");
    assert_eq!(n_slots(&mut capture), "0");
}

/// 66
#[test]
fn a_role_that_may_not_replicate_is_told_by_name() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let role = format!("plain_{}", capture.database.name);
    capture
        .run(&format!("create role {role} login password 'secret'; grant select on all tables in schema public to {role}"))
        .unwrap();
    let keys = json!({"database.user": role, "database.password": "secret"});
    let refusal = capture.refusal(&keys).unwrap();
    assert!(
        refusal.contains(&role) && refusal.contains("REPLICATION"),
        "{refusal}"
    );
    assert_eq!(n_slots(&mut capture), "0");
}

/// 67
#[test]
fn a_role_that_may_not_read_is_told_before_the_slot_is_made() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let name = capture.database.name.clone();
    let role = format!("blind_{name}");
    capture
        .run(&format!("create role {role} login replication password 'secret'; create publication {name} for all tables"))
        .unwrap();
    let keys = json!({"database.user": role, "database.password": "secret", "table.include.list": "public.t"});
    let refusal = capture.refusal(&keys).unwrap();
    assert!(
        refusal.contains("public.t") && refusal.contains("GRANT SELECT"),
        "{refusal}"
    );
    assert_eq!(n_slots(&mut capture), "0");
}

#[test]
fn a_role_that_does_not_own_what_it_would_publish_is_told_who_does() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let name = capture.database.name.clone();
    let (role, owner) = (format!("guest_{name}"), format!("owner_{name}"));
    capture
        .run(&format!(
            "create role {owner}; alter table t owner to {owner}; alter table marker owner to {owner};
             create role {role} login replication password 'secret';
             grant select on all tables in schema public to {role}; grant create on database {name} to {role};"
        ))
        .unwrap();
    let keys = json!({"database.user": role, "database.password": "secret",
        "publication.autocreate.mode": "filtered"});
    let refusal = capture.refusal(&keys).unwrap();
    let sql = format!(r#"GRANT "{owner}" TO "{role}""#);
    for words in ["public.t ", "public.marker ", &sql] {
        assert!(refusal.contains(words), "{words}: {refusal}");
    }
    assert_eq!(n_publications(&mut capture), "0");

    capture
        .run(&format!("{sql}; create publication {name} for table t"))
        .unwrap();
    let refusal = capture.refusal(&keys).unwrap();
    let publication = format!("publication {name} ");
    assert!(refusal.contains(&publication), "{refusal}");
    assert!(!refusal.contains("public.t "), "{refusal}");

    capture
        .run(&format!("alter publication {name} owner to {owner}"))
        .unwrap();
    capture.deploy(&keys).unwrap();
    capture.settle().unwrap();
    assert_eq!(capture.events("t").unwrap().len(), 1);
}

#[test]
fn a_publication_of_all_tables_is_not_narrowed_down() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let name = capture.database.name.clone();
    capture
        .run(&format!("create publication {name} for all tables"))
        .unwrap();
    let keys = json!({"publication.autocreate.mode": "filtered"});
    let refusal = capture.refusal(&keys).unwrap();
    assert!(refusal.contains("is one of all tables"), "{refusal}");
    assert_eq!(n_slots(&mut capture), "0");
}

/// 69
#[test]
fn a_table_that_is_not_published_is_told_by_name() {
    let mut capture = Capture::prepare(TABLE).unwrap();
    let name = capture.database.name.clone();
    capture
        .run(&format!("create publication {name} for table marker"))
        .unwrap();
    let keys = json!({"publication.autocreate.mode": "disabled"});
    let refusal = capture.refusal(&keys).unwrap();
    assert!(
        refusal.contains("public.t") && refusal.contains("ALTER PUBLICATION"),
        "{refusal}"
    );
    assert_eq!(n_slots(&mut capture), "0");
}

#[test]
fn a_missing_publication_that_nobody_may_make_is_told_with_its_sql() {
    let capture = Capture::prepare(TABLE).unwrap();
    let refusal = capture
        .refusal(&json!({"publication.autocreate.mode": "disabled"}))
        .unwrap();
    assert!(refusal.contains("CREATE PUBLICATION"), "{refusal}");
}

/// 74, but for what needs another name service or a clock
#[test]
fn a_wrong_password_and_a_server_that_is_not_there_are_told_apart() {
    let capture = Capture::prepare(TABLE).unwrap();
    let refusal = capture
        .refusal(&json!({"database.password": "wrong"}))
        .unwrap();
    assert!(
        refusal.contains("password authentication failed"),
        "{refusal}"
    );
    assert!(!refusal.contains("wrong\""), "{refusal}");
    let refusal = capture.refusal(&json!({"database.port": "1"})).unwrap();
    assert!(refusal.contains("127.0.0.1:1"), "{refusal}");
    let refusal = capture
        .refusal(&json!({"database.dbname": "nowhere"}))
        .unwrap();
    assert!(refusal.contains("nowhere"), "{refusal}");
    let refusal = capture
        .refusal(&json!({"database.sslmode": "require"}))
        .unwrap();
    assert!(
        refusal.to_lowercase().contains("ssl") || refusal.contains("TLS"),
        "{refusal}"
    );
}

/// 64
#[test]
fn columns_that_differ_by_case_only_are_never_merged() {
    let mut capture = Capture::start(
        r#"create table t (id int primary key, "a" int, "A" int); insert into t values (1, 2, 3)"#,
        &json!({}),
    )
    .unwrap();
    capture.apply("insert into t values (4, 5, 6)").unwrap();
    let events = capture.events("t").unwrap();
    assert_eq!(events[0].after(), &json!({"id": 1, "a": 2, "A": 3}));
    assert_eq!(events[1].after(), &json!({"id": 4, "a": 5, "A": 6}));
}

#[test]
fn keys_of_debezium_that_do_not_work_yet_are_refused_by_name() {
    let capture = Capture::prepare(TABLE).unwrap();
    for (key, value) in [
        ("signal.data.collection", "public.signals"),
        ("column.mask.with.10.chars", "public.t.v"),
    ] {
        let refusal = capture.refusal(&json!({ key: value })).unwrap();
        assert!(
            refusal.contains(&format!("{key} does not work in version")),
            "{refusal}"
        );
        assert!(refusal.contains("docs/guides/postgres.md"), "{refusal}");
        assert!(!refusal.contains("neither"), "{refusal}");
    }
}
