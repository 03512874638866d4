use std::fs;
use std::io::Write as _;
use std::time::Duration;

use longshore_cap_files::{Access, Change};
use tempfile::{TempDir, tempdir};

use crate::client;

const LONG: Duration = Duration::from_secs(60);

/// Waits with what is known of `*.log`, and changes it meanwhile.
async fn wait_while(dir: &TempDir, change: impl FnOnce(&TempDir)) -> Change {
    let files = client(dir, Access::Read, "*.log");
    let patterns = ["*.log".to_owned()];
    let known = files.list("*.log").await.expect("it is granted");
    let waiting = tokio::spawn(async move { files.wait_change(&patterns, &known, LONG).await });
    tokio::task::yield_now().await;
    change(dir);
    let ended = waiting.await.expect("it does not panic");
    ended.expect("it is granted")
}

#[tokio::test]
async fn growth_truncation_rotation_appearance_and_removal_are_changes() {
    let dir = tempdir().unwrap();
    let append = |dir: &TempDir| {
        let log = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(dir.path().join("a.log"));
        log.unwrap().write_all(b"line\n").unwrap();
    };
    assert_eq!(wait_while(&dir, append).await, Change::Changed);
    assert_eq!(wait_while(&dir, append).await, Change::Changed);
    let truncate = |dir: &TempDir| fs::write(dir.path().join("a.log"), "").unwrap();
    assert_eq!(wait_while(&dir, truncate).await, Change::Changed);
    let rotate = |dir: &TempDir| {
        fs::rename(dir.path().join("a.log"), dir.path().join("a.log.1")).unwrap();
        fs::write(dir.path().join("a.log"), "").unwrap();
    };
    assert_eq!(wait_while(&dir, rotate).await, Change::Changed);
    let remove = |dir: &TempDir| fs::remove_file(dir.path().join("a.log")).unwrap();
    assert_eq!(wait_while(&dir, remove).await, Change::Changed);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_its_time_is_up() {
    let dir = tempdir().unwrap();
    let files = client(&dir, Access::Read, "*.log");
    let patterns = ["*.log".to_owned(), "a.log".to_owned()];
    let began = tokio::time::Instant::now();
    let ended = files.wait_change(&patterns, &[], LONG).await.unwrap();
    assert_eq!(ended, Change::TimedOut);
    assert_eq!(began.elapsed(), LONG);
}

#[tokio::test]
async fn waiting_for_what_is_not_granted_is_refused() {
    let dir = tempdir().unwrap();
    let files = client(&dir, Access::Read, "*.log");
    let patterns = ["/etc/passwd".to_owned()];
    let refused = files.wait_change(&patterns, &[], LONG).await.unwrap_err();
    assert_eq!(refused.code(), "file-not-granted");
}
