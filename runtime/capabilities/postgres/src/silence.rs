//! A server that fell silent.
//!
//! A stream finds it out, because it asks for an answer now and then. A statement may run for long without a word, so
//! that its session has no deadline of its own, and would wait for a network that swallows everything.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// What a task's streams tell its sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Silence(Arc<Mutex<CancellationToken>>);

impl Silence {
    /// Cancelled when the server is found to be silent from now on.
    pub(crate) fn after_now(&self) -> CancellationToken {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    /// Tells all sessions that are open; those to come may find the server well again.
    pub(crate) fn found(&self) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *found).cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_later_is_not_told() {
        let silence = Silence::default();
        let before = silence.after_now();
        silence.clone().found();
        assert!(before.is_cancelled());
        assert!(!silence.after_now().is_cancelled());
    }
}
