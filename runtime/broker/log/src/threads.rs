//! Runs a log's parts on threads of their own: writing must not wait for a busy runtime, nor a runtime for the disk.

use std::io;
use std::thread::JoinHandle;

use longshore_disk::DiskLock;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::log::{Log, Parts};

/// The threads of one log. Dropping it closes the log and waits until everything queued is answered.
#[derive(Debug)]
pub struct LogThreads {
    log: Log,
    stop: CancellationToken,
    upkeep: Option<JoinHandle<()>>,
    committer: Option<JoinHandle<()>>,
    /// Given back last.
    _lock: Box<dyn DiskLock>,
}

impl LogThreads {
    pub(crate) fn start(parts: Parts) -> Result<Self, Error> {
        let Parts {
            log,
            committer,
            upkeep,
            lock,
        } = parts;
        let stop = CancellationToken::new();
        let mut started = Self {
            log,
            stop: stop.clone(),
            upkeep: None,
            committer: None,
            _lock: lock,
        };
        started.committer = Some(spawn("log-committer", committer.run())?);
        started.upkeep = Some(spawn("log-upkeep", upkeep.run(stop))?);
        Ok(started)
    }
}

impl Drop for LogThreads {
    fn drop(&mut self) {
        self.stop.cancel();
        join(self.upkeep.take());
        self.log.close();
        join(self.committer.take());
    }
}

fn spawn(
    name: &'static str,
    work: impl Future<Output = ()> + Send + 'static,
) -> Result<JoinHandle<()>, Error> {
    let failed = |error: io::Error| Error::io("start thread", name)(error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(failed)?;
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(move || runtime.block_on(work)).map_err(failed)
}

fn join(thread: Option<JoinHandle<()>>) {
    if thread.is_some_and(|thread| thread.join().is_err()) {
        tracing::error!("a thread of the log panicked");
    }
}
