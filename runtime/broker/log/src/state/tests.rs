use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Generation, GroupOffsets, Owner};
use uuid::Uuid;

use super::{Change, Sequence, State, TopicState};
use crate::batch::Fields;
use crate::codec::Decoder;
use crate::error::Error;
use crate::topics::TopicSettings;

const PRODUCER: i64 = 42;

fn created(name: &str, first_partition: u32) -> Change {
    let name = TopicName::parse(name).unwrap();
    let configs: BTreeMap<_, _> = [("retention.ms".to_owned(), "5".to_owned())].into();
    let settings = TopicSettings::parse(&name, &configs).unwrap();
    let topic = TopicState {
        id: Uuid::from_u128(9),
        first_partition,
        n_partitions: 2,
        configs,
        settings,
    };
    Change::TopicCreated { name, topic }
}

fn batch(epoch: i16, base_sequence: i32, n: i32) -> Fields {
    Fields {
        base_offset: 0,
        last_offset_delta: n - 1,
        base_timestamp: 0,
        max_timestamp: 0,
        producer_id: PRODUCER,
        producer_epoch: epoch,
        base_sequence,
        n_records: n,
        attributes: 0,
    }
}

fn busy() -> State {
    let mut state = State::default();
    let offsets = vec![(
        TopicPartition {
            topic: TopicName::parse("a").unwrap(),
            partition: 1,
        },
        17,
    )];
    let changes = [
        created("a", 0),
        created("b", 2),
        Change::Generation {
            owners: vec![Owner::from_stored("x"), Owner::from_stored("y")],
            generation: Generation(3),
        },
        Change::GroupOffsets(GroupOffsets {
            group: "g".to_owned(),
            offsets,
        }),
        Change::ProducerIds { next: 5 },
        Change::LogStart {
            partition: 1,
            offset: 2,
        },
    ];
    changes.iter().for_each(|change| state.apply(change));
    state.apply_batch(1, 0, &batch(0, 0, 3));
    state
}

#[test]
fn a_snapshot_holds_everything() {
    let state = busy();
    let snapshot = Change::Snapshot(Box::new(state.clone()));
    let mut encoded = Vec::new();
    snapshot.encode(&mut encoded);
    for len in 0..encoded.len() {
        let cut = Bytes::copy_from_slice(&encoded[..len]);
        assert_eq!(Change::decode(&mut Decoder::new(cut)), None, "{len} bytes");
    }
    let decoded = Change::decode(&mut Decoder::new(Bytes::from(encoded))).unwrap();
    assert_eq!(decoded, snapshot);
    let mut other = State::default();
    other.apply(&decoded);
    assert_eq!(other, state);
}

#[test]
fn a_deleted_topic_takes_partitions_producers_and_group_offsets_along() {
    let mut state = busy();
    state.apply(&Change::TopicDeleted {
        name: TopicName::parse("a").unwrap(),
    });
    assert!(state.groups.is_empty());
    assert_eq!(state.partitions.keys().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(
        state.producers.check(1, &batch(0, 7, 1)).unwrap(),
        Sequence::Next
    );
    assert_eq!(state.next_partition(), 4, "ids are not used again");
}

#[test]
fn only_the_newest_generation_passes_and_it_never_falls() {
    let mut state = busy();
    let x = Owner::from_stored("x");
    state.check_generation(&x, Generation(3)).unwrap();
    assert_eq!(state.next_generation(), Generation(4));
    state.apply(&Change::Generation {
        owners: vec![x.clone()],
        generation: Generation(4),
    });
    assert!(matches!(
        state.check_generation(&x, Generation(3)),
        Err(Error::StaleGeneration { .. })
    ));
    state
        .check_generation(&Owner::from_stored("y"), Generation(3))
        .unwrap();
    assert!(
        state
            .check_generation(&Owner::from_stored("z"), Generation(3))
            .is_err()
    );
}

#[test]
fn sequences_are_checked_as_kafka_does() {
    let mut state = busy();
    let check =
        |state: &State, epoch, sequence, n| state.producers.check(1, &batch(epoch, sequence, n));
    assert_eq!(
        check(&state, 0, 0, 3).unwrap(),
        Sequence::Duplicate { base_offset: 0 }
    );
    assert!(matches!(
        check(&state, 0, 5, 1),
        Err(Error::OutOfOrderSequence { expected: 3, .. })
    ));
    for i in 0..6 {
        assert_eq!(check(&state, 0, 3 + i, 1).unwrap(), Sequence::Next);
        state.apply_batch(1, 3 + i64::from(i), &batch(0, 3 + i, 1));
    }
    assert_eq!(
        check(&state, 0, 4, 1).unwrap(),
        Sequence::Duplicate { base_offset: 4 }
    );
    assert!(
        matches!(
            check(&state, 0, 3, 1),
            Err(Error::OutOfOrderSequence { expected: 9, .. })
        ),
        "the sixth before is forgotten"
    );
    assert!(matches!(
        check(&state, 1, 1, 1),
        Err(Error::OutOfOrderSequence { expected: 0, .. })
    ));
    assert_eq!(check(&state, 1, 0, 1).unwrap(), Sequence::Next);
    state.apply_batch(1, 9, &batch(1, 0, 1));
    assert!(matches!(
        check(&state, 0, 9, 1),
        Err(Error::FencedEpoch { current: 1, .. })
    ));
}

#[test]
fn sequences_wrap_around() {
    let mut state = busy();
    state.apply_batch(0, 0, &batch(0, i32::MAX - 1, 3));
    assert_eq!(
        state.producers.check(0, &batch(0, 1, 1)).unwrap(),
        Sequence::Next
    );
    for sequence in [0, 2] {
        assert!(matches!(
            state.producers.check(0, &batch(0, sequence, 1)),
            Err(Error::OutOfOrderSequence { expected: 1, .. })
        ));
    }
}

#[test]
fn a_silent_producer_is_forgotten_after_a_whole_file_and_the_expiration() {
    let expected = |state: &State| {
        matches!(
            state.producers.check(1, &batch(0, 9, 1)),
            Ok(Sequence::Next)
        )
    };
    let mut state = busy();
    state.producers.begin_file(1_000, 500);
    assert!(!expected(&state), "it wrote into the last file");
    state.producers.begin_file(1_100, 1_200);
    assert!(!expected(&state), "it is not silent for long enough");
    state.producers.begin_file(5_000, 500);
    assert!(expected(&state), "nothing is known of it any more");
}
