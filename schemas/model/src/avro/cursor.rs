//! Avro's primitive encodings, off a slice.

use super::Malformed;

/// Most values for each byte of a datum: records and a union's absent branches take none.
const VALUES_PER_BYTE: usize = 16;
/// Most values beyond that.
const VALUES_MORE: usize = 65_536;

/// A place in a datum.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Values that may still come.
    values_left: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            values_left: bytes.len().saturating_mul(VALUES_PER_BYTE) + VALUES_MORE,
        }
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(Malformed::Trailing { at: self.at })
        }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, wanted: usize) -> Result<&'a [u8], Malformed> {
        let (at, left) = (self.at, self.left());
        if wanted > left {
            return Err(Malformed::Truncated { at, wanted, left });
        }
        self.at += wanted;
        Ok(&self.bytes[at..self.at])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N)?;
        Ok(bytes
            .try_into()
            .expect("take gives as many bytes as wanted"))
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(Malformed::Boolean { at: self.at - 1 }),
        }
    }

    /// A zigzag number of at most ten bytes.
    pub(super) fn long(&mut self) -> Result<i64, Malformed> {
        let at = self.at;
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed::Number { at });
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        Err(Malformed::Number { at })
    }

    /// A number that the narrower type holds.
    pub(super) fn narrow<N: TryFrom<i64>>(&mut self) -> Result<N, Malformed> {
        let at = self.at;
        N::try_from(self.long()?).map_err(|_| Malformed::Number { at })
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let at = self.at;
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| Malformed::Length { at })?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let bytes = self.bytes()?;
        let start = self.at - bytes.len();
        core::str::from_utf8(bytes).map_err(|e| Malformed::Utf8 {
            at: start + e.valid_up_to(),
        })
    }

    /// Which of `count` branches or symbols.
    pub(super) fn choice(&mut self, count: usize) -> Result<usize, Malformed> {
        let at = self.at;
        match usize::try_from(self.long()?) {
            Ok(index) if index < count => Ok(index),
            _ => Err(Malformed::Choice { at }),
        }
    }

    /// The number of items in the next block; 0 ends the array or map.
    pub(super) fn block(&mut self) -> Result<usize, Malformed> {
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

    /// Counts values that are about to be made.
    pub(super) fn spend(&mut self, values: usize) -> Result<(), Malformed> {
        let left = self.values_left.checked_sub(values);
        self.values_left = left.ok_or(Malformed::Items { at: self.at })?;
        Ok(())
    }
}
