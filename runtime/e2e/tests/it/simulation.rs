//! The whole path over the simulated disk, some seeds; `cargo xtask prove` lives thousands.

use longshore_e2e::{seed, simulation};

const SEEDS: u64 = 100;
const CAPTURE_SEEDS: u64 = 50;

#[test]
fn a_file_arrives_byte_for_byte_whatever_the_disk_forgets() {
    let (first, n_seeds) = seed::given().map_or((0, SEEDS), |seed| (seed, 1));
    let seen = simulation::run(first, n_seeds).unwrap();
    println!("{n_seeds} seeds from {first}: {seen:?}");
}

#[test]
fn topics_tell_each_committed_change_once_whatever_disk_and_server_forget() {
    let (first, n_seeds) = seed::given().map_or((0, CAPTURE_SEEDS), |seed| (seed, 1));
    let seen = simulation::postgres::run(first, n_seeds).unwrap();
    println!("{n_seeds} seeds from {first}: {seen:?}");
}
