//! Manifests as plugins carry them, and as they should not.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec;

use super::{Capability, InvalidManifest, Manifest, Role};
use crate::config::{Importance, KeyType, Validator, Width};

const MANIFEST: &str = r#"{
    "name": "file-source", "version": "0.1.0", "contract": "0.1", "doc": "Lines of files",
    "roles": ["source", "sink"], "aliases": ["FileStreamSource"],
    "capabilities": [
        {"kind": "files", "access": "read", "keys": ["file"]},
        {"kind": "files", "access": "write", "keys": ["out", "spool"]}
    ],
    "config": [
        {"name": "file", "type": "STRING", "importance": "HIGH", "width": "LONG", "doc": "Path",
         "required": true, "group": "Input", "display_name": "File", "validator": {"kind": "not-empty"}},
        {"name": "batch.size", "type": "LONG", "importance": "LOW", "width": "NONE", "doc": "",
         "required": false, "default": "2000", "validator": {"kind": "range", "min": 1}, "later": 1},
        {"name": "mode", "type": "STRING", "importance": "MEDIUM", "width": "SHORT", "doc": "",
         "validator": {"kind": "one-of", "values": ["a", "b"]}}
    ],
    "unknown": {"to": "this version"}
}"#;

#[test]
fn everything_that_a_manifest_says_is_read() {
    let manifest = Manifest::from_json(MANIFEST.as_bytes()).unwrap();
    assert_eq!(
        (&*manifest.name, &*manifest.version, &*manifest.contract),
        ("file-source", "0.1.0", "0.1")
    );
    assert_eq!(manifest.roles, [Role::Source, Role::Sink]);
    assert!(manifest.answers_to("FileStreamSource") && manifest.answers_to("file-source"));
    assert!(!manifest.answers_to("file-sink"));
    let keys = vec!["out".to_owned(), "spool".to_owned()];
    assert_eq!(manifest.capabilities[1], Capability::WriteFiles { keys });
    let file = manifest.config.key("file").unwrap();
    assert_eq!(
        (file.key_type, file.importance, file.width),
        (KeyType::String, Importance::High, Width::Long)
    );
    assert_eq!(
        (file.required, file.group.as_deref(), &*file.display_name),
        (true, Some("Input"), "File")
    );
    assert_eq!(file.validator, Some(Validator::NotEmpty));
    let batch_size = manifest.config.key("batch.size").unwrap();
    assert_eq!(batch_size.default.as_deref(), Some("2000"));
    assert_eq!(batch_size.display_name, "batch.size");
    assert_eq!(
        batch_size.validator,
        Some(Validator::Range {
            min: Some(1),
            max: None
        })
    );
    let mode = manifest.config.key("mode").unwrap();
    let allowed = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(
        (mode.required, &mode.validator),
        (false, &Some(Validator::OneOf(allowed)))
    );
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let check = |from: &str, to: &str, expected: &str| {
        let json = MANIFEST.replacen(from, to, 1);
        assert_ne!(json, MANIFEST, "{from}");
        match Manifest::from_json(json.as_bytes()) {
            Err(InvalidManifest::Field { field, .. }) => assert_eq!(field, expected, "{to}"),
            other => panic!("{to} gave {other:?}"),
        }
    };
    check(r#""name": "file-source","#, "", "name");
    check(r#""version": "0.1.0""#, r#""version": 1"#, "version");
    check(r#"["source", "sink"]"#, "[]", "roles");
    check(r#"["source", "sink"]"#, r#"["pump"]"#, "roles");
    check(r#""access": "write""#, r#""access": "own""#, "capabilities");
    check(r#""type": "LONG""#, r#""type": "HUGE""#, "type");
    check(
        r#""importance": "LOW""#,
        r#""importance": "low""#,
        "importance",
    );
    check(r#""width": "SHORT""#, r#""width": "TINY""#, "width");
    check(r#""kind": "one-of""#, r#""kind": "regex""#, "validator");
    check(r#""config": ["#, r#""config": [1, "#, "config");
}

#[test]
fn what_is_no_object_is_no_manifest() {
    for json in ["", "{", "[]", "1", "\"text\"", "null"] {
        let parsed = Manifest::from_json(json.as_bytes());
        assert!(matches!(parsed, Err(InvalidManifest::Json(_))), "{json}");
    }
    let cut: String = MANIFEST.chars().take(200).collect();
    assert!(Manifest::from_json(cut.as_bytes()).is_err());
    assert!(
        InvalidManifest::Json("x".to_owned())
            .to_string()
            .contains('x')
    );
}
