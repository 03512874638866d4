//! Where blocking calls run.

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// Disk calls block. In a worker they run on the blocking threads of the runtime that serves IO; in
/// simulation they run where they stand, so that a seed decides their order.
#[derive(Clone, Debug)]
pub enum Work {
    /// On the blocking threads of this runtime.
    Blocking(Handle),
    /// On the caller's thread.
    Inline,
}

impl Work {
    /// Runs a call, and keeps its permit until it ran, also when nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let call = move || {
            let done = call();
            drop(permit);
            done
        };
        match self {
            Self::Inline => call(),
            Self::Blocking(handle) => match handle.spawn_blocking(call).await {
                Ok(done) => done,
                Err(failed) => match failed.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime is gone, and with it everyone who could use an answer.
                    Err(_) => std::future::pending().await,
                },
            },
        }
    }
}
