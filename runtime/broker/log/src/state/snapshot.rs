//! The whole state in one record.

use bytes::BufMut as _;
use longshore_pipeline::port::{Generation, Owner};

use super::change::{group, put_group, put_topic, topic};
use super::{Partition, Producers, State};
use crate::codec::{Decoder, put_bytes, put_len};

impl State {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64_le(self.generation);
        out.put_u32_le(self.next_partition);
        out.put_i64_le(self.next_producer_id);
        put_len(out, self.topics.len());
        for (name, topic) in &self.topics {
            put_topic(out, name, topic);
        }
        put_len(out, self.partitions.len());
        for (id, partition) in &self.partitions {
            out.put_u32_le(*id);
            out.put_i64_le(partition.log_start);
            out.put_i64_le(partition.next_offset);
            out.put_u8(u8::from(partition.compacted));
        }
        put_len(out, self.owners.len());
        for (owner, generation) in &self.owners {
            put_bytes(out, owner.as_str().as_bytes());
            out.put_u64_le(generation.0);
        }
        put_len(out, self.groups.len());
        for (name, offsets) in &self.groups {
            put_group(out, name, offsets.iter());
        }
        self.producers.encode(out);
    }

    pub(crate) fn decode(from: &mut Decoder) -> Option<Self> {
        let generation = from.u64()?;
        let next_partition = from.u32()?;
        let next_producer_id = from.i64()?;
        let topics = from.list(topic)?.into_iter().collect();
        let partitions = from.list(|from| {
            let id = from.u32()?;
            let (log_start, next_offset) = (from.i64()?, from.i64()?);
            Some((
                id,
                Partition {
                    log_start,
                    next_offset,
                    compacted: from.u8()? != 0,
                },
            ))
        })?;
        let owners =
            from.list(|from| Some((Owner::from_stored(&from.text()?), Generation(from.u64()?))))?;
        let groups = from.list(|from| {
            let (name, offsets) = group(from)?;
            Some((name, offsets.into_iter().collect()))
        })?;
        Some(Self {
            topics,
            partitions: partitions.into_iter().collect(),
            groups: groups.into_iter().collect(),
            producers: Producers::decode(from)?,
            owners: owners.into_iter().collect(),
            generation,
            next_partition,
            next_producer_id,
        })
    }
}
