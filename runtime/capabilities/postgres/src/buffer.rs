//! What came from a server and was not read yet: one task fills it, one reader on another runtime
//! takes whole parts out.
//!
//! *Invariant*: it is bounded. A filler that finds it full stops reading its socket, and so the
//! server stops sending (invariant 9). A reader that gives up waiting has lost nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::Error;

/// A buffer that holds so much is full, however little of its last part fits.
pub(crate) const FULL_BYTES: usize = 2 << 20;
/// Parts are about so large, which is how exactly a read can be bounded.
const PART_BYTES: usize = 16 << 10;

/// Bytes between a filler and a reader.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    held: Mutex<Held>,
    filled: Notify,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    /// Bytes that were taken already.
    taken: usize,
    /// Where a reader may cut.
    cuts: VecDeque<Cut>,
    end: Option<Result<(), Error>>,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: usize,
    mark: u64,
}

/// What a read gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) bytes: Vec<u8>,
    /// The mark of the last part, if there is a part.
    pub(crate) mark: Option<u64>,
    /// Nothing comes after this.
    pub(crate) done: bool,
}

impl Buffer {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `fill` append parts; each lasts until the next cut.
    pub(crate) fn fill<T>(&self, fill: impl FnOnce(&mut Filled<'_>) -> T) -> T {
        let mut held = self.held();
        held.compact();
        let (n_cuts, outcome) = {
            let n_cuts = held.cuts.len();
            (n_cuts, fill(&mut Filled { held: &mut held }))
        };
        let came = held.cuts.len() > n_cuts;
        drop(held);
        if came {
            self.filled.notify_waiters();
        }
        outcome
    }

    /// Says that nothing comes any more, and why. Only the first reason counts. What is left is a part of its own.
    pub(crate) fn end(&self, end: Result<(), Error>) {
        let mut held = self.held();
        Filled { held: &mut held }.cut(0);
        held.end.get_or_insert(end);
        drop(held);
        self.filled.notify_waiters();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.held().end.is_some()
    }

    pub(crate) fn is_full(&self) -> bool {
        let held = self.held();
        // What no reader can take yet is nothing that waits for one.
        let last = held.cuts.back().map_or(held.taken, |cut| cut.at);
        last - held.taken >= FULL_BYTES
    }

    /// Waits until there is room. May be dropped and called again.
    pub(crate) async fn room(&self) {
        loop {
            let emptied = self.emptied.notified();
            if !self.is_full() {
                return;
            }
            emptied.await;
        }
    }

    /// At least one part, and more of them up to `bytes_max`; nothing where none comes in time. With no bytes it only waits
    /// until there is a part or the end. May be dropped at any moment.
    pub(crate) async fn take(&self, bytes_max: usize, limit: Duration) -> Result<Taken, Error> {
        let wait = async {
            loop {
                let filled = self.filled.notified();
                if let Some(taken) = self.take_now(bytes_max) {
                    return taken;
                }
                filled.await;
            }
        };
        timeout(limit, wait)
            .await
            .unwrap_or_else(|_| Ok(Taken::default()))
    }

    fn take_now(&self, bytes_max: usize) -> Option<Result<Taken, Error>> {
        let mut held = self.held();
        if bytes_max == 0 && !held.cuts.is_empty() {
            return Some(Ok(Taken::default()));
        }
        let Some(cut) = held.next_cut(bytes_max) else {
            let end = held.end.clone()?;
            return Some(end.map(|()| Taken {
                done: true,
                ..Taken::default()
            }));
        };
        let taken = Taken {
            bytes: held.take_to(cut.at),
            mark: Some(cut.mark),
            done: held.cuts.is_empty() && matches!(held.end, Some(Ok(()))),
        };
        drop(held);
        self.emptied.notify_waiters();
        Some(Ok(taken))
    }
}

impl Held {
    /// The last cut that keeps within the bytes, or the first one; it and those before it are gone.
    fn next_cut(&mut self, bytes_max: usize) -> Option<Cut> {
        let until = self.taken.saturating_add(bytes_max);
        let mut cut = self.cuts.pop_front()?;
        while let Some(next) = self.cuts.pop_front_if(|next| next.at <= until) {
            cut = next;
        }
        Some(cut)
    }

    fn take_to(&mut self, at: usize) -> Vec<u8> {
        if self.taken == 0 && at == self.bytes.len() {
            return std::mem::take(&mut self.bytes);
        }
        let part = self.bytes[self.taken..at].to_vec();
        self.taken = at;
        part
    }

