//! Lines of a stream as bytes, and whether the next one is there yet.

use std::io::{self, Read};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Twice what a worker takes; it can still say so when it gets one of these.
const LINE_BYTES_MAX: usize = 8 << 20;

/// Lines end with `\n`, which is all that is taken off; the last one may do without.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Before this, it does not end.
    searched: usize,
    has_ended: bool,
}

impl<R: Read + AsFd> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            has_ended: false,
        }
    }

    /// Whether `next` answers without waiting.
    pub(super) fn is_next_here(&mut self) -> io::Result<bool> {
        while self.line_end().is_none() && !self.has_ended {
            if !is_readable(&self.input)? {
                return Ok(false);
            }
            self.fill()?;
        }
        Ok(true)
    }

    /// The next line; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let end = loop {
            if let Some(end) = self.line_end() {
                break end;
            }
            if self.has_ended {
                let rest = self.buffer.split_off(self.start);
                self.buffer.truncate(0);
                (self.start, self.searched) = (0, 0);
                return Ok(Some(rest).filter(|rest| !rest.is_empty()));
            }
            self.fill()?;
        };
        let line = self.buffer[self.start..end].to_vec();
        self.start = end + 1;
        self.searched = self.start;
        Ok(Some(line))
    }

    fn line_end(&mut self) -> Option<usize> {
        let unsearched = &self.buffer[self.searched..];
        let found = unsearched.iter().position(|byte| *byte == b'\n');
        let found = found.map(|found| self.searched + found);
        self.searched = found.unwrap_or(self.buffer.len());
        found
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let n_kept = self.buffer.len();
        if n_kept > LINE_BYTES_MAX {
            let message = format!("a line is longer than {LINE_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.buffer.resize(n_kept + CHUNK_BYTES, 0);
        let read = self.input.read(&mut self.buffer[n_kept..]);
        let n_read = *read.as_ref().unwrap_or(&0);
        self.buffer.truncate(n_kept + n_read);
        match read {
            Ok(n_read) => self.has_ended = n_read == 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether a read returns at once, be it with an end or an error.
fn is_readable(input: &impl AsFd) -> io::Result<bool> {
    let fd = input.as_fd();
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec::default())) {
        Ok(n_ready) => Ok(n_ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_are_bytes_up_to_the_line_feed() {
        let (input, mut output) = io::pipe().unwrap();
        output.write_all(b"a\r\n\n\xff \nlast").unwrap();
        drop(output);
        let mut lines = Lines::new(input);
        for expected in [&b"a\r"[..], b"", b"\xff ", b"last"] {
            assert_eq!(lines.next().unwrap().as_deref(), Some(expected));
        }
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn a_line_that_is_longer_than_a_chunk_is_one() {
        let mut file = tempfile::tempfile().unwrap();
        let long = vec![b'x'; 3 * CHUNK_BYTES];
        file.write_all(&[&long[..], b"\n", &long].concat()).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut lines = Lines::new(file);
        for _ in 0..2 {
            assert!(lines.is_next_here().unwrap());
            assert_eq!(lines.next().unwrap(), Some(long.clone()));
        }
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn half_a_line_is_not_there_yet() {
        let (input, mut output) = io::pipe().unwrap();
        let mut lines = Lines::new(input);
        assert!(!lines.is_next_here().unwrap());
        output.write_all(b"one\ntw").unwrap();
        assert!(lines.is_next_here().unwrap());
        assert_eq!(lines.next().unwrap().unwrap(), b"one");
        assert!(!lines.is_next_here().unwrap());
        output.write_all(b"o\n").unwrap();
        assert!(lines.is_next_here().unwrap());
        assert_eq!(lines.next().unwrap().unwrap(), b"two");
        drop(output);
        assert!(lines.is_next_here().unwrap());
        assert_eq!(lines.next().unwrap(), None);
    }
}
