//! The pieces of an Avro datum.

/// The longest text whose length takes one byte.
const SHORT_MAX: usize = 63;

/// A number of any width.
pub(crate) fn long(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    if rest < 0x80 {
        out.push(rest.to_le_bytes()[0]);
        return;
    }
    let mut buffer = [0; 10];
    let mut length = 0;
    while rest >= 0x80 {
        buffer[length] = rest.to_le_bytes()[0] | 0x80;
        rest >>= 7;
        length += 1;
    }
    buffer[length] = rest.to_le_bytes()[0];
    out.extend_from_slice(&buffer[..=length]);
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
pub(crate) fn made(out: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>)) {
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

/// A number as decimal digits.
pub(crate) fn digits(out: &mut Vec<u8>, number: u64) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    let mut rest = number;
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

/// A number as so many digits, those in front of them cut off.
pub(super) fn padded(out: &mut Vec<u8>, number: u32, width: usize) {
    let at = out.len();
    out.resize(at + width, b'0');
    let mut rest = number;
    for place in out[at..].iter_mut().rev() {
        *place = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
    }
}
