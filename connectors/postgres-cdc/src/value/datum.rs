//! The pieces of an Avro datum.

/// The longest text whose length takes one byte.
const SHORT_MAX: usize = 63;

/// A number of any width: seven bits a byte, lowest first, each byte but the last with its high bit set. Eight bytes are
/// made at once: times take that many, and events are full of them.
pub(crate) fn long(out: &mut Vec<u8>, number: i64) {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let rest = zigzag(number);
    if rest < 0x80 {
        out.push(rest.to_le_bytes()[0]);
        return;
    }
    let behind = rest >> 56;
    if behind == 0 {
        let significant = u64::BITS - rest.leading_zeros();
        let n_bytes = significant.div_ceil(7);
        let more = HIGH & ((1 << (8 * (n_bytes - 1))) - 1);
        let end = out.len() + n_bytes as usize;
        out.extend_from_slice(&(in_sevens(rest) | more).to_le_bytes());
        out.truncate(end);
        return;
    }
    out.extend_from_slice(&(in_sevens(rest) | HIGH).to_le_bytes());
    let [first, ..] = behind.to_le_bytes();
    out.push(first);
    if first >= 0x80 {
        out.push(1);
    }
}

/// Small numbers of either sign become small numbers.
pub(crate) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// The lowest 56 bits, seven to a byte.
const fn in_sevens(number: u64) -> u64 {
    let halves = (number & 0x0fff_ffff) | ((number << 4) & 0x0fff_ffff_0000_0000);
    let quarters = (halves & 0x0000_3fff_0000_3fff) | ((halves << 2) & 0x3fff_0000_3fff_0000);
    (quarters & 0x007f_007f_007f_007f) | ((quarters << 1) & 0x7f00_7f00_7f00_7f00)
}

/// Some short fields, put together on the stack and appended at once: an append costs more than a field.
#[derive(Debug)]
pub(crate) struct Fields<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Fields<N> {
    fn default() -> Self {
        let bytes = [0; N];
        Self { bytes, length: 0 }
    }
}

impl<const N: usize> Fields<N> {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Text of at most 63 bytes, whose length takes one.
    pub(crate) fn short_text(&mut self, make: impl FnOnce(&mut Self)) {
        let at = self.length;
        self.byte(0);
        make(self);
        let made = self.length - at - 1;
        debug_assert!(made <= SHORT_MAX, "a short text is made");
        self.bytes[at] = made.to_le_bytes()[0] << 1;
    }

    /// A number as decimal digits.
    pub(crate) fn digits(&mut self, number: u64) {
        let mut buffer = [0; 20];
        self.raw(decimal_digits(number, &mut buffer));
    }

    /// A number as so many digits, those in front of them cut off.
    pub(super) fn padded<const WIDTH: usize>(&mut self, number: u32) {
        let mut buffer = [b'0'; WIDTH];
        let mut rest = number;
        for place in buffer.iter_mut().rev() {
            *place = b'0' + (rest % 10).to_le_bytes()[0];
            rest /= 10;
        }
        self.raw(&buffer);
    }

    /// Takes so many bytes off the end.
    pub(super) fn shorten(&mut self, bytes: usize) {
        self.length = self.length.saturating_sub(bytes);
    }

    /// Takes a byte off the end for as long as it is there.
    pub(super) fn trim(&mut self, byte: u8) {
        while self.length > 0 && self.bytes[self.length - 1] == byte {
            self.length -= 1;
        }
    }

    /// Appends all the room and takes back what is over: as many bytes whatever they are are moved in a few steps, where a
    /// guest calls its host to copy any other number of them.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

/// The length of what is in memory.
pub(super) fn length(out: &mut Vec<u8>, length: usize) {
    long(
        out,
        i64::try_from(length).expect("what is in memory is shorter than 2^63"),
    );
}

/// Bytes or text.
pub(crate) fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Text that is made in place, mostly short.
pub(super) fn made(out: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    make(out);
    let made = out.len() - at - 1;
    if made <= SHORT_MAX {
        out[at] = made.to_le_bytes()[0] << 1;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    length(&mut prefix, made);
    out.splice(at..=at, prefix);
}

fn decimal_digits(number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    let mut rest = number;
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
        if rest == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte after the other, as the format says.
    fn plain(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = number;
        while rest >= 0x80 {
            bytes.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        bytes.push(rest.to_le_bytes()[0]);
        bytes
    }

    #[test]
    fn numbers_of_every_length_are_written_as_the_format_says() {
        let edges = (0..64).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power - 1, power, power + 1, power | 0x55, !power]
        });
        for number in edges.chain([u64::MAX]) {
            let mut written = Vec::new();
            long(&mut written, number.cast_signed());
            assert_eq!(written, plain(zigzag(number.cast_signed())), "{number:#x}");
        }
    }
}
