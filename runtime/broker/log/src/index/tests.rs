use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use longshore_disk::Random;

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
