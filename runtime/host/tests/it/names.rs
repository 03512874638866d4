//! Every guest of the zoo has a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longshore_host::{Host, Limits};
use longshore_model::Role;
use longshore_pipeline::port::Plugins as _;

use crate::zoo::{guest, host};

#[test]
fn every_guest_of_the_zoo_has_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |dir: &str| {
        let files = fs::read_dir(here.join(dir)).unwrap();
        files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
    };
    let guests: BTreeSet<String> = files("zoo/examples")
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let tests: String = files("tests/it")
        .filter(|path| !path.ends_with("names.rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let tested = |name: &&String| tests.contains(&format!("\"{name}\""));
    let untested: Vec<_> = guests.iter().filter(|name| !tested(name)).collect();
    assert!(!guests.is_empty());
    assert_eq!(untested, Vec::<&String>::new(), "guests without a test");
}

#[tokio::test]
async fn the_shelf_knows_a_plugin_by_its_name_its_aliases_and_its_version() {
    let host: Host = host(&["counts", "keeps", "shouts"], Limits::default());
    let listed = host.list().await;
    let roles: Vec<_> = listed
        .iter()
        .map(|info| (&*info.id.name, info.manifest.roles[0]))
        .collect();
    assert_eq!(
        roles,
        [
            ("counts", Role::Source),
            ("keeps", Role::Sink),
            ("shouts", Role::Transform)
        ]
    );
    assert_eq!(host.broken(), []);
    let version = &*listed[0].id.version;
    for (class, version) in [
        ("counts", None),
        ("org.example.Counts", None),
        ("counts", Some(version)),
    ] {
        let found = host.find(class, version).await.unwrap();
        assert_eq!(
            (found.id, found.path),
            (listed[0].id.clone(), Some(guest("counts")))
        );
    }
    assert!(host.find("counts", Some("9.9")).await.is_none());
    assert!(host.find("nothing", None).await.is_none());
}
