use std::fs;

use longshore_cap_files::{Access, OPEN_FILES_MAX};
use longshore_model::FaultClass;
use tempfile::tempdir;

use crate::client;

#[tokio::test]
async fn lists_the_regular_files_that_match_by_path() {
    let dir = tempdir().unwrap();
    for name in ["b.log", "a.log", "a.txt"] {
        fs::write(dir.path().join(name), name).unwrap();
    }
    fs::create_dir(dir.path().join("c.log")).unwrap();
    let files = client(&dir, Access::Read, "*.log");
    let found = files.list("*.log").await.unwrap();
    let paths: Vec<_> = found.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a.log", "b.log"]);
    assert_eq!(files.list("none*").await.unwrap(), []);
    let denied = files.list("/etc/*").await.unwrap_err();
    assert_eq!(denied.class(), FaultClass::Denied);
}

#[tokio::test]
async fn identity_follows_a_rename_and_a_new_file_never_has_it() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let files = client(&dir, Access::Read, "a.log");
    let mut seen = Vec::new();
    for round in 0..20 {
        fs::write(at("a.log"), "x").unwrap();
        let before = files.stat("a.log").await.unwrap().unwrap();
        fs::rename(at("a.log"), at("a.log.1")).unwrap();
        let after = files.stat("a.log.1").await.unwrap().unwrap();
        assert_eq!(before.identity, after.identity);
        assert!(!seen.contains(&after.identity), "round {round}");
        seen.push(after.identity);
        // The next file is likely to get this one's inode.
        fs::remove_file(at("a.log.1")).unwrap();
        assert_eq!(files.stat("a.log.1").await.unwrap(), None);
    }
}

#[tokio::test]
async fn reads_what_is_there_and_nothing_past_the_end() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.log"), "0123456789").unwrap();
    let files = client(&dir, Access::Read, "a.log");
    let file = files.open("a.log").await.unwrap();
    assert_eq!(file.read_at(2, 3).await.unwrap(), b"234");
    assert_eq!(file.read_at(8, 100).await.unwrap(), b"89");
    assert_eq!(file.read_at(10, 100).await.unwrap(), b"");
    assert_eq!(file.read_at(u64::MAX, 100).await.unwrap(), b"");
    assert_eq!(file.stat().await.unwrap().size, 10);
}

#[tokio::test]
async fn a_file_opened_for_reading_is_not_written() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("out"), "x").unwrap();
    let files = client(&dir, Access::Write, "out");
    let file = files.open("out").await.unwrap();
    let append = file.append(b"y".to_vec()).await.unwrap_err();
    let truncate = file.truncate(0).await.unwrap_err();
    assert_eq!(
        (append.class(), truncate.class()),
        (FaultClass::Denied, FaultClass::Denied)
    );
    let reader = client(&dir, Access::Read, "out");
    assert_eq!(
        reader.create("out").await.unwrap_err().code(),
        "file-not-granted"
    );
    assert_eq!(fs::read(dir.path().join("out")).unwrap(), b"x");
}

#[tokio::test]
async fn appends_cuts_back_and_replaces_a_sidecar() {
    let dir = tempdir().unwrap();
    let files = client(&dir, Access::Write, "out");
    let file = files.create("out").await.unwrap();
    assert_eq!(file.append(b"one\n".to_vec()).await.unwrap(), 4);
    assert_eq!(file.append(b"two\n".to_vec()).await.unwrap(), 8);
    file.truncate(4).await.unwrap();
    file.sync().await.unwrap();
    let again = files.create("out").await.unwrap();
    assert_eq!(again.read_at(0, 100).await.unwrap(), b"one\n");

    let new = files.create("out.longshore.new").await.unwrap();
    new.append(b"state".to_vec()).await.unwrap();
    new.sync().await.unwrap();
    files
        .rename("out.longshore.new", "out.longshore")
        .await
        .unwrap();
    assert_eq!(
        fs::read(dir.path().join("out.longshore")).unwrap(),
        b"state"
    );
    let denied = files.rename("out", "elsewhere").await.unwrap_err();
    assert_eq!(denied.code(), "file-not-granted");
}

#[tokio::test]
async fn a_task_holds_a_limited_number_of_files() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.log"), "x").unwrap();
    let files = client(&dir, Access::Read, "a.log");
    let mut open = Vec::new();
    for _ in 0..OPEN_FILES_MAX {
        open.push(files.open("a.log").await.unwrap());
    }
    assert_eq!(
        files.open("a.log").await.unwrap_err().code(),
        "file-too-many"
    );
    open.pop();
    files.open("a.log").await.unwrap();
}
