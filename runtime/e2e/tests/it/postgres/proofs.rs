//! The proofs, a few rounds of each; `cargo xtask prove` runs the same at full count.

use std::path::Path;

use anyhow::Result;
use longshore_e2e::postgres::proof;
use longshore_e2e::{program, seed};

/// Runs a part, so many rounds; what arrived is read with kcat.
fn prove(part: fn(&Path, u64, u32) -> Result<()>, rounds: u32) {
    if program::installed("kcat", "kcat").unwrap().is_none() {
        return;
    }
    let seed = seed::seed();
    let folder = tempfile::tempdir().unwrap();
    part(folder.path(), seed, rounds)
        .unwrap_or_else(|error| panic!("LONGSHORE_SEED={seed}: {error:#}"));
}

/// 14, 15 and 18: 2 kills in 200,000 rows, where the case asks for 20 in ten million; `prove postgres-snapshot` takes 100, and
/// `prove postgres-large-snapshot` 5 in a million
#[test]
fn a_snapshot_that_is_killed_goes_on_without_a_gap() {
    prove(proof::snapshot, 2);
}

/// 24: 3 kills, where `prove postgres-script` takes 500
#[test]
fn a_stream_that_is_killed_at_a_message_tells_what_it_would_have_told() {
    prove(proof::script, 3);
}

#[test]
fn streams_of_several_writers_survive_kills() {
    prove(proof::stream, 3);
}

/// 37: 50,000 rows, where `prove postgres-transaction` takes two million
#[test]
fn one_large_transaction_survives_kills() {
    prove(
        |folder, seed, kills| proof::transaction_of(folder, seed, kills, 50_000),
        2,
    );
}

/// 38: 10,000 transactions, where `prove postgres-small-transactions` takes 200,000
#[test]
fn positions_are_stored_for_many_small_transactions_at_a_time() {
    prove(proof::small_transactions, 10);
}

/// 40: a thousand partitions, where `prove postgres-many-tables` takes 10,000
#[test]
fn many_tables_and_types_begin_at_once() {
    prove(proof::many_tables, 1);
}

/// 41 and 42: a few seconds, where `prove postgres-idle` takes 5 minutes
#[test]
fn an_idle_slot_follows_what_others_write() {
    prove(proof::idle, 2);
}
