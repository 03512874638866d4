//! The records by which state changes, as they stand in the journal.

use std::collections::BTreeMap;

use bytes::BufMut as _;
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Generation, GroupOffsets, Owner};
use uuid::Uuid;

use super::{PartitionId, State, TopicState};
use crate::codec::{Decoder, put_bytes, put_len};
use crate::topics::TopicSettings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    TopicCreated {
        name: TopicName,
        topic: TopicState,
    },
    TopicDeleted {
        name: TopicName,
    },
    LogStart {
        partition: PartitionId,
        offset: i64,
    },
    Generation {
        owners: Vec<Owner>,
        generation: Generation,
    },
    GroupOffsets(GroupOffsets),
    ProducerIds {
        next: i64,
    },
    /// Begins every journal file, so that no state lives in older files.
    Snapshot(Box<State>),
}

const TOPIC_CREATED: u8 = 1;
const TOPIC_DELETED: u8 = 2;
const LOG_START: u8 = 3;
const GENERATION: u8 = 4;
const GROUP_OFFSETS: u8 = 5;
const PRODUCER_IDS: u8 = 6;
const SNAPSHOT: u8 = 7;

impl Change {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::TopicCreated { name, topic } => {
                out.put_u8(TOPIC_CREATED);
                put_topic(out, name, topic);
            }
            Self::TopicDeleted { name } => {
                out.put_u8(TOPIC_DELETED);
                put_bytes(out, name.as_str().as_bytes());
            }
            Self::LogStart { partition, offset } => {
                out.put_u8(LOG_START);
                out.put_u32_le(*partition);
                out.put_i64_le(*offset);
            }
            Self::Generation { owners, generation } => {
                out.put_u8(GENERATION);
                out.put_u64_le(generation.0);
                put_len(out, owners.len());
                owners
                    .iter()
                    .for_each(|owner| put_bytes(out, owner.as_str().as_bytes()));
            }
            Self::GroupOffsets(committed) => {
                out.put_u8(GROUP_OFFSETS);
                put_group(
                    out,
                    &committed.group,
                    committed
                        .offsets
                        .iter()
                        .map(|(partition, offset)| (partition, offset)),
                );
            }
            Self::ProducerIds { next } => {
                out.put_u8(PRODUCER_IDS);
                out.put_i64_le(*next);
            }
            Self::Snapshot(state) => {
                out.put_u8(SNAPSHOT);
                state.encode(out);
            }
        }
    }

    pub(crate) fn decode(from: &mut Decoder) -> Option<Self> {
        Some(match from.u8()? {
            TOPIC_CREATED => {
                let (name, topic) = topic(from)?;
                Self::TopicCreated { name, topic }
            }
            TOPIC_DELETED => Self::TopicDeleted {
                name: topic_name(from)?,
            },
            LOG_START => Self::LogStart {
                partition: from.u32()?,
                offset: from.i64()?,
            },
            GENERATION => {
                let generation = Generation(from.u64()?);
                let owners = from.list(|from| Some(Owner::from_stored(&from.text()?)))?;
                Self::Generation { owners, generation }
            }
            GROUP_OFFSETS => {
                let (group, offsets) = group(from)?;
                Self::GroupOffsets(GroupOffsets { group, offsets })
            }
            PRODUCER_IDS => Self::ProducerIds { next: from.i64()? },
            SNAPSHOT => Self::Snapshot(Box::new(State::decode(from)?)),
            _ => return None,
        })
    }
}

pub(super) fn put_topic(out: &mut Vec<u8>, name: &TopicName, topic: &TopicState) {
    put_bytes(out, name.as_str().as_bytes());
    out.put_u128_le(topic.id.as_u128());
    out.put_u32_le(topic.first_partition);
    out.put_u32_le(topic.n_partitions);
    put_len(out, topic.configs.len());
    for (key, value) in &topic.configs {
        put_bytes(out, key.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

pub(super) fn topic(from: &mut Decoder) -> Option<(TopicName, TopicState)> {
    let name = topic_name(from)?;
    let id = Uuid::from_u128(from.u128()?);
    let first_partition = from.u32()?;
    let n_partitions = from.u32()?;
    let configs: BTreeMap<_, _> = from
        .list(|from| Some((from.text()?, from.text()?)))?
        .into_iter()
        .collect();
    let settings = TopicSettings::parse(&name, &configs).ok()?;
    Some((
        name,
        TopicState {
            id,
            first_partition,
            n_partitions,
            configs,
            settings,
        },
    ))
}

fn topic_name(from: &mut Decoder) -> Option<TopicName> {
    TopicName::parse(&from.text()?).ok()
}

pub(super) fn put_group<'a>(
    out: &mut Vec<u8>,
    group: &str,
    offsets: impl ExactSizeIterator<Item = (&'a TopicPartition, &'a i64)>,
) {
    put_bytes(out, group.as_bytes());
    put_len(out, offsets.len());
    for (partition, offset) in offsets {
        put_bytes(out, partition.topic.as_str().as_bytes());
        out.put_u32_le(partition.partition);
        out.put_i64_le(*offset);
    }
}

pub(super) fn group(from: &mut Decoder) -> Option<(String, Vec<(TopicPartition, i64)>)> {
    let group = from.text()?;
    let offsets = from.list(|from| {
        let partition = TopicPartition {
            topic: topic_name(from)?,
            partition: from.u32()?,
        };
        Some((partition, from.i64()?))
    })?;
    Some((group, offsets))
}
