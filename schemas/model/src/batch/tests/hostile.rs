//! Batches that a guest might send to do harm.

extern crate std;

use alloc::vec::Vec;
use std::{env, eprintln};

use super::{Batch, corpus, everything, fuzz_batch, one_line};
use crate::batch::{BATCH_BYTES_MAX, Malformed};

#[test]
fn every_batch_cut_short_is_malformed() {
    for (name, batch) in corpus() {
        for length in 1..batch.len() {
            assert!(!fuzz_batch(&batch[..length]), "{name} cut to {length}");
        }
    }
}

#[test]
fn no_byte_set_to_anything_does_harm() {
    for (_, batch) in corpus() {
        for at in 0..batch.len() {
            for value in [0, 1, 4, 5, 0x7F, 0x80, 0xFE, 0xFF] {
                let mut bytes = batch.clone();
                bytes[at] = value;
                fuzz_batch(&bytes);
            }
        }
    }
}

#[test]
fn no_four_bytes_taken_for_a_length_do_harm() {
    let lengths = [
        0,
        1,
        2,
        11,
        12,
        59,
        60,
        61,
        1 << 16,
        1 << 23,
        1 << 31,
        u32::MAX - 3,
        u32::MAX,
    ];
    for (_, batch) in corpus() {
        for at in 0..batch.len().saturating_sub(4) {
            for length in lengths {
                let mut bytes = batch.clone();
                bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
                fuzz_batch(&bytes);
            }
        }
    }
}

/// Mutations from a seed, which is printed when one fails; `LONGSHORE_SEED` runs that one alone.
#[test]
fn no_seeded_mutation_does_harm() {
    let seed = env::var("LONGSHORE_SEED")
        .ok()
        .map(|seed| seed.parse::<u64>().unwrap());
    for seed in seed.map_or(0..20_000, |seed| seed..seed + 1) {
        let mutated = mutate(seed);
        if std::panic::catch_unwind(|| fuzz_batch(&mutated)).is_err() {
            eprintln!("LONGSHORE_SEED={seed}");
            panic!("seed {seed} does harm");
        }
    }
}

fn mutate(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let corpus = corpus();
    let mut bytes = corpus[1 + random(corpus.len() - 1)].1.clone();
    for _ in 0..1 + random(6) {
        let at = random(bytes.len());
        match random(5) {
            0 => bytes[at] ^= 1 << random(8),
            1 => bytes[at] = u8::try_from(random(256)).unwrap(),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, u8::try_from(random(256)).unwrap()),
            _ => {
                let other = &corpus[3].1;
                let end = (at + random(40)).min(bytes.len()).min(other.len());
                let start = at.min(end);
                bytes[start..end].copy_from_slice(&other[start..end]);
            }
        }
    }
    // Most mutations should get past the first check.
    if random(4) > 0 && bytes.len() > 8 {
        let total = u32::try_from(bytes.len()).unwrap();
        bytes[4..8].copy_from_slice(&total.to_le_bytes());
    }
    bytes
}

#[test]
fn faults_say_what_is_wrong() {
    let parse = |bytes: Vec<u8>| Batch::parse(bytes).unwrap_err();
    let with = |at: usize, value: u8| {
        let mut bytes = one_line();
        bytes[at] = value;
        bytes
    };
    assert!(matches!(parse(with(3, 2)), Malformed::Magic(_)));
    assert!(matches!(
        parse(with(4, 0)),
        Malformed::Field {
            what: "batch length",
            ..
        }
    ));
    assert!(matches!(
        parse(with(8, 2)),
        Malformed::Truncated { what: "rows", .. }
    ));
    assert!(matches!(
        parse(with(28, 1)),
        Malformed::Index {
            what: "topic",
            index: 1,
            len: 1
        }
    ));
    assert!(matches!(parse(with(57, 9)), Malformed::Field { .. }));
    assert!(matches!(parse(with(84, 0xFF)), Malformed::Utf8 { .. }));
    let too_large = alloc::vec![0; BATCH_BYTES_MAX + 1];
    assert!(matches!(parse(too_large), Malformed::TooLarge { .. }));
}

#[test]
fn a_claim_of_many_rows_or_entries_allocates_nothing() {
    let mut bytes = one_line();
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(!fuzz_batch(&bytes));
    let mut bytes = one_line();
    let count_at = 24 + 64 + 2;
    bytes[count_at..count_at + 2].copy_from_slice(&u16::MAX.to_le_bytes());
    assert!(!fuzz_batch(&bytes));
}

#[test]
fn two_positions_for_one_source_are_malformed() {
    let mut bytes = everything();
    // The second position's source becomes that of the first.
    let second = Batch::parse(bytes.clone()).unwrap();
    assert_eq!(second.positions().len(), 2);
    let entry = [1, 0, 0, 0]
        .iter()
        .chain(&[0; 16])
        .chain(&[2, 0, 0, 0, b'{', b'}']);
    let entry: Vec<u8> = entry.copied().collect();
    let at = bytes
        .windows(entry.len())
        .position(|window| window == entry)
        .unwrap();
    bytes[at] = 0;
    assert_eq!(Batch::parse(bytes).unwrap_err(), Malformed::TwoPositions(0));
}
