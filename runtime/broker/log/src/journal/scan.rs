//! Reads frames front to back.

use std::sync::Arc;

use bytes::Bytes;
use longshore_disk::{Advice, DiskFile};

use super::file::Files;
use super::frame::{FrameHeader, HEADER_BYTES, Item, MAGIC, items};
use crate::error::Error;
use crate::index::Place;

/// How much is read at a time, unless a frame is larger.
const CHUNK_BYTES: usize = 1 << 20;

/// Yields the frames of one file from a place on.
#[derive(Debug)]
pub(crate) struct FrameReader<'a> {
    files: &'a Files,
    file: u32,
    handle: Arc<dyn DiskFile>,
    at: u64,
    end: u64,
    /// What was read from `at` on.
    ahead: Bytes,
}

#[derive(Debug)]
pub(crate) struct ReadFrame {
    pub(crate) at: u64,
    pub(crate) end: u64,
    /// How far the file was durable when this frame was written.
    pub(crate) synced_to: u64,
    pub(crate) items: Vec<(Item, Option<Place>)>,
}

impl<'a> FrameReader<'a> {
    pub(crate) fn new(files: &'a Files, file: u32, at: u64) -> Result<Self, Error> {
        let handle = files.get(file)?;
        let end = files.size(file)?;
        handle.advise(at, end.saturating_sub(at), Advice::Sequential);
        Ok(Self {
            files,
            file,
            handle,
            at,
            end,
            ahead: Bytes::new(),
        })
    }

    /// Where the next frame would begin.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next frame; `None` at the end of the file, and where no whole frame begins, which [`FrameReader::at_end`]
    /// tells apart.
    pub(crate) fn next(&mut self) -> Result<Option<ReadFrame>, Error> {
        if !self.fill(HEADER_BYTES)? {
            return Ok(None);
        }
        let Some(header) = FrameHeader::read(&self.ahead) else {
            return Ok(None);
        };
        let Ok(len) = usize::try_from(header.frame_bytes()) else {
            return Ok(None);
        };
        if !self.fill(len)? || !header.matches(&self.ahead[..len]) {
            return Ok(None);
        }
        let frame = self.ahead.split_to(len);
        let at = self.at;
        self.at += header.frame_bytes();
        let unknown = "a frame holds what this version does not know";
        let items = items(self.file, at, &frame).ok_or_else(|| self.corrupt(at, unknown))?;
        Ok(Some(ReadFrame {
            at,
            end: self.at,
            synced_to: header.synced_to,
            items,
        }))
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.end
    }

    pub(crate) fn corrupt(&self, at: u64, reason: &'static str) -> Error {
        Error::Corrupt {
            file: self.files.path(self.file),
            at,
            reason,
        }
    }

    /// Reads until `len` bytes from `at` on are there; false when the file ends before.
    fn fill(&mut self, len: usize) -> Result<bool, Error> {
        if self.ahead.len() >= len {
            return Ok(true);
        }
        let rest = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        if rest < len {
            return Ok(false);
        }
        let mut chunk = vec![0; len.max(CHUNK_BYTES).min(rest)];
        let known = self.ahead.len();
        chunk[..known].copy_from_slice(&self.ahead);
        let read = self
            .handle
            .read_exact_at(&mut chunk[known..], self.at + known as u64);
        read.map_err(Error::io("read", self.files.path(self.file)))?;
        self.ahead = Bytes::from(chunk);
        Ok(true)
    }
}

/// Whether a whole frame stands behind a damaged one, and what it knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValidAfter {
    /// Nothing there was ever reported as written, or only together with the damaged frame: it is torn.
    Nothing,
    /// A frame was written when the damaged one was durable already: it was damaged later.
    Durable,
}

/// Looks for frames behind `bad`, where none begins.
pub(crate) fn valid_after(files: &Files, file: u32, bad: u64) -> Result<ValidAfter, Error> {
    let end = files.size(file)?;
    let mut rest = vec![0; usize::try_from(end - bad).expect("a journal file fits in memory")];
    let handle = files.get(file)?;
    handle
        .read_exact_at(&mut rest, bad)
        .map_err(Error::io("read", files.path(file)))?;
    let mut from = 1;
    while let Some(found) = rest
        .get(from..)
        .and_then(|rest| rest.windows(MAGIC.len()).position(|four| four == MAGIC))
    {
        let at = from + found;
        from = at + 1;
        let Some(header) = FrameHeader::read(&rest[at..]) else {
            continue;
        };
        let frame = usize::try_from(header.frame_bytes())
            .ok()
            .and_then(|len| rest[at..].get(..len));
        if header.synced_to > bad && frame.is_some_and(|frame| header.matches(frame)) {
            return Ok(ValidAfter::Durable);
        }
    }
    Ok(ValidAfter::Nothing)
}
