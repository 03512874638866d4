//! Waiting for files without sleeping: a directory is watched before the condition is looked at, so that no change between
//! the two is missed.

use std::mem::MaybeUninit;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::time::Instant;

const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// Waits until a condition on a directory's files holds.
///
/// # Errors
/// When it does not within the time, with what is being waited for.
pub fn until(
    folder: &Path,
    within: Duration,
    what: &str,
    mut holds: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + within;
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK)?;
    let changes = inotify::WatchFlags::MODIFY
        | inotify::WatchFlags::CREATE
        | inotify::WatchFlags::MOVED_TO
        | inotify::WatchFlags::DELETE;
    inotify::add_watch(&watch, folder, changes)
        .with_context(|| format!("watch {}", folder.display()))?;
    loop {
        if holds()? {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("{what}: not within {within:?}");
        }
        let mut fds = [PollFd::new(&watch, PollFlags::IN)];
        let left = Timespec::try_from(left).context("a wait is too long")?;
        poll(&mut fds, Some(&left))?;
        drain(&watch);
    }
}

/// Waits until a stream can be read; false when it cannot within the time.
///
/// # Errors
/// When the system refuses.
pub fn readable(stream: impl std::os::fd::AsFd, within: Duration) -> Result<bool> {
    let fd = stream.as_fd();
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let within = Timespec::try_from(within).context("a wait is too long")?;
    Ok(poll(&mut fds, Some(&within))? > 0)
}

/// Waits until a process has ended; one that is not there has.
///
/// # Errors
/// When it does not within a minute.
pub fn ended(process: i32) -> Result<()> {
    let process = Pid::from_raw(process).context("a process id is above 0")?;
    match pidfd_open(process, PidfdFlags::empty()) {
        Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error).context("watch a process"),
        Ok(fd) if readable(&fd, ENDS_WITHIN)? => Ok(()),
        Ok(_) => bail!("process {process:?} has not ended within {ENDS_WITHIN:?}"),
    }
}

fn drain(watch: impl std::os::fd::AsFd) {
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(watch.as_fd(), &mut space);
    while reader.next().is_ok() {}
}
