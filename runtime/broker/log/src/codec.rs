//! The plain little-endian encoding of everything the log stores beside batches.

use bytes::{Buf as _, BufMut as _, Bytes};

/// Appends a length and bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len());
    out.extend_from_slice(bytes);
}

pub(crate) fn put_len(out: &mut Vec<u8>, len: usize) {
    out.put_u32_le(u32::try_from(len).expect("limits keep everything below 4 GiB"));
}

/// Reads what was written; `None` anywhere means that the bytes are damaged.
#[derive(Debug)]
pub(crate) struct Decoder {
    rest: Bytes,
}

impl Decoder {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.rest.try_get_u8().ok()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.rest.try_get_u16_le().ok()
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.rest.try_get_u32_le().ok()
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.rest.try_get_u64_le().ok()
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.rest.try_get_i64_le().ok()
    }

    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.rest.try_get_u128_le().ok()
    }

    pub(crate) fn len(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<Bytes> {
        (len <= self.rest.len()).then(|| self.rest.split_to(len))
    }

    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        let len = self.len()?;
        self.take(len)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    /// A list with its length before it, each item read by `read`.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let len = self.len()?;
        (0..len).map(|_| read(self)).collect()
    }
}
