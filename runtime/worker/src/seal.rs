//! Passwords in the config topic, which every Kafka client can read: sealed with a key that lies elsewhere.
//!
//! XChaCha20-Poly1305 with a random nonce before the ciphertext. The record's key and the name of the config key are
//! authenticated with it, so that a sealed value is good in its own place only.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Generate as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use serde_json::{Value, json};

/// The field of a sealed value, which stands where a plain value is a string.
const FIELD: &str = "xchacha20poly1305";
const NONCE_BYTES: usize = 24;

/// The key that passwords are sealed with.
#[derive(Clone)]
pub struct SealKey(Key);

impl SealKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Key::generate())
    }

    /// Reads 32 bytes in base64; `None` when it is anything else. White space around them does not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        Some(Self(Key::from(<[u8; 32]>::try_from(bytes).ok()?)))
    }

    /// What [`SealKey::parse`] reads. Whoever has it can read the passwords.
    #[must_use]
    pub fn reveal(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Seals the password that a record holds under a config key.
    pub(crate) fn seal(&self, record: &str, key: &str, password: &str) -> Value {
        let nonce = XNonce::generate();
        let payload = Payload {
            msg: password.as_bytes(),
            aad: &place(record, key),
        };
        let sealed = XChaCha20Poly1305::new(&self.0).encrypt(&nonce, payload);
        let sealed = sealed.expect("a password is shorter than 256 GiB");
        json!({FIELD: STANDARD.encode([nonce.as_slice(), &sealed].concat())})
    }

    /// The password that was sealed in this place; `None` when it was sealed with another key, or for another place.
    pub(crate) fn open(&self, record: &str, key: &str, sealed: &Value) -> Option<String> {
        let bytes = STANDARD.decode(sealed[FIELD].as_str()?).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let payload = Payload {
            msg: sealed,
            aad: &place(record, key),
        };
        let nonce = XNonce::from(<[u8; NONCE_BYTES]>::try_from(nonce).ok()?);
        let opened = XChaCha20Poly1305::new(&self.0).decrypt(&nonce, payload);
        String::from_utf8(opened.ok()?).ok()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

/// Neither part holds a zero byte.
fn place(record: &str, key: &str) -> Vec<u8> {
    format!("{record}\0{key}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_in_its_place_with_its_key_and_nowhere_else() {
        let key = SealKey::parse(&SealKey::generate().reveal()).unwrap();
        let sealed = key.seal("connector-a", "password", "s3cret");
        assert!(!sealed.to_string().contains("s3cret"));
        let open = |key: &SealKey, record, name| key.open(record, name, &sealed);
        assert_eq!(
            open(&key, "connector-a", "password").as_deref(),
            Some("s3cret")
        );
        assert_eq!(open(&key, "connector-b", "password"), None);
        assert_eq!(open(&key, "connector-a", "topic"), None);
        assert_eq!(open(&SealKey::generate(), "connector-a", "password"), None);
    }

    #[test]
    fn what_was_never_sealed_does_not_open() {
        let key = SealKey::generate();
        for value in [
            json!("plain"),
            json!({}),
            json!({FIELD: 7}),
            json!({FIELD: "%"}),
            json!({FIELD: "AAAA"}),
        ] {
            assert_eq!(key.open("connector-a", "password", &value), None, "{value}");
        }
    }

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        assert!(SealKey::parse(&format!(" {}\n", STANDARD.encode([7; 32]))).is_some());
        for text in [
            "",
            "short",
            &STANDARD.encode([7; 31]),
            &STANDARD.encode([7; 33]),
        ] {
            assert!(SealKey::parse(text).is_none(), "{text}");
        }
        assert_eq!(format!("{:?}", SealKey::generate()), "SealKey");
    }
}
