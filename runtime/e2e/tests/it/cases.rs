//! Cases that are directories: connectors, input files, and the files that have to come out of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_e2e::watch;
use longshore_e2e::worker::Setup;

const WITHIN: Duration = Duration::from_secs(30);

#[test]
fn every_case_gives_what_it_expects() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let cases = files(&all);
    assert!(!cases.is_empty());
    for case in cases {
        println!("case {}", case.display());
        run(&case);
    }
}

fn run(case: &Path) {
    let folder = tempfile::tempdir().unwrap();
    for file in files(&case.join("input")) {
        fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    let worker = Setup::new(folder.path()).start().unwrap();
    let rest = worker.rest().unwrap();
    for file in files(&case.join("connectors")) {
        let text = fs::read_to_string(&file).unwrap();
        rest.post("/connectors", &serde_json::from_str(&text).unwrap())
            .unwrap();
    }
    for file in files(&case.join("expected")) {
        let expected = fs::read(&file).unwrap();
        let actual = folder.path().join(file.file_name().unwrap());
        let read = || fs::read(&actual).unwrap_or_default();
        let arrived = watch::until(folder.path(), WITHIN, "all records", || {
            Ok(read().len() >= expected.len())
        });
        let status = rest.get("/connectors?expand=status").unwrap();
        assert_eq!(
            String::from_utf8_lossy(&read()),
            String::from_utf8_lossy(&expected),
            "{status}"
        );
        arrived.unwrap();
    }
    worker.stop().unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}
