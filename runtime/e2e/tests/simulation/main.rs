//! Log, pipeline and both file connectors, compiled natively, on one thread over the simulated
//! disk, from a seed: crashes that lose what was not synced, torn frames, full disk, failed syncs.
//! Whatever happens, the sink's file ends up with the source's lines, byte for byte.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod input;
mod life;
mod random;
mod world;

use random::Random;
use world::World;

/// Seeds of `cargo xtask test`; `cargo xtask prove` sets `LONGSHORE_ROUNDS`.
const SEEDS: u64 = 100;

#[test]
fn a_file_arrives_byte_for_byte_whatever_the_disk_forgets() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seeds = match number("LONGSHORE_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("LONGSHORE_FIRST_SEED").unwrap_or(0);
            first..first + number("LONGSHORE_ROUNDS").unwrap_or(SEEDS)
        }
    };
    let mut seen = world::Seen::default();
    for seed in seeds.clone() {
        let world = World::new(Random::new(seed));
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run())) {
            Ok(world_seen) => seen.add(&world_seen),
            Err(panic) => {
                eprintln!("seed {seed} failed; run it alone with LONGSHORE_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!(
        "{} seeds from {}: {seen:?}",
        seeds.end - seeds.start,
        seeds.start
    );
    seen.assert_that_things_happened(seeds.end - seeds.start);
}
