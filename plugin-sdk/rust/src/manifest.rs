//! The manifest's JSON, joined while the plugin compiles.

/// Bytes of the joined parts.
#[must_use]
pub const fn joined_len(parts: &[&str]) -> usize {
    let mut len = 0;
    let mut part = 0;
    while part < parts.len() {
        len += parts[part].len();
        part += 1;
    }
    len
}

/// The parts one after another; `N` is [`joined_len`] of them.
#[must_use]
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut joined = [0; N];
    let mut at = 0;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            joined[at] = bytes[i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    joined
}

/// Text that stands in JSON as it is; anything else does not compile.
#[must_use]
pub const fn plain(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        assert!(
            byte >= 0x20 && byte != b'"' && byte != b'\\',
            "a plugin's name, doc, aliases and keys hold no quote, backslash or control character"
        );
        i += 1;
    }
    text
}

/// The JSON as the array that a custom section is made from.
#[must_use]
pub const fn section<const N: usize>(json: &[u8]) -> [u8; N] {
    join(&[text(json)])
}

/// The bytes as text again.
#[must_use]
pub const fn text(json: &[u8]) -> &str {
    match core::str::from_utf8(json) {
        Ok(text) => text,
        Err(_) => panic!("parts are text, so what is joined is"),
    }
}
