//! Embeds the folder of components that `LONGSHORE_BUILTINS` names, or nothing. It runs no cargo: `cargo xtask plugins`
//! builds the components.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const VARIABLE: &str = "LONGSHORE_BUILTINS";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::env::var_os(VARIABLE)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    let components = folder.map_or_else(Vec::new, |folder| components(&folder));
    let mut code = String::from(
        "/// Names and bytes of the components.\npub(crate) const BUILTINS: &[(&str, &[u8])] = &[\n",
    );
    for path in components {
        let name = path
            .file_stem()
            .expect("a component has a name")
            .display()
            .to_string();
        writeln!(code, "    ({name:?}, include_bytes!({path:?})),").expect("a string grows");
    }
    code.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("builtins.rs"), code).expect("OUT_DIR can be written");
}

/// The components of a folder, sorted, so that the binary does not depend on the order of the file system.
fn components(folder: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!(
            "cargo::warning={VARIABLE}={}: no such folder, nothing is built in",
            folder.display()
        );
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
        .collect();
    found.sort();
    found
}
