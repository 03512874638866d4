use longshore_model::config::{ConfigDef, ConfigKey, Importance, Width};
use longshore_model::{FaultClass, Role};

use super::*;

fn key(name: &str, key_type: KeyType, default: Option<&str>) -> ConfigKey {
    ConfigKey {
        name: name.to_owned(),
        key_type,
        default: default.map(str::to_owned),
        required: false,
        importance: Importance::Low,
        doc: String::new(),
        group: None,
        width: Width::None,
        display_name: name.to_owned(),
        validator: None,
    }
}

fn manifest(capabilities: Vec<Capability>) -> Manifest {
    Manifest {
        name: "a".to_owned(),
        version: "1".to_owned(),
        contract: "0.1".to_owned(),
        doc: String::new(),
        roles: vec![Role::Source],
        aliases: Vec::new(),
        capabilities,
        config: ConfigDef {
            keys: vec![
                key("file", KeyType::String, Some("/default/x")),
                key("files", KeyType::List, None),
                key("token", KeyType::Password, None),
            ],
        },
    }
}

fn config(entries: &[(&str, &str)]) -> Config {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    entries.iter().map(owned).collect()
}

#[test]
fn a_key_names_what_its_value_says_or_its_default_and_a_list_names_several() {
    let manifest = manifest(Vec::new());
    let check = |entries: &[(&str, &str)], key: &str, expected: &[&str]| {
        assert_eq!(
            values(&manifest, &config(entries), key),
            expected,
            "{entries:?}"
        );
    };
    check(&[("file", "/a, b")], "file", &["/a, b"]);
    check(&[], "file", &["/default/x"]);
    check(&[("file", "")], "file", &[]);
    check(&[("files", "/a, /b,,")], "files", &["/a", "/b"]);
    check(&[], "files", &[]);
    check(&[("undefined", "/a")], "undefined", &["/a"]);
}

#[track_caller]
fn check_import(manifest: Manifest, import: &str, expected: Result<(), &str>) {
    let facts = Facts {
        manifest,
        imports: vec!["wasi:io/streams@0.2.6".to_owned(), import.to_owned()],
        exports: Vec::new(),
    };
    let checked = check_imports(&facts);
    if let Err(refused) = &checked {
        assert_eq!(refused.class(), FaultClass::Denied);
        assert!(refused.to_string().contains(import), "{refused}");
    }
    assert_eq!(checked.map_err(|e| e.code()), expected, "{import}");
}

#[test]
fn what_is_given_what_is_asked_for_and_nothing_else_may_be_imported() {
    let refused = Err("plugin-import-not-granted");
    let keys = vec!["file".to_owned()];
    let reads = || manifest(vec![Capability::ReadFiles { keys: keys.clone() }]);
    let plain = || manifest(Vec::new());
    for given in [
        "wasi:clocks/monotonic-clock@0.2.6",
        "wasi:filesystem/types@0.2.6",
        "longshore:host/lifecycle@0.1.0",
        "longshore:connect/types@0.1.0",
    ] {
        check_import(plain(), given, Ok(()));
    }
    check_import(reads(), "longshore:files/files@0.1.0", Ok(()));
    check_import(plain(), "longshore:files/files@0.1.0", refused);
    let prefix = vec!["database".to_owned()];
    let connects = || {
        manifest(vec![Capability::Postgres {
            keys: prefix.clone(),
        }])
    };
    check_import(connects(), "longshore:postgres/postgres@0.1.0", Ok(()));
    check_import(connects(), "longshore:files/files@0.1.0", refused);
    check_import(reads(), "longshore:postgres/postgres@0.1.0", refused);
    for ungiven in [
        "wasi:sockets/tcp@0.2.6",
        "wasi:http/types@0.2.6",
        "other:thing/x",
        "run",
    ] {
        check_import(reads(), ungiven, refused);
    }
}

#[test]
fn a_password_reaches_a_guest_as_a_handle_and_comes_back_as_it_was() {
    let manifest = manifest(Vec::new());
    let original = config(&[("file", "/a"), ("token", "hunter2")]);
    let seen = conceal(&manifest, &original);
    assert_eq!(seen, config(&[("file", "/a"), ("token", "secret:token")]));
    assert_eq!(reveal(&manifest, &original, seen), original);
    let changed = config(&[("token", "another"), ("file", "secret:file")]);
    assert_eq!(reveal(&manifest, &original, changed.clone()), changed);
}
