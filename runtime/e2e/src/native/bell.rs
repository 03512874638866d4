//! How a call that waits is told something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_pipeline::port::Signal;
use longshore_sdk::Wake;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The signal of a native instance.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    woken: Arc<AtomicBool>,
    rung: Arc<Notify>,
    stop: CancellationToken,
}

impl Signal for Bell {
    fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        self.rung.notify_waiters();
    }

    fn stop(&self) {
        self.stop.cancel();
    }
}

impl Bell {
    /// Forgets a wake that belonged to the last call.
    pub(super) fn begin_call(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }

    /// Completes when the bell was rung during this call, or the task stops.
    pub async fn heard(&self) -> Wake {
        loop {
            let mut rung = std::pin::pin!(self.rung.notified());
            rung.as_mut().enable();
            if self.stop.is_cancelled() {
                return Wake::Stopping;
            }
            if self.woken.load(Ordering::SeqCst) {
                return Wake::Woken;
            }
            tokio::select! {
                () = rung => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}
