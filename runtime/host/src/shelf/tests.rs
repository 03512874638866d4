use std::fs;

use tempfile::tempdir;

use super::*;
use crate::manifest::tests::plugin;

fn shelf(plugin_path: &Path) -> Shelf {
    Shelf::new(vec![plugin_path.to_owned()], &[]).expect("there are no built-in ones")
}

fn ids(plugins: &[Arc<Plugin>]) -> Vec<String> {
    plugins
        .iter()
        .map(|p| format!("{} {}", p.info.id.name, p.info.id.version))
        .collect()
}

#[test]
fn versions_compare_as_numbers_and_a_release_is_newer_than_its_candidates() {
    let newest_first = [
        "1.10.0",
        "1.9.1",
        "1.9",
        "1.9-rc.2",
        "1.9-rc.1",
        "1.9-alpha",
        "0.1",
    ];
    for pair in newest_first.windows(2) {
        assert_eq!(
            version_order(pair[0], pair[1]),
            Ordering::Greater,
            "{pair:?}"
        );
        assert_eq!(version_order(pair[1], pair[0]), Ordering::Less, "{pair:?}");
    }
}

#[test]
fn plugins_come_and_go_and_are_upgraded_while_the_shelf_stands() {
    let dir = tempdir().unwrap();
    let shelf = shelf(dir.path());
    assert_eq!(ids(&shelf.look()), Vec::<String>::new());
    fs::create_dir(dir.path().join("b")).unwrap();
    fs::write(dir.path().join("b/b.wasm"), plugin("b", "1.0")).unwrap();
    fs::write(dir.path().join("a.wasm"), plugin("a", "0.9.0")).unwrap();
    fs::write(dir.path().join("a.new.wasm"), plugin("a", "0.10.0")).unwrap();
    fs::write(dir.path().join("notes.txt"), "not a plugin").unwrap();
    assert_eq!(ids(&shelf.look()), ["a 0.10.0", "a 0.9.0", "b 1.0"]);
    let before = shelf.look();
    fs::write(dir.path().join("b/b.wasm"), plugin("b", "1.0.1")).unwrap();
    fs::remove_file(dir.path().join("a.wasm")).unwrap();
    let after = shelf.look();
    assert_eq!(ids(&after), ["a 0.10.0", "b 1.0.1"]);
    assert!(
        Arc::ptr_eq(&before[0], &after[0]),
        "an unchanged file is not read again"
    );
    assert_eq!(
        shelf.get(&before[2].info.id).err().map(|e| e.code()),
        Some("plugin-unknown")
    );
}

#[test]
fn a_broken_file_is_reported_and_keeps_no_other_from_its_place() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("a.wasm"), plugin("a", "1.0")).unwrap();
    fs::write(path("junk.wasm"), "junk").unwrap();
    fs::write(path("twin.wasm"), plugin("a", "1.0")).unwrap();
    let missing = path("missing");
    let shelf = Shelf::new(vec![dir.path().to_owned(), missing.clone()], &[]).unwrap();
    assert_eq!(ids(&shelf.look()), ["a 1.0"]);
    let mut broken: Vec<_> = shelf
        .broken()
        .into_iter()
        .map(|broken| broken.path)
        .collect();
    broken.sort();
    assert_eq!(broken, [path("junk.wasm"), missing, path("twin.wasm")]);
    fs::write(path("junk.wasm"), plugin("c", "1.0")).unwrap();
    assert_eq!(ids(&shelf.look()), ["a 1.0", "c 1.0"]);
}

#[test]
fn what_is_on_the_path_replaces_what_is_built_in() {
    let dir = tempdir().unwrap();
    let bytes: &'static [u8] = plugin("a", "1.0").leak();
    let builtin = Builtin { name: "a", bytes };
    let shelf = Shelf::new(vec![dir.path().to_owned()], &[builtin]).unwrap();
    assert_eq!(shelf.look()[0].info.path, None);
    fs::write(dir.path().join("a.wasm"), plugin("a", "1.0")).unwrap();
    let plugins = shelf.look();
    assert_eq!((plugins.len(), plugins[0].info.path.is_some()), (1, true));
    fs::write(dir.path().join("newer.wasm"), plugin("a", "1.1")).unwrap();
    assert_eq!(ids(&shelf.look()), ["a 1.1", "a 1.0"]);
}
