use std::io::{ErrorKind, IoSlice};
use std::path::Path;
use std::sync::Arc;

use super::{Loss, SimDisk};
use crate::port::{Disk, DiskFile};

const FILE: &str = "/data/file";

fn disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.create_dir(Path::new("/data")).unwrap();
    disk
}

fn created_durably(disk: &SimDisk) -> Arc<dyn DiskFile> {
    let file = disk.create(Path::new(FILE)).unwrap();
    disk.sync_dir(Path::new("/data")).unwrap();
    file
}

fn content(disk: &SimDisk) -> Vec<u8> {
    let file = disk.open(Path::new(FILE)).unwrap();
    let mut bytes = vec![0; usize::try_from(file.size().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

#[track_caller]
fn fails_with<T: std::fmt::Debug>(result: std::io::Result<T>, kind: ErrorKind) {
    assert_eq!(result.unwrap_err().kind(), kind);
}

#[test]
fn a_crash_keeps_what_was_synced_and_forgets_the_rest() {
    let disk = disk(1);
    let file = created_durably(&disk);
    file.append(b"kept").unwrap();
    file.sync_data().unwrap();
    file.append(b" lost").unwrap();
    assert_eq!(content(&disk), b"kept lost");
    disk.crash(Loss::Everything);
    assert_eq!(content(&disk), b"kept");
}

#[test]
fn a_seeded_crash_never_touches_what_was_synced() {
    let mut torn = 0;
    for seed in 0..200 {
        let disk = disk(seed);
        let file = created_durably(&disk);
        file.append(&[1; 700]).unwrap();
        file.sync_data().unwrap();
        for _ in 0..3 {
            file.append(&[2; 1000]).unwrap();
        }
        disk.crash(Loss::Seeded);
        let found = content(&disk);
        assert!(
            found.len() >= 700 && found[..700].iter().all(|byte| *byte == 1),
            "seed {seed}"
        );
        torn += usize::from(found.len() > 700 && found[700..].iter().any(|byte| *byte != 2));
    }
    assert!(torn > 10, "some crashes leave holes: {torn}");
}

#[test]
fn a_name_is_lost_unless_its_directory_was_synced() {
    let disk = disk(1);
    let file = disk.create(Path::new(FILE)).unwrap();
    file.append(b"x").unwrap();
    file.sync_data().unwrap();
    disk.crash(Loss::Everything);
    assert!(!disk.exists(Path::new(FILE)).unwrap());
}

#[test]
fn an_unsynced_removal_and_rename_come_undone() {
    let disk = disk(1);
    let file = created_durably(&disk);
    file.append(b"x").unwrap();
    file.sync_data().unwrap();
    disk.rename(Path::new(FILE), Path::new("/data/other"))
        .unwrap();
    disk.remove(Path::new("/data/other")).unwrap();
    disk.crash(Loss::Everything);
    assert_eq!(content(&disk), b"x");
}

#[test]
fn identity_follows_a_rename_and_differs_for_a_new_file() {
    let disk = disk(1);
    let first = created_durably(&disk).metadata().unwrap().identity;
    disk.rename(Path::new(FILE), Path::new("/data/file.1"))
        .unwrap();
    assert_eq!(
        disk.metadata(Path::new("/data/file.1")).unwrap().identity,
        first
    );
    let second = created_durably(&disk).metadata().unwrap().identity;
    assert_ne!(first, second);
}

#[test]
fn a_failed_sync_loses_its_writes_even_if_the_next_one_succeeds() {
    let disk = disk(1);
    let file = created_durably(&disk);
    file.append(b"before").unwrap();
    disk.fail_syncs(1);
    file.sync_data().unwrap_err();
    file.append(b" after").unwrap();
    file.sync_data().unwrap();
    assert_eq!(content(&disk), b"before after");
    disk.crash(Loss::Everything);
    assert_eq!(content(&disk), b"\0\0\0\0\0\0 after");
}

#[test]
fn a_full_disk_cuts_a_write_short_until_there_is_room() {
    let disk = disk(1);
    let file = created_durably(&disk);
    disk.set_quota(10);
    fails_with(
        file.write_at(&[IoSlice::new(b"0123456"), IoSlice::new(b"789abc")], 0),
        ErrorKind::StorageFull,
    );
    assert_eq!(content(&disk), b"0123456789");
    file.truncate(4).unwrap();
    file.append(b"xyz").unwrap();
    assert_eq!(content(&disk), b"0123xyz");
}

#[test]
fn without_power_everything_fails_and_the_running_write_may_be_torn() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let disk = disk(seed);
        let file = created_durably(&disk);
        disk.power_off_after(1);
        fails_with(file.append(&[7; 100]), ErrorKind::Other);
        fails_with(
            file.write_at(&[IoSlice::new(b"later")], 200),
            ErrorKind::Other,
        );
        fails_with(file.sync_data(), ErrorKind::Other);
        fails_with(disk.open(Path::new(FILE)), ErrorKind::Other);
        disk.crash(Loss::Seeded);
        let found = content(&disk);
        assert!(
            found.len() <= 100,
            "nothing is written without power, seed {seed}"
        );
        lengths.insert(found.len());
    }
    assert!(lengths.len() > 10, "{lengths:?}");
}

#[test]
fn handles_and_locks_end_with_a_crash() {
    let disk = disk(1);
    let file = created_durably(&disk);
    let lock = disk.lock(Path::new("/data/lock")).unwrap();
    fails_with(disk.lock(Path::new("/data/lock")), ErrorKind::WouldBlock);
    disk.crash(Loss::Everything);
    fails_with(file.size(), ErrorKind::Other);
    let again = disk.lock(Path::new("/data/lock")).unwrap();
    drop(lock);
    fails_with(disk.lock(Path::new("/data/lock")), ErrorKind::WouldBlock);
    drop(again);
    disk.lock(Path::new("/data/lock")).unwrap();
}

#[test]
fn killing_the_process_keeps_what_was_written_as_unsynced_as_it_was() {
    let disk = disk(1);
    let file = created_durably(&disk);
    file.append(b"written").unwrap();
    disk.power_off_after(0);
    disk.kill();
    fails_with(file.size(), ErrorKind::Other);
    assert_eq!(content(&disk), b"written");
    disk.crash(Loss::Everything);
    assert_eq!(content(&disk), b"");
}

#[test]
fn the_same_seed_gives_the_same_crash() {
    let run = |seed| {
        let disk = disk(seed);
        let file = created_durably(&disk);
        for i in 0..20 {
            file.append(&[i; 333]).unwrap();
        }
        disk.crash(Loss::Seeded);
        content(&disk)
    };
    assert!((0..20).all(|seed| run(seed) == run(seed)));
    assert!((0..20).any(|seed| run(seed) != run(seed + 1)));
}

#[test]
fn counts_bytes_and_syncs() {
    let disk = disk(1);
    let file = created_durably(&disk);
    file.append(b"12345").unwrap();
    file.sync_data().unwrap();
    assert_eq!(
        (
            disk.counters().bytes_written,
            disk.counters().syncs,
            disk.bytes_used()
        ),
        (5, 1, 5)
    );
}
