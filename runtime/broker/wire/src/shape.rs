//! The shape of a request, walked before it is decoded.
//!
//! The decoder reserves memory for as many elements as an array claims to have, so a hostile frame of a few bytes could
//! ask for gigabytes. The walk makes sure that every array is there to its last element, and that there are not too many.

use std::ops::RangeInclusive;

/// Elements and tags of one request. An element takes more memory decoded than it takes bytes in the frame.
const ELEMENTS_MAX: usize = 100_000;

/// What a kind of request looks like.
#[derive(Debug)]
pub(crate) struct Shape {
    /// From this version on lengths are variable and structures end with tagged fields.
    pub(crate) flexible_from: i16,
    /// Tags below this number mean something to the decoder, and only followers send them.
    pub(crate) followers_tags: u32,
    pub(crate) fields: &'static [Field],
}

/// A field, and the versions that have it.
#[derive(Debug)]
pub(crate) struct Field(pub(crate) RangeInclusive<i16>, pub(crate) Kind);

#[derive(Debug)]
pub(crate) enum Kind {
    /// So many bytes.
    Fixed(usize),
    /// A string, perhaps null.
    Text,
    /// Bytes, perhaps null.
    Bytes,
    /// An array of structures.
    Structs(&'static [Field]),
    /// An array of something else.
    Array(&'static Kind),
}

/// All versions.
pub(crate) const ALL: RangeInclusive<i16> = 0..=i16::MAX;

/// This version and later ones.
pub(crate) const fn since(version: i16) -> RangeInclusive<i16> {
    version..=i16::MAX
}

/// This version and earlier ones.
pub(crate) const fn until(version: i16) -> RangeInclusive<i16> {
    0..=version
}

impl Shape {
    /// Checks that `body` holds everything that a request of this version has. Returns how many bytes follow it.
    pub(crate) fn check(&self, version: i16, body: &[u8]) -> Result<usize, &'static str> {
        let mut walk = Walk {
            rest: body,
            version,
            flexible: version >= self.flexible_from,
            followers_tags: self.followers_tags,
            elements_left: ELEMENTS_MAX,
        };
        walk.structure(self.fields)?;
        Ok(walk.rest.len())
    }
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    followers_tags: u32,
    elements_left: usize,
}

impl Walk<'_> {
    fn structure(&mut self, fields: &[Field]) -> Result<(), &'static str> {
        for Field(versions, kind) in fields {
            if versions.contains(&self.version) {
                self.value(kind)?;
            }
        }
        if self.flexible { self.tags() } else { Ok(()) }
    }

    fn value(&mut self, kind: &Kind) -> Result<(), &'static str> {
        match kind {
            Kind::Fixed(len) => self.skip(*len),
            Kind::Text if self.flexible => self.compact(),
            Kind::Bytes if self.flexible => self.compact(),
            Kind::Text => {
                let len = i16::from_be_bytes(self.take()?);
                self.sized(i32::from(len))
            }
            Kind::Bytes => {
                let len = i32::from_be_bytes(self.take()?);
                self.sized(len)
            }
            Kind::Structs(fields) => {
                for _ in 0..self.n_elements()? {
                    self.structure(fields)?;
                }
                Ok(())
            }
            Kind::Array(element) => {
                for _ in 0..self.n_elements()? {
                    self.value(element)?;
                }
                Ok(())
            }
        }
    }

    fn compact(&mut self) -> Result<(), &'static str> {
        let len_plus_one = self.varint()?;
        self.skip(len_plus_one.saturating_sub(1) as usize)
    }

    fn sized(&mut self, len: i32) -> Result<(), &'static str> {
        match usize::try_from(len) {
            Ok(len) => self.skip(len),
            Err(_) if len == -1 => Ok(()),
            Err(_) => Err("a length is negative"),
        }
    }

    fn n_elements(&mut self) -> Result<usize, &'static str> {
        let n = if self.flexible {
            self.varint()?.saturating_sub(1) as usize
        } else {
            match i32::from_be_bytes(self.take()?) {
                -1 => 0,
                n => usize::try_from(n).map_err(|_| "a count is negative")?,
            }
        };
        self.count(n)?;
        Ok(n)
    }

    fn count(&mut self, n: usize) -> Result<(), &'static str> {
        self.elements_left = self
            .elements_left
            .checked_sub(n)
            .ok_or("it has more than 100000 elements")?;
        Ok(())
    }

    fn tags(&mut self) -> Result<(), &'static str> {
        let n = self.varint()?;
        self.count(n as usize)?;
        for _ in 0..n {
            if self.varint()? < self.followers_tags {
                return Err("it comes from a follower, and there are none");
            }
            let len = self.varint()?;
            self.skip(len as usize)?;
        }
        Ok(())
    }

    fn varint(&mut self) -> Result<u32, &'static str> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| "a length is over 32 bits");
            }
        }
        Err("a length is over 32 bits")
    }

    fn skip(&mut self, len: usize) -> Result<(), &'static str> {
        self.rest = self.rest.get(len..).ok_or("it ends early")?;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or("it ends early")?;
        self.rest = rest;
        Ok(*taken)
    }
}

#[cfg(test)]
mod tests;
