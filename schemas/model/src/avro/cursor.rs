//! Avro's primitive encodings, off a slice.

use super::Malformed;

/// Most values for each byte of a datum: records and a union's absent branches take none.
const VALUES_PER_BYTE: usize = 16;
/// Most values beyond that.
const VALUES_MORE: usize = 65_536;

/// A place in a datum, for readers that make something else of it than a value. Such a reader spends and chooses as
/// [`super::read()`] does, so that both take the same bytes.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Values that may still come.
    values_left: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of a datum.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            values_left: values_max(bytes),
        }
    }

    /// Checks that nothing follows.
    ///
    /// # Errors
    /// When bytes are left.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(Malformed::Trailing { at: self.at })
        }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next bytes, as many as wanted: a fixed.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, wanted: usize) -> Result<&'a [u8], Malformed> {
        let (at, left) = (self.at, self.left());
        if wanted > left {
            return Err(Malformed::Truncated { at, wanted, left });
        }
        self.at += wanted;
        Ok(&self.bytes[at..self.at])
    }

    /// The next bytes, as many as the array has.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N)?;
        Ok(bytes
            .try_into()
            .expect("take gives as many bytes as wanted"))
    }

    /// A boolean.
    ///
    /// # Errors
    /// When there is none.
    pub fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(Malformed::Boolean { at: self.at - 1 }),
        }
    }

    /// A zigzag number of at most ten bytes.
    ///
    /// # Errors
    /// When there is none.
    #[inline]
    pub fn long(&mut self) -> Result<i64, Malformed> {
        match self.bytes.get(self.at) {
            Some(byte @ 0..0x80) => {
                self.at += 1;
                Ok(unzigzag(u64::from(*byte)))
            }
            _ => self.long_of_many(),
        }
    }

    /// Eight bytes are looked at at once where there are so many: events are full of times.
    fn long_of_many(&mut self) -> Result<i64, Malformed> {
        let at = self.at;
        let (mut number, mut known) = (0, 0);
        if let Some(eight) = self.bytes[at..].first_chunk() {
            let word = u64::from_le_bytes(*eight);
            let ends = !word & HIGH_BITS;
            if ends != 0 {
                let bits = ends.trailing_zeros() + 1;
                self.at += bits as usize / 8;
                return Ok(unzigzag(of_sevens(word & (u64::MAX >> (64 - bits)))));
            }
            (number, known) = (of_sevens(word), 56);
            self.at += 8;
        }
        for shift in (known..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed::Number { at });
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(unzigzag(number));
            }
        }
        Err(Malformed::Number { at })
    }

    /// A number that the narrower type holds.
    ///
    /// # Errors
    /// When there is none.
    pub fn narrow<N: TryFrom<i64>>(&mut self) -> Result<N, Malformed> {
        let at = self.at;
        N::try_from(self.long()?).map_err(|_| Malformed::Number { at })
    }

    /// Bytes behind their length.
    ///
    /// # Errors
    /// When there are none.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let at = self.at;
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| Malformed::Length { at })?;
        self.take(length)
    }

    /// Text behind its length.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let bytes = self.bytes()?;
        self.as_text(bytes)
    }

    /// The bytes that were taken last, as text.
    ///
    /// # Errors
    /// When they are not UTF-8.
    pub fn as_text(&self, taken: &'a [u8]) -> Result<&'a str, Malformed> {
        let start = self.at - taken.len();
        core::str::from_utf8(taken).map_err(|e| Malformed::Utf8 {
            at: start + e.valid_up_to(),
        })
    }

    /// Which of `count` branches or symbols.
    ///
    /// # Errors
    /// When there is no such one.
    pub fn choice(&mut self, count: usize) -> Result<usize, Malformed> {
        let at = self.at;
        match usize::try_from(self.long()?) {
            Ok(index) if index < count => Ok(index),
            _ => Err(Malformed::Choice { at }),
        }
    }

    /// The number of items in the next block; 0 ends the array or map.
    ///
    /// # Errors
    /// When there is none, or it is more than the datum's bytes can hold.
    pub fn block(&mut self) -> Result<usize, Malformed> {
        let at = self.at;
        let count = self.long()?;
        if count < 0 {
            // The block's size in bytes follows, for readers that skip.
            let size = self.long()?;
            if size < 0 {
                return Err(Malformed::Length { at });
            }
        }
        match usize::try_from(count.unsigned_abs()) {
            Ok(count) if count <= self.values_left => Ok(count),
            _ => Err(Malformed::Items { at }),
        }
    }

    /// What has not been read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Values that were counted.
    #[must_use]
    pub fn spent(&self) -> usize {
        values_max(self.bytes) - self.values_left
    }

    /// Counts values that are about to be made.
    ///
    /// # Errors
    /// When they are more than the datum's bytes can hold.
    pub fn spend(&mut self, values: usize) -> Result<(), Malformed> {
        let left = self.values_left.checked_sub(values);
        self.values_left = left.ok_or(Malformed::Items { at: self.at })?;
        Ok(())
    }
}

/// As many values as a datum may hold.
const fn values_max(datum: &[u8]) -> usize {
    datum.len().saturating_mul(VALUES_PER_BYTE) + VALUES_MORE
}

/// Of each byte: whether another one follows.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Eight bytes' seven lower bits, put together.
const fn of_sevens(bytes: u64) -> u64 {
    let pairs = (bytes & 0x007f_007f_007f_007f) | ((bytes & 0x7f00_7f00_7f00_7f00) >> 1);
    let quads = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (quads & 0x0fff_ffff) | ((quads & 0x0fff_ffff_0000_0000) >> 4)
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
