//! Bytes that pretend to be a plugin.

use std::fs;

use longshore_host::Facts;

use crate::zoo::guest;

/// SplitMix64: the same bytes for the same seed.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((bits ^ (bits >> 31)) % bound as u64).expect("below a usize")
    }
}

#[test]
fn a_real_plugin_is_read_without_running_it() {
    let facts = Facts::read(&fs::read(guest("snoops")).unwrap()).unwrap();
    assert_eq!(facts.manifest.name, "snoops");
    assert_eq!(facts.manifest.config.keys.len(), 2);
    assert!(
        facts
            .imports
            .iter()
            .any(|import| import.starts_with("longshore:files/files@0.1"))
    );
}

#[test]
fn a_plugin_that_ends_in_the_middle_is_refused() {
    let whole = fs::read(guest("snoops")).unwrap();
    for end in (0..whole.len()).step_by(997) {
        assert!(
            Facts::read(&whole[..end]).is_err(),
            "{end} bytes of {}",
            whole.len()
        );
    }
}

#[test]
fn a_plugin_with_changed_bytes_is_an_error_or_a_plugin_and_never_a_panic() {
    let seed = std::env::var("LONGSHORE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    println!("LONGSHORE_SEED={seed}");
    let whole = fs::read(guest("counts")).unwrap();
    let mut random = Seeded(seed);
    let mut refused = 0;
    for _ in 0..200 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(20) {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        refused += usize::from(Facts::read(&bytes).is_err());
    }
    assert!(refused > 0);
}
