//! The grammar, once, for the checker and for the tree.

use alloc::string::String;

/// Deepest nesting of arrays and objects.
pub const DEPTH_MAX: usize = 512;

/// Why bytes are not JSON; `at` is a byte's place. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// A byte that cannot stand there.
    #[error("not JSON at byte {at}: expected {expected}")]
    Unexpected {
        /// Where.
        at: usize,
        /// What could.
        expected: &'static str,
    },
    /// The text ends too early.
    #[error("JSON ends early, at byte {at}")]
    Truncated {
        /// The length of the text.
        at: usize,
    },
    /// Not UTF-8.
    #[error("JSON is not UTF-8 at byte {at}")]
    Utf8 {
        /// Where.
        at: usize,
    },
    /// Nested too deep.
    #[error("JSON is nested deeper than {DEPTH_MAX} at byte {at}")]
    Depth {
        /// Where.
        at: usize,
    },
}

/// Whether a JSON text has whitespace between its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// None: the text is as compact as it can be.
    Compact,
    /// Some: [`compact`] takes it out.
    Spaced,
}

/// Checks that the bytes are one JSON value, without building anything.
///
/// # Errors
/// When they are not, or it is nested too deep.
pub fn check(bytes: &[u8]) -> Result<(&str, Spacing), JsonError> {
    let mut reader = Reader::new(bytes)?;
    reader.skip_value(0)?;
    reader.end()?;
    let spacing = if reader.spaced {
        Spacing::Spaced
    } else {
        Spacing::Compact
    };
    Ok((reader.text, spacing))
}

/// A checked JSON text without the whitespace between its tokens.
#[must_use]
pub fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut start) = (false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => {
                out.push_str(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push_str(&text[start..]);
    out
}

/// A place in a text.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    spaced: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, JsonError> {
        let text = core::str::from_utf8(bytes).map_err(|e| JsonError::Utf8 {
            at: e.valid_up_to(),
        })?;
        Ok(Self {
            text,
            at: 0,
            spaced: false,
        })
    }

    /// The next byte that is not whitespace.
    pub(super) fn peek(&mut self) -> Result<u8, JsonError> {
        self.skip_spaces();
        self.byte_at(self.at)
    }

    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        self.skip_spaces();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.unexpected("the end"))
        }
    }

    pub(super) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.peek()? != byte {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Past a comma, when the next token is one; past `close` otherwise.
    pub(super) fn next_or_close(&mut self, close: u8) -> Result<bool, JsonError> {
        let byte = self.peek()?;
        if byte != b',' && byte != close {
            return Err(self.unexpected("a comma or the closing bracket"));
        }
        self.at += 1;
        Ok(byte == b',')
    }

    /// Past an opening bracket; false, past the closing one too, when nothing is between.
    pub(super) fn open(&mut self, close: u8, depth: usize) -> Result<bool, JsonError> {
        if depth >= DEPTH_MAX {
            return Err(JsonError::Depth { at: self.at });
        }
        self.at += 1;
        if self.peek()? == close {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    fn skip_value(&mut self, depth: usize) -> Result<(), JsonError> {
        match self.peek()? {
            b'{' => {
                let mut more = self.open(b'}', depth)?;
                while more {
                    self.peek()?;
                    self.string()?;
                    self.expect(b':', "a colon")?;
                    self.skip_value(depth + 1)?;
                    more = self.next_or_close(b'}')?;
                }
                Ok(())
            }
            b'[' => {
                let mut more = self.open(b']', depth)?;
                while more {
                    self.skip_value(depth + 1)?;
                    more = self.next_or_close(b']')?;
                }
                Ok(())
            }
            b'"' => self.string().map(|_| ()),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number().map(|_| ()),
        }
    }

    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// A string's text between its quotes, and whether it has escapes; all of them are right.
    pub(super) fn string(&mut self) -> Result<(&'a str, bool), JsonError> {
        if self.byte_at(self.at)? != b'"' {
            return Err(self.unexpected("a string"));
        }
        self.at += 1;
        let start = self.at;
        let mut escapes = false;
        loop {
            match self.byte_at(self.at)? {
                b'"' => break,
                b'\\' => {
                    escapes = true;
                    self.escape()?;
                }
                0x00..=0x1f => return Err(self.unexpected("no control character in a string")),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok((&self.text[start..self.at - 1], escapes))
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.byte_at(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => match self.hex(self.at + 2)? {
                0xd800..=0xdbff => {
                    let low = self.text.as_bytes().get(self.at + 6..self.at + 8) == Some(b"\\u");
                    if !low || !(0xdc00..=0xdfff).contains(&self.hex(self.at + 8)?) {
                        return Err(self.unexpected("both halves of a surrogate pair"));
                    }
                    self.at += 12;
                }
                0xdc00..=0xdfff => return Err(self.unexpected("both halves of a surrogate pair")),
                _ => self.at += 6,
            },
            _ => return Err(self.unexpected("an escape")),
        }
        Ok(())
    }

    fn hex(&self, at: usize) -> Result<u32, JsonError> {
        (at..at + 4).try_fold(0, |code, at| {
            let digit = char::from(self.byte_at(at)?).to_digit(16);
            Ok(code * 16
                + digit.ok_or(JsonError::Unexpected {
                    at,
                    expected: "a hexadecimal digit",
                })?)
        })
    }

    pub(super) fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.text.as_bytes().get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.text.as_bytes().get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.text.as_bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.as_bytes().get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.as_bytes().get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.byte_at(self.at)?.is_ascii_digit() {
            return Err(self.unexpected("a value"));
        }
        while let Some(b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
        Ok(())
    }

    fn skip_spaces(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.as_bytes().get(self.at) {
            self.at += 1;
            self.spaced = true;
        }
    }

    fn byte_at(&self, at: usize) -> Result<u8, JsonError> {
        let end = JsonError::Truncated {
            at: self.text.len(),
        };
        self.text.as_bytes().get(at).copied().ok_or(end)
    }

    fn unexpected(&self, expected: &'static str) -> JsonError {
        JsonError::Unexpected {
            at: self.at,
            expected,
        }
    }
}
