//! Documents that are generated from code. A test compares them; with `LONGSHORE_BLESS` set it writes them.

use std::path::Path;

pub(crate) fn check(path: &str, expected: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join(path);
    if std::env::var_os("LONGSHORE_BLESS").is_some() {
        std::fs::write(&file, expected).expect("a document can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == expected,
        "{path} is not what the code says; run `LONGSHORE_BLESS=1 cargo test -p longshore`"
    );
}
