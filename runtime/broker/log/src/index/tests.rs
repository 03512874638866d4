use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use longshore_disk::Random;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Entry, EntryKey, FjallStore, Index, IndexStore, Keyed, MemoryStore, Place};

fn entry(n: u32) -> Entry {
    let place = Place {
        file: n / 7,
        at: n,
        len: 9,
    };
    let keyed = n.is_multiple_of(3).then(|| Keyed {
        key: Bytes::from(n.to_string()),
        tombstone: n.is_multiple_of(2),
    });
    Entry {
        place,
        last_offset: i64::from(n),
        max_timestamp: i64::from(n) * 2,
        keyed,
    }
}

fn key(partition: u32, offset: usize) -> EntryKey {
    EntryKey {
        partition,
        offset: i64::try_from(offset).unwrap(),
    }
}

/// Random changes and checkpoints, compared with a map after each.
fn agrees_with_a_map(store: &Arc<dyn IndexStore>, steps: u32) {
    let mut random = Random::new(3);
    let mut index = Index::new(Arc::clone(store));
    let mut map: BTreeMap<EntryKey, Entry> = BTreeMap::new();
    let mut frozen = None;
    for n in 0..steps {
        let at = key(u32::try_from(random.below(3)).unwrap(), random.below(400));
        match random.below(20) {
            0 => frozen = frozen.or_else(|| Some(index.freeze())),
            1 => {
                if let Some(frozen) = frozen.take() {
                    frozen.write(&n.to_le_bytes()).unwrap();
                    index.thaw();
                    assert_eq!(store.summary().unwrap().unwrap(), n.to_le_bytes());
                }
            }
            2..8 => {
                index.remove(at);
                map.remove(&at);
            }
            _ => {
                index.set(at, entry(n), false);
                map.insert(at, entry(n));
            }
        }
        let from = random.below(400);
        let limit = 1 + random.below(300);
        let expected = map.range(key(1, from)..key(1, 350.max(from))).take(limit);
        let expected: Vec<_> = expected.map(|(key, entry)| (*key, entry.clone())).collect();
        let end = i64::try_from(350.max(from)).unwrap();
        assert_eq!(
            index
                .scan(1, i64::try_from(from).unwrap(), end, limit)
                .unwrap(),
            expected,
            "step {n}"
        );
        let floor = map
            .range(key(1, 0)..=key(1, from))
            .next_back()
            .map(|(key, entry)| (*key, entry.clone()));
        assert_eq!(
            index.floor(1, i64::try_from(from).unwrap()).unwrap(),
            floor,
            "step {n}"
        );
        assert_eq!(index.get(at).unwrap(), map.get(&at).cloned(), "step {n}");
    }
}

#[test]
fn memory_and_checkpoints_together_answer_like_a_map() {
    agrees_with_a_map(
        &(Arc::new(MemoryStore::default()) as Arc<dyn IndexStore>),
        3000,
    );
}

#[test]
fn the_store_on_disk_answers_like_a_map() {
    let dir = tempfile::tempdir().unwrap();
    agrees_with_a_map(
        &(Arc::new(FjallStore::open(dir.path()).unwrap()) as Arc<dyn IndexStore>),
        600,
    );
}

#[test]
fn a_checkpoint_on_disk_survives_reopening_and_clearing_removes_it() {
    let dir = tempfile::tempdir().unwrap();
    let write = |store: FjallStore| {
        let mut index = Index::new(Arc::new(store));
        index.set(key(1, 5), entry(5), true);
        index.freeze().write(b"summary").unwrap();
    };
    write(FjallStore::open(dir.path()).unwrap());
    let store = FjallStore::open(dir.path()).unwrap();
    assert_eq!(store.summary().unwrap().unwrap(), b"summary");
    assert_eq!(
        Index::new(Arc::new(store.clone())).get(key(1, 5)).unwrap(),
        Some(entry(5))
    );
    store.clear().unwrap();
    assert_eq!(store.summary().unwrap(), None);
    assert_eq!(Index::new(Arc::new(store)).get(key(1, 5)).unwrap(), None);
}

/// Runs in a process of its own, because a limit for the size of files, the nearest thing to a full disk, is one for all
/// of its threads. A shell starts it, because only there the signal that comes with the limit can be ignored.
#[test]
fn a_store_writes_again_after_the_disk_was_full() {
    const ALONE: &str = "LONGSHORE_TEST_ALONE";
    const NAME: &str = "index::tests::a_store_writes_again_after_the_disk_was_full";
    if std::env::var_os(ALONE).is_some() {
        return write_around_a_full_disk();
    }
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" --exact "$1" --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .arg(NAME)
        .env(ALONE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn write_around_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = FjallStore::open(dir.path()).unwrap();
    let mut index = Index::new(Arc::new(store.clone()));
    let limit = |bytes| {
        let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
        let current = bytes;
        setrlimit(Resource::Fsize, Rlimit { current, maximum }).unwrap();
    };
    index.set(key(1, 1), entry(1), true);
    index.freeze().write(b"before").unwrap();
    index.thaw();
    limit(Some(0));
    index.set(key(1, 2), entry(2), true);
    for _ in 0..3 {
        index.freeze().write(b"full").unwrap_err();
        assert_eq!(index.get(key(1, 1)).unwrap(), Some(entry(1)));
        assert_eq!(index.get(key(1, 2)).unwrap(), Some(entry(2)));
    }
    limit(None);
    index.set(key(1, 3), entry(3), true);
    index.freeze().write(b"after").unwrap();
    drop((store, index));
    let store = FjallStore::open(dir.path()).unwrap();
    assert_eq!(store.summary().unwrap().unwrap(), b"after");
    let index = Index::new(Arc::new(store));
    let found = index.scan(1, 0, 9, 9).unwrap();
    let expected = [1, 2, 3].map(|n| (key(1, n as usize), entry(n)));
    assert_eq!(found, expected);
}

#[test]
fn a_store_that_cannot_be_opened_again_is_tried_again_and_never_begun_anew() {
    let parent = tempfile::tempdir().unwrap();
    let (dir, away) = (parent.path().join("index"), parent.path().join("away"));
    let store = FjallStore::open(&dir).unwrap();
    store.write(&mut std::iter::empty(), b"first").unwrap();
    store.fail_a_write();
    std::fs::rename(&dir, &away).unwrap();
    for _ in 0..2 {
        store.write(&mut std::iter::empty(), b"second").unwrap_err();
        store.summary().unwrap_err();
    }
    std::fs::rename(&away, &dir).unwrap();
    assert_eq!(store.summary().unwrap().unwrap(), b"first");
    store.write(&mut std::iter::empty(), b"second").unwrap();
    assert_eq!(store.summary().unwrap().unwrap(), b"second");
}

#[test]
fn a_directory_that_is_no_database_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(FjallStore::open(dir.path()).unwrap());
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::write(path, b"junk").unwrap();
        }
    }
    assert_eq!(
        FjallStore::open(dir.path()).unwrap().summary().unwrap(),
        None
    );
}

#[test]
fn an_entry_that_came_and_went_between_checkpoints_leaves_nothing() {
    let mut index = Index::new(Arc::new(MemoryStore::default()));
    index.set(key(1, 5), entry(5), true);
    index.remove(key(1, 5));
    assert_eq!(index.n_changed(), 0);
}
