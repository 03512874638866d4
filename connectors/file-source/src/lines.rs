//! Bytes cut into lines. Only `\n` ends a line; `\r` stays.

use memchr::memchr;

use crate::offset::{WINDOW_BYTES, fingerprint};

/// The part of a file that is being cut.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Up to [`WINDOW_BYTES`] before the current line, then what was read of it and behind it.
    bytes: Vec<u8>,
    /// Where the current line begins in `bytes`, or what is kept of it when it is too long.
    start: usize,
    /// No line end stands between `start` and here.
    scanned: usize,
    /// The file's offset of the end of `bytes`.
    end: u64,
    /// Set while a line that is too long is being skipped.
    skipping: Option<Skipping>,
}

#[derive(Clone, Copy, Debug)]
struct Skipping {
    /// Bytes of the line that were dropped.
    dropped: u64,
    /// Of the window before the line.
    fingerprint: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A line without its end.
    Line(&'a [u8]),
    /// A line over the limit, of which nothing was kept.
    TooLong {
        /// The file's offset of its start.
        offset: u64,
        /// Its length without its end.
        length: u64,
    },
    /// A line that does not fit in the room that is left; it comes again.
    NoRoom,
    /// No whole line is there: more has to be read.
    Unfinished,
}

impl Lines {
    /// Goes on at an offset of the file, behind the bytes that stand before it.
    pub(crate) fn resume(position: u64, window: Vec<u8>) -> Self {
        Self {
            start: window.len(),
            scanned: window.len(),
            bytes: window,
            end: position,
            skipping: None,
        }
    }

