//! Pauses between attempts to connect.

const FIRST_MS: u64 = 500;
const LAST_MS: u64 = 10_000;

/// Doubles from attempt to attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(crate) fn next_ms(&mut self) -> u64 {
        let delay = FIRST_MS.saturating_mul(1 << self.attempts.min(10));
        self.attempts += 1;
        delay.min(LAST_MS)
    }

    /// Something worked.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_last() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..6).map(|_| backoff.next_ms()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000]);
        backoff.reset();
        assert_eq!(backoff.next_ms(), 500);
    }
}
