//! Log, pipeline and both file connectors, compiled natively, on one thread over the simulated disk, from a seed: crashes
//! that lose what was not synced, torn frames, full disk, failed syncs. Whatever happens, the sink's file ends up with the
//! source's lines, byte for byte.
//!
//! *Must not know*: the binary, a real disk, a real clock.
//! *Invariant*: a seed always lives the same lives.
#![expect(
    clippy::unwrap_used,
    reason = "a simulation that cannot go on says where it stopped, and `run` makes an error of it"
)]

mod input;
mod life;
pub mod postgres;
mod worker;
mod world;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail, ensure};

pub use world::Seen;

use crate::seed::Random;
use world::World;

/// So many seeds let us expect that every kind of end was met.
const SEEDS_TELLING: u64 = 50;

/// Lives all seeds from `first` on, as many at a time as there are cores; what they met.
///
/// # Errors
/// With the seed, when a life ends with another file than it should, or when nothing ever went wrong.
pub fn run(first: u64, n_seeds: u64) -> Result<Seen> {
    let lives = live_all(first, n_seeds, |random| World::new(random).run())?;
    let mut seen = Seen::default();
    for life in &lives {
        seen.add(life);
    }
    ensure!(
        n_seeds < SEEDS_TELLING || seen.is_telling(),
        "the simulation never failed in one of its ways: {seen:?}"
    );
    Ok(seen)
}

/// Lives seeds until one fails; what each met.
fn live_all<S: Send>(
    first: u64,
    n_seeds: u64,
    live: impl Fn(Random) -> S + Sync,
) -> Result<Vec<S>> {
    let next = AtomicU64::new(0);
    let all = Mutex::new((Vec::new(), Vec::new()));
    let live_next = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let failed = !all.lock().unwrap().1.is_empty();
            if n >= n_seeds || failed {
                return;
            }
            let seed = first.wrapping_add(n);
            match catch_unwind(AssertUnwindSafe(|| live(Random::new(seed)))) {
                Ok(seen) => all.lock().unwrap().0.push(seen),
                // The panic has printed what was wrong.
                Err(_) => all.lock().unwrap().1.push(seed),
            }
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            threads.spawn(live_next);
        }
    });
    let (seen, failed) = all.into_inner().unwrap();
    if let Some(seed) = failed.first() {
        bail!("seed {seed} failed; LONGSHORE_SEED={seed} lives it alone");
    }
    Ok(seen)
}
