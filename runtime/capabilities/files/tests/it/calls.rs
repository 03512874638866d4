use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use longshore_cap_files::{Access, FilesClient, FilesGrant, Work};
use longshore_disk::RealDisk;
use tempfile::tempdir;
use tokio::runtime::Builder;

/// More than any task needs.
const STARTED_MAX: usize = 10_000;

fn poll_once<T>(call: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn calls_that_nobody_awaits_are_bounded_and_none_of_them_is_lost() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.log"), "x").unwrap();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    // The one thread of the disk is busy until `release` is dropped.
    let (release, busy) = mpsc::sync_channel::<()>(1);
    runtime.spawn_blocking(move || busy.recv());
    let mut grant = FilesGrant::new(dir.path().to_owned(), Path::new("data"));
    grant.name(Access::Read, "a.log").unwrap();
    let work = Work::Blocking(runtime.handle().clone());
    let files = FilesClient::new(Arc::new(RealDisk), grant, work);

    let mut started = Vec::new();
    let refused = loop {
        let mut call = Box::pin(files.stat("a.log"));
        match poll_once(call.as_mut()) {
            Poll::Pending => started.push(call),
            Poll::Ready(done) => break done.unwrap_err(),
        }
        assert!(started.len() < STARTED_MAX, "nothing bounds the calls");
    };
    assert_eq!(refused.code(), "file-too-many");
    let too_long = "x".repeat(5000);
    let mut call = Box::pin(files.stat(&too_long));
    let Poll::Ready(Err(refused)) = poll_once(call.as_mut()) else {
        panic!("a path that is too long does not wait");
    };
    assert_eq!(refused.code(), "file-bad-path");

    drop(release);
    runtime.block_on(async {
        for call in started {
            assert_eq!(call.await.unwrap().unwrap().size, 1);
        }
    });
}

#[tokio::test]
async fn waits_for_a_change_are_bounded() {
    let dir = tempdir().unwrap();
    let files = crate::client(&dir, Access::Read, "a.log");
    let patterns = ["a.log".to_owned()];
    let wait = || Box::pin(files.wait_change(&patterns, &[], std::time::Duration::MAX));
    let mut waits = Vec::new();
    for _ in 0..32 {
        let mut wait = wait();
        assert!(poll_once(wait.as_mut()).is_pending());
        waits.push(wait);
    }
    assert_eq!(wait().await.unwrap_err().code(), "file-too-many");
    waits.pop();
    assert!(poll_once(wait().as_mut()).is_pending());
}