    /// The file's offset up to which bytes were read.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The last bytes that were read, to be found again before the next ones.
    pub(crate) fn overlap(&self) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(WINDOW_BYTES)..]
    }

    /// The file's offset of the current line.
    pub(crate) fn position(&self) -> u64 {
        let dropped = self.skipping.map_or(0, |skipping| skipping.dropped);
        self.end - (self.bytes.len() - self.start) as u64 - dropped
    }

    /// Of the window before the current line.
    pub(crate) fn fingerprint(&self) -> u64 {
        match self.skipping {
            Some(skipping) => skipping.fingerprint,
            None => fingerprint(self.window()),
        }
    }

    fn window(&self) -> &[u8] {
        &self.bytes[self.start.saturating_sub(WINDOW_BYTES)..self.start]
    }

    /// Whether bytes were read that are not yet part of a line.
    pub(crate) fn has_rest(&self) -> bool {
        self.start < self.bytes.len() || self.skipping.is_some()
    }

    /// Whether whole lines may still be cut without reading.
    pub(crate) fn has_unscanned(&self) -> bool {
        self.scanned < self.bytes.len()
    }

    /// Adds the bytes that follow.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.drop_what_is_done();
        self.bytes.extend_from_slice(bytes);
        self.end += bytes.len() as u64;
    }

    /// Gives back memory: nothing more is there to read for now.
    pub(crate) fn compact(&mut self) {
        self.drop_what_is_done();
        self.bytes.shrink_to_fit();
    }

    fn drop_what_is_done(&mut self) {
        let done = self.start.saturating_sub(WINDOW_BYTES);
        self.bytes.drain(..done);
        self.start -= done;
        self.scanned -= done;
    }

    /// The next whole line of at most `line_max` bytes, if it fits in `room`.
    pub(crate) fn next(&mut self, line_max: usize, room: usize) -> Next<'_> {
        match memchr(b'\n', &self.bytes[self.scanned..]) {
            Some(found) => {
                let end = self.scanned + found;
                self.cut(end, end + 1, line_max, room)
            }
            None => {
                self.scanned = self.bytes.len();
                if self.skipping.is_some() || self.bytes.len() - self.start > line_max {
                    self.skip_what_is_there();
                }
                Next::Unfinished
            }
        }
    }

    /// The rest as a line, where none will follow that ends it.
    pub(crate) fn finish(&mut self, line_max: usize, room: usize) -> Next<'_> {
        self.cut(self.bytes.len(), self.bytes.len(), line_max, room)
    }

    fn cut(&mut self, end: usize, next: usize, line_max: usize, room: usize) -> Next<'_> {
        let offset = self.position();
        let start = self.start;
        let dropped = self.skipping.map_or(0, |skipping| skipping.dropped);
        let length = dropped + (end - start) as u64;
        let too_long = length > line_max as u64;
        self.scanned = end;
        if !too_long && end - start > room {
            return Next::NoRoom;
        }
        self.skipping = None;
        self.start = next;
        self.scanned = next;
        if too_long {
            Next::TooLong { offset, length }
        } else {
            Next::Line(&self.bytes[start..end])
        }
    }

    fn skip_what_is_there(&mut self) {
        let fingerprint = self.fingerprint();
        let dropped = self.skipping.map_or(0, |skipping| skipping.dropped);
        self.skipping = Some(Skipping {
            dropped: dropped + (self.bytes.len() - self.start) as u64,
            fingerprint,
        });
        self.start = self.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 1 << 20;

    /// Feeds the text in pieces of `n` bytes and shows what comes out.
    fn cut(text: &[u8], n: usize, line_max: usize) -> Vec<String> {
        let mut lines = Lines::resume(0, Vec::new());
        let mut out = Vec::new();
        for piece in text.chunks(n) {
            lines.add(piece);
            loop {
                match lines.next(line_max, ROOM) {
                    Next::Line(line) => out.push(String::from_utf8_lossy(line).into_owned()),
                    Next::TooLong { offset, length } => out.push(format!("<{offset}+{length}>")),
                    Next::NoRoom | Next::Unfinished => break,
                }
            }
        }
        out.push(format!("@{}", lines.position()));
        out
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let text = b"one\ntwo\r\n\n\xFF\xFE\nmore than ten bytes\nlast";
        let expected = ["one", "two\r", "", "\u{fffd}\u{fffd}", "<13+19>", "@33"];
        for n in 1..=text.len() {
            assert_eq!(cut(text, n, 10), expected, "pieces of {n}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept() {
        let mut lines = Lines::resume(0, Vec::new());
        for _ in 0..1000 {
            lines.add(&[b'x'; 1000]);
            assert_eq!(lines.next(500, ROOM), Next::Unfinished);
            assert!(lines.bytes.len() <= 1000 + WINDOW_BYTES);
        }
        assert_eq!(lines.position(), 0);
        lines.add(b"\nnext\n");
        let length = 1_000_000;
        assert_eq!(lines.next(500, ROOM), Next::TooLong { offset: 0, length });
        assert_eq!(lines.next(500, ROOM), Next::Line(b"next"));
        assert_eq!(lines.position(), 1_000_006);
    }

    #[test]
    fn a_line_without_room_comes_again() {
        let mut lines = Lines::resume(0, Vec::new());
        lines.add(b"four\n");
        assert_eq!(lines.next(10, 3), Next::NoRoom);
        assert_eq!(lines.position(), 0);
        assert_eq!(lines.next(10, 4), Next::Line(b"four"));
    }

    #[test]
    fn the_rest_becomes_a_line_when_it_is_finished() {
        let mut lines = Lines::resume(0, Vec::new());
        lines.add(b"whole\nrest");
        assert_eq!(lines.next(10, ROOM), Next::Line(b"whole"));
        assert_eq!(lines.next(10, ROOM), Next::Unfinished);
        assert!(lines.has_rest());
        assert_eq!(lines.finish(10, ROOM), Next::Line(b"rest"));
        assert!(!lines.has_rest());
        assert_eq!(lines.position(), 10);
    }

    #[test]
    fn the_fingerprint_is_of_what_stands_before_the_line() {
        let text: Vec<u8> = (0..4000u32)
            .flat_map(|n| format!("{n}\n").into_bytes())
            .collect();
        let mut lines = Lines::resume(0, Vec::new());
        for piece in text.chunks(700) {
            lines.add(piece);
            while matches!(lines.next(10, ROOM), Next::Line(_)) {}
            let at = usize::try_from(lines.position()).unwrap();
            let window = &text[at.saturating_sub(WINDOW_BYTES)..at];
            assert_eq!(lines.fingerprint(), fingerprint(window));
        }
    }
}
