//! A server that is shut down says over and over how far it is, and waits until that is confirmed.

use crate::lsn::Lsn;

/// So many times within a second is no longer the server's ordinary pace.
const TIMES: u32 = 3;
const SECOND_US: i64 = 1_000_000;

/// Keepalives that say the same.
#[derive(Debug, Default)]
pub(super) struct Echo {
    lsn: Lsn,
    times: u32,
    since_us: i64,
}

impl Echo {
    /// Notes a keepalive; true when the server is waiting for its LSN to be confirmed.
    pub(super) fn heard(&mut self, lsn: Lsn, now_us: i64) -> bool {
        if lsn != self.lsn || now_us - self.since_us > SECOND_US {
            *self = Self {
                lsn,
                times: 0,
                since_us: now_us,
            };
        }
        self.times += 1;
        self.times >= TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_quick_repetition_is_waiting() {
        let mut echo = Echo::default();
        let heard: Vec<bool> = [
            (1, 0),
            (1, 100),
            (1, 200),
            (2, 300),
            (2, 400),
            (2, 2_000_000),
            (2, 2_000_001),
            (2, 2_000_002),
        ]
        .map(|(lsn, now_us)| echo.heard(Lsn(lsn), now_us))
        .to_vec();
        assert_eq!(
            heard,
            [false, false, true, false, false, false, false, true]
        );
    }
}
