//! The whole path over the simulated disk, some seeds; `cargo xtask prove simulation` lives ten thousand.

use longshore_e2e::{seed, simulation};

const SEEDS: u64 = 100;

#[test]
fn a_file_arrives_byte_for_byte_whatever_the_disk_forgets() {
    let (first, n_seeds) = seed::given().map_or((0, SEEDS), |seed| (seed, 1));
    let seen = simulation::run(first, n_seeds).unwrap();
    println!("{n_seeds} seeds from {first}: {seen:?}");
}
