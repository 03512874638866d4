//! Batches that a guest might send to do harm.

extern crate std;

use alloc::vec::Vec;
use std::{env, eprintln};

use super::{Batch, corpus, everything, fuzz_batch, one_line};
use crate::batch::{
    BATCH_BYTES_MAX, BatchWriter, Datum, LARGE_BATCH_BYTES_MAX, LARGE_BATCH_ROWS_MAX, Malformed,
    NewRow,
};

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
}

/// A batch of so many rows whose length is that many bytes: the first row's value is as long as it takes.
fn batch_of(rows: usize, bytes: usize) -> Vec<u8> {
    let mut batch = rows_with(rows, 0).unwrap();
    let value = bytes - batch.len();
    batch = rows_with(rows, value).unwrap();
    assert_eq!(batch.len(), bytes);
    batch
}

fn rows_with(rows: usize, value: usize) -> Result<Vec<u8>, Malformed> {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("t")?);
    let large = alloc::vec![0; value];
    for n in 0..rows {
        writer.push(&NewRow {
            topic,
            value: Datum::Bytes(if n == 0 { &large } else { &[] }),
            ..NewRow::default()
        })?;
    }
    writer.finish()
}

/// Takes a row's claim to be there away, or adds one.
fn with_rows(mut batch: Vec<u8>, rows: usize) -> Vec<u8> {
    batch[8..12].copy_from_slice(&u32::try_from(rows).unwrap().to_le_bytes());
    batch
}

#[test]
fn a_batch_is_large_only_with_few_rows() {
    let few = LARGE_BATCH_ROWS_MAX;
    for (rows, limit) in [
        (1, LARGE_BATCH_BYTES_MAX),
        (few, LARGE_BATCH_BYTES_MAX),
        (few + 1, BATCH_BYTES_MAX),
    ] {
        let full = batch_of(rows, limit);
        assert_eq!(Batch::parse(full.as_slice()).unwrap().len(), rows);
        // What no writer makes: one byte more, and one row more than its size allows.
        let mut longer = full;
        longer.push(0);
        let total = u32::try_from(longer.len()).unwrap();
        longer[4..8].copy_from_slice(&total.to_le_bytes());
        let refused = Malformed::TooLarge {
            bytes: limit + 1,
            limit,
        };
        assert_eq!(Batch::parse(longer).unwrap_err(), refused);
    }
    let many = with_rows(batch_of(few, BATCH_BYTES_MAX + 1), few + 1);
    assert!(matches!(
        Batch::parse(many).unwrap_err(),
        Malformed::TooLarge { limit, .. } if limit == BATCH_BYTES_MAX
    ));
    assert!(rows_with(1, LARGE_BATCH_BYTES_MAX).is_err());
    assert!(rows_with(few, BATCH_BYTES_MAX).is_ok());
    assert!(rows_with(few + 1, BATCH_BYTES_MAX).is_err());
}

#[test]
fn a_value_written_in_place_is_there_whole_or_not_at_all() {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("t").unwrap());
    let row = NewRow {
        topic,
        key: Datum::Text("k"),
        headers: &[("h", Datum::Bytes(b"v"))],
        ..NewRow::default()
    };
    writer.reserve(9);
    let put = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"datum");
        Ok::<_, Malformed>(())
    };
    writer.push_written(&row, 7, put).unwrap();
    let refused = writer.push_written(&row, 7, |out| {
        out.extend_from_slice(b"half");
        Err(Malformed::Magic(0))
    });
    assert_eq!(refused.unwrap_err(), Malformed::Magic(0));
    assert!(
        writer
            .push_written(&row, 7, |out| {
                out.resize(LARGE_BATCH_BYTES_MAX, 0);
                Ok::<_, Malformed>(())
            })
            .is_err()
    );
    writer.push_written(&row, 8, put).unwrap();
    let batch = Batch::parse(writer.finish().unwrap()).unwrap();
    let values: Vec<_> = batch.rows().map(|row| row.value()).collect();
    let datum = |schema| Datum::Avro {
        schema,
        bytes: b"datum",
    };
    assert_eq!(values, [datum(7), datum(8)]);
    let last = batch.row(1).unwrap();
    assert_eq!(last.key(), Datum::Text("k"));
    assert_eq!(last.headers().next().unwrap().value, Datum::Bytes(b"v"));
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
