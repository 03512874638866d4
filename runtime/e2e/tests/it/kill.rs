//! `kill -9`, a few rounds; `cargo xtask prove` runs the same at full count.

use longshore_e2e::{kill, program, seed};

const KILLS: u32 = 5;

#[test]
fn a_growing_rotating_file_is_copied_byte_for_byte_over_kills() {
    let seed = seed::seed();
    let folder = tempfile::tempdir().unwrap();
    kill::files(folder.path(), seed, KILLS)
        .unwrap_or_else(|error| panic!("LONGSHORE_SEED={seed}: {error:#}"));
}

#[test]
fn an_idempotent_producer_loses_and_doubles_nothing_over_kills() {
    let Some(kcat) = program::installed("kcat", "kcat").unwrap() else {
        return;
    };
    let seed = seed::seed();
    let folder = tempfile::tempdir().unwrap();
    kill::producer(folder.path(), &kcat, seed, KILLS)
        .unwrap_or_else(|error| panic!("LONGSHORE_SEED={seed}: {error:#}"));
}
