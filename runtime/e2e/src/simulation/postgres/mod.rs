//! The capture of a PostgreSQL server, natively compiled, over the simulated disk, beside a model of a server that forgets
//! what was confirmed: crashes that lose unsynced writes, lost connections, server restarts, slow reads, transactions that
//! run across snapshots. Whatever happens, the topics tell every committed change once.
//!
//! *Must not know*: the connector's insides; it speaks SQL and the replication protocol. *Invariant*: a seed always lives
//! the same lives, and nothing behind what a crash leaves was ever confirmed (invariant 1).

mod catalog;
mod check;
mod connection;
mod copy;
mod event;
mod life;
mod pgoutput;
mod replication;
mod server;
mod session;
mod table;
mod view;
mod workload;
mod world;

pub use world::Seen;

use anyhow::{Result, ensure};

use super::live_all;
use world::World;

/// So many seeds let us expect that every way was gone.
const SEEDS_TELLING: u64 = 500;

/// Lives all seeds from `first` on, as many at a time as there are cores; what they met.
///
/// # Errors
/// With the seed, when the topics do not tell what happened, or when nothing ever went wrong.
pub fn run(first: u64, n_seeds: u64) -> Result<Seen> {
    let seen = live_all(first, n_seeds, |random| World::new(random).run())?;
    let seen = seen.iter().fold(Seen::default(), |mut all, seen| {
        all.add(seen);
        all
    });
    ensure!(
        n_seeds < SEEDS_TELLING || seen.is_telling(),
        "the simulation never went through one of its ways: {seen:?}"
    );
    Ok(seen)
}
