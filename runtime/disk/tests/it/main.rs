//! The real and the simulated disk behave alike wherever a program can see them without a crash.

use std::io::{ErrorKind, IoSlice};
use std::path::Path;

use longshore_disk::{Advice, Disk, Kind, RealDisk, SimDisk};

fn check(scenario: impl Fn(&dyn Disk, &Path)) {
    let real = tempfile::tempdir().expect("the system has a temporary directory");
    scenario(&RealDisk, real.path());
    let simulated = SimDisk::new(1);
    simulated
        .create_dir(Path::new("/data"))
        .expect("the disk is empty");
    scenario(&simulated, Path::new("/data"));
}

#[test]
fn writes_slices_in_order_and_reads_them_back() {
    check(|disk, dir| {
        let file = disk.create(&dir.join("a")).unwrap();
        file.write_at(
            &[
                IoSlice::new(b""),
                IoSlice::new(b"one "),
                IoSlice::new(b"two "),
            ],
            0,
        )
        .unwrap();
        assert_eq!(file.append(b"three").unwrap(), 8);
        let mut bytes = [0; 13];
        disk.open(&dir.join("a"))
            .unwrap()
            .read_exact_at(&mut bytes, 0)
            .unwrap();
        assert_eq!(&bytes, b"one two three");
        assert_eq!(file.read_at(&mut bytes, 13).unwrap(), 0);
        assert_eq!(
            file.read_exact_at(&mut bytes, 1).unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
        file.truncate(3).unwrap();
        assert_eq!(file.size().unwrap(), 3);
        file.advise(0, 3, Advice::DontNeed);
        file.sync_data().unwrap();
    });
}

#[test]
fn writes_more_slices_than_one_system_call_takes() {
    check(|disk, dir| {
        let pieces: Vec<[u8; 4]> = (0..3000u32).map(u32::to_be_bytes).collect();
        let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let file = disk.create(&dir.join("a")).unwrap();
        file.write_at(&slices, 0).unwrap();
        let mut bytes = vec![0; 12_000];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(bytes, pieces.concat());
    });
}

#[test]
fn names_are_created_once_listed_in_order_renamed_and_removed() {
    check(|disk, dir| {
        disk.create(&dir.join("b")).unwrap();
        disk.create(&dir.join("a")).unwrap().append(b"x").unwrap();
        disk.create_dir(&dir.join("c/d")).unwrap();
        disk.create_dir(&dir.join("c/d")).unwrap();
        assert_eq!(
            disk.create(&dir.join("a")).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        let found: Vec<_> = disk
            .list(dir)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.name, entry.kind))
            .collect();
        assert_eq!(
            found,
            [
                ("a".into(), Kind::File),
                ("b".into(), Kind::File),
                ("c".into(), Kind::Directory)
            ]
        );

        let identity = disk.metadata(&dir.join("a")).unwrap().identity;
        disk.rename(&dir.join("a"), &dir.join("b")).unwrap();
        assert_eq!(disk.metadata(&dir.join("b")).unwrap().identity, identity);
        assert!(!disk.exists(&dir.join("a")).unwrap());
        disk.remove(&dir.join("b")).unwrap();
        disk.sync_dir(dir).unwrap();
        assert_eq!(
            disk.open(&dir.join("b")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(
            disk.open(&dir.join("c")).unwrap_err().kind(),
            ErrorKind::IsADirectory
        );
    });
}

#[test]
fn an_open_handle_outlives_the_name() {
    check(|disk, dir| {
        let file = disk.create(&dir.join("a")).unwrap();
        file.append(b"still here").unwrap();
        disk.remove(&dir.join("a")).unwrap();
        let mut bytes = [0; 10];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"still here");
    });
}

#[test]
fn one_holder_has_the_lock() {
    check(|disk, dir| {
        let lock = disk.lock(&dir.join("lock")).unwrap();
        assert_eq!(
            disk.lock(&dir.join("lock")).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        drop(lock);
        disk.lock(&dir.join("lock")).unwrap();
    });
}