    /// Forgets what was taken, once it is more than what is left.
    fn compact(&mut self) {
        if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            for cut in &mut self.cuts {
                cut.at -= self.taken;
            }
            self.taken = 0;
        }
    }
}

/// A buffer that is being filled.
pub(crate) struct Filled<'a> {
    held: &'a mut Held,
}

impl Filled<'_> {
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.held.bytes
    }

    fn uncut(&self) -> usize {
        let last = self.held.cuts.back().map_or(self.held.taken, |cut| cut.at);
        self.held.bytes.len() - last
    }

    /// A part is complete, if there is anything in it.
    pub(crate) fn cut(&mut self, mark: u64) {
        self.cut_at(self.held.bytes.len(), mark);
    }

    /// A part ended there, if there is anything in it.
    pub(crate) fn cut_at(&mut self, at: usize, mark: u64) {
        let last = self.held.cuts.back().map_or(self.held.taken, |cut| cut.at);
        if at > last {
            self.held.cuts.push_back(Cut { at, mark });
        }
    }

    /// A part may end here, and does if it is large enough.
    pub(crate) fn cut_where_due(&mut self, mark: u64) {
        if self.uncut() >= PART_BYTES {
            self.cut(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &Buffer, parts: &[&[u8]]) {
        for (n, part) in parts.iter().enumerate() {
            buffer.fill(|filled| {
                filled.bytes().extend_from_slice(part);
                filled.cut(n as u64);
            });
        }
    }

    async fn take(buffer: &Buffer, bytes_max: usize) -> Taken {
        buffer.take(bytes_max, Duration::ZERO).await.unwrap()
    }

    fn part(bytes: &[u8], mark: u64) -> Taken {
        Taken {
            bytes: bytes.to_vec(),
            mark: Some(mark),
            done: false,
        }
    }

    #[tokio::test]
    async fn a_read_takes_whole_parts_and_at_least_one() {
        let buffer = Buffer::default();
        put(&buffer, &[b"aaaa", b"bb", b"c", b"dd"]);
        assert_eq!(take(&buffer, 1).await, part(b"aaaa", 0));
        assert_eq!(take(&buffer, 4).await, part(b"bbc", 2));
        put(&buffer, &[b"e"]);
        assert_eq!(take(&buffer, 100).await, part(b"dde", 0));
        assert_eq!(take(&buffer, 100).await, Taken::default());
    }

    #[tokio::test]
    async fn an_error_comes_after_everything_before_it_and_stays() {
        let buffer = Buffer::default();
        put(&buffer, &[b"a"]);
        buffer.end(Err(Error::Ended));
        assert_eq!(take(&buffer, 10).await, part(b"a", 0));
        for _ in 0..2 {
            let ended = buffer.take(10, Duration::MAX).await;
            assert!(matches!(ended, Err(Error::Ended)));
        }
    }

    #[tokio::test]
    async fn the_last_part_says_that_it_is_the_last() {
        let buffer = Buffer::default();
        put(&buffer, &[b"a", b"b"]);
        buffer.end(Ok(()));
        assert!(!take(&buffer, 1).await.done);
        assert!(take(&buffer, 1).await.done);
        assert!(take(&buffer, 1).await.done);
    }

    #[tokio::test]
    async fn a_full_buffer_has_room_again_once_it_is_read() {
        let buffer = Buffer::default();
        put(&buffer, &[&vec![0; FULL_BYTES]]);
        assert!(buffer.is_full());
        let (_, taken) = tokio::join!(buffer.room(), take(&buffer, 1));
        assert_eq!(taken.bytes.len(), FULL_BYTES);
        assert!(!buffer.is_full());
    }

    #[tokio::test]
    async fn a_look_takes_nothing_and_tells_whether_there_is_more() {
        let buffer = Buffer::default();
        put(&buffer, &[b"a"]);
        assert_eq!(take(&buffer, 0).await, Taken::default());
        assert_eq!(take(&buffer, 1).await, part(b"a", 0));
        buffer.fill(|filled| filled.bytes().extend_from_slice(b"held back"));
        assert_eq!(take(&buffer, 9).await, Taken::default());
        buffer.end(Ok(()));
        assert!(!take(&buffer, 0).await.done);
        let last = take(&buffer, 1).await;
        assert_eq!(
            (last.bytes.as_slice(), last.done),
            (&b"held back"[..], true)
        );
        assert!(take(&buffer, 0).await.done);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let buffer = Buffer::default();
        let (taken, ()) = tokio::join!(buffer.take(10, Duration::MAX), async {
            put(&buffer, &[b"a"]);
        });
        assert_eq!(taken.unwrap(), part(b"a", 0));
    }
}
