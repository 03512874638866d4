//! The signals that end a worker, and the one that must not.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Code, Failure, Result};

/// Watched from when it is made: a signal that comes before somebody waits is not lost.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// A file at its size limit is a full disk to the log, not the end of the process.
    _file_size: Signal,
}

impl Signals {
    pub(crate) fn watch() -> Result<Self> {
        let watch = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Code::WorkerFailed, format!("watch for signals: {error}"))
            })
        };
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
            _file_size: watch(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Waits until the process is asked to end.
    pub(crate) async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
