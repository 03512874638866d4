//! What a checkpoint stores beside the entries: everything else the view knows, and the place it was true at.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::{FileBytes, JournalEnd, Purge, View};
use crate::codec::{Decoder, put_len};
use crate::error::Error;
use crate::index::Index;
use crate::state::State;

const VERSION: u8 = 1;

/// How many entries are read at a time to find the latest records.
const CHUNK: usize = 1024;

impl View {
    pub(crate) fn summary(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.put_u32_le(self.end.file);
        out.put_u64_le(self.end.at);
        self.state.encode(&mut out);
        put_len(&mut out, self.files.len());
        for (file, bytes) in &self.files {
            out.put_u32_le(*file);
            out.put_u64_le(bytes.written);
            out.put_u64_le(bytes.live);
        }
        put_len(&mut out, self.sizes.len());
        for (partition, size) in &self.sizes {
            out.put_u32_le(*partition);
            out.put_u64_le(*size);
        }
        put_len(&mut out, self.purging.len());
        for (partition, purge) in &self.purging {
            out.put_u32_le(*partition);
            out.put_i64_le(purge.from);
            out.put_i64_le(purge.below);
        }
        let crc = crc32c::crc32c(&out);
        out.put_u32_le(crc);
        out
    }

    /// The view of a checkpoint; gives the index back when the summary is not one of this version.
    pub(crate) fn restore(summary: Vec<u8>, index: Index) -> Result<Result<Self, Index>, Error> {
        let Some((end, state, rest)) = open(summary) else {
            return Ok(Err(index));
        };
        let mut view = Self {
            state,
            end,
            checkpoint_end: end,
            ..Self::new(index)
        };
        if view.read_sizes(rest).is_none() {
            return Ok(Err(view.index));
        }
        view.find_latest()?;
        Ok(Ok(view))
    }

    fn read_sizes(&mut self, mut from: Decoder) -> Option<()> {
        let files = from.list(|from| {
            let file = from.u32()?;
            let (written, live) = (from.u64()?, from.u64()?);
            Some((file, FileBytes { written, live }))
        })?;
        self.files = files.into_iter().collect();
        self.sizes = from
            .list(|from| Some((from.u32()?, from.u64()?)))?
            .into_iter()
            .collect();
        let purging = from.list(|from| {
            Some((
                from.u32()?,
                Purge {
                    from: from.i64()?,
                    below: from.i64()?,
                },
            ))
        })?;
        self.purging = purging.into_iter().collect();
        from.is_empty().then_some(())
    }

    fn find_latest(&mut self) -> Result<(), Error> {
        let compacted = self
            .state
            .partitions
            .iter()
            .filter(|(_, partition)| partition.compacted);
        for (&partition, _) in compacted {
            let latest = self.latest.entry(partition).or_default();
            let mut from = 0;
            loop {
                let entries = self.index.scan(partition, from, i64::MAX, CHUNK)?;
                let Some((last, _)) = entries.last() else {
                    break;
                };
                from = last.offset + 1;
                let keyed = entries
                    .into_iter()
                    .filter_map(|(key, entry)| Some((entry.keyed?.key, key.offset)));
                latest.extend(keyed);
            }
        }
        Ok(())
    }
}

fn open(mut summary: Vec<u8>) -> Option<(JournalEnd, State, Decoder)> {
    let body = summary.len().checked_sub(4)?;
    if crc32c::crc32c(&summary[..body]) != (&summary[body..]).get_u32_le() {
        return None;
    }
    summary.truncate(body);
    let mut from = Decoder::new(Bytes::from(summary));
    if from.u8()? != VERSION {
        return None;
    }
    let end = JournalEnd {
        file: from.u32()?,
        at: from.u64()?,
    };
    let state = State::decode(&mut from)?;
    Some((end, state, from))
}
