use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use longshore_disk::{Disk, DiskFile, DiskLock, Entry, Metadata, SimDisk};
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Generation, GroupOffsets, Owner};
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::{
    EncodedFrame, FILE_HEADER_BYTES, Files, FrameReader, Item, Placed, ValidAfter, Writer,
    valid_after,
};
use crate::batch;
use crate::error::Error;
use crate::index::Place;
use crate::state::{Change, State, TopicState};
use crate::topics::TopicSettings;
use uuid::Uuid;

const DIR: &str = "/journal";

fn files() -> (SimDisk, Arc<Files>) {
    let disk = SimDisk::new(1);
    disk.create_dir(Path::new(DIR)).unwrap();
    let files = Arc::new(Files::new(Arc::new(disk.clone()), PathBuf::from(DIR)));
    (disk, files)
}

/// A disk on which a reader opens a file just before it is removed.
#[derive(Debug)]
struct ReadLast {
    disk: SimDisk,
    files: OnceLock<Weak<Files>>,
}

impl Disk for ReadLast {
    fn remove(&self, path: &Path) -> io::Result<()> {
        let files = self.files.get().unwrap().upgrade().unwrap();
        files.get(1).unwrap();
        self.disk.remove(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(path)
    }

    fn open_writable(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open_writable(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(dir)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.disk.metadata(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.canonicalize(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        self.disk.lock(path)
    }
}

#[test]
fn no_handle_of_a_removed_file_is_kept_even_if_it_was_read_until_the_end() {
    let (disk, _) = files();
    let disk = Arc::new(ReadLast {
        disk,
        files: OnceLock::new(),
    });
    let dir = PathBuf::from(DIR);
    let files = Arc::new(Files::new(Arc::clone(&disk) as Arc<dyn Disk>, dir));
    disk.files.set(Arc::downgrade(&files)).unwrap();
    files.create(1).unwrap();
    files.remove(&[1]).unwrap();
    assert!(matches!(
        files.get(1),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound
    ));
}

fn placed(partition: u32, base_offset: i64, value: &[u8]) -> Placed {
    let mut batch = batch::keyed(7, b"key", Some(value), &[]).bytes().to_vec();
    batch[..8].copy_from_slice(&base_offset.to_be_bytes());
    let batch = batch::Batch::stored(batch.into()).unwrap();
    Placed {
        partition,
        base_offset,
        batch,
    }
}

fn frame(items: &[Item]) -> EncodedFrame {
    let mut frame = EncodedFrame::new();
    for item in items {
        frame.push(item);
    }
    frame
}

fn snapshot() -> EncodedFrame {
    frame(&[Item::Change(Change::Snapshot(Box::default()))])
}

fn read_all(files: &Files, file: u32) -> Vec<Vec<(Item, Option<Place>)>> {
    let mut reader = FrameReader::new(files, file, FILE_HEADER_BYTES).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        frames.push(frame.items);
    }
    frames
}

proptest! {
    #[test]
    fn frames_come_back_as_they_were_written(
        groups in proptest::collection::vec(proptest::collection::vec(items(), 1..5), 1..8),
    ) {
        let (_, files) = files();
        let mut writer = Writer::begin(Arc::clone(&files), 1, snapshot()).unwrap();
        for group in &groups {
            writer.write(&mut [frame(group)]).unwrap();
            writer.sync().unwrap();
        }
        let read = read_all(&files, 1);
        for (written, read) in groups.iter().zip(&read[1..]) {
            let items: Vec<_> = read.iter().map(|(item, _)| item.clone()).collect();
            prop_assert_eq!(written, &items);
            for (item, place) in read {
                let (Item::Batch(placed) | Item::Copy(placed), Some(place)) = (item, place) else {
                    continue;
                };
                let mut bytes = vec![0; place.len as usize];
                files.get(place.file).unwrap().read_exact_at(&mut bytes, u64::from(place.at)).unwrap();
                prop_assert_eq!(&bytes[..], &placed.batch.bytes()[..]);
            }
        }
        prop_assert_eq!(read.len(), groups.len() + 1);
    }
}

fn items() -> impl Strategy<Value = Item> {
    let parts = (
        0..4_u8,
        any::<u32>(),
        0..i64::MAX,
        proptest::collection::vec(any::<u8>(), 0..300),
    );
    parts.prop_map(|(kind, partition, offset, value)| match kind {
        0 => Item::Batch(placed(partition, offset, &value)),
        1 => Item::Copy(placed(partition, offset, &value)),
        2 => Item::Change(Change::LogStart { partition, offset }),
        _ => {
            let mut state = State::default();
            state.apply(&Change::ProducerIds { next: offset });
            Item::Change(Change::Snapshot(Box::new(state)))
        }
    })
}

/// A journal of three frames, each synced on its own; returns where they end.
fn three_frames(files: &Arc<Files>) -> [u64; 3] {
    let mut writer = Writer::begin(Arc::clone(files), 1, snapshot()).unwrap();
    let mut ends = [writer.end(); 3];
    for end in &mut ends[1..] {
        writer
            .write(&mut [frame(&[Item::Batch(placed(1, 2, b"some value"))])])
            .unwrap();
        writer.sync().unwrap();
        *end = writer.end();
    }
    ends
}

#[test]
fn a_file_torn_at_any_byte_ends_behind_the_last_whole_frame() {
    let (disk, files) = files();
    let ends = three_frames(&files);
    let file = disk.open_writable(&files.path(1)).unwrap();
    for cut in (FILE_HEADER_BYTES..ends[2]).rev() {
        file.truncate(cut).unwrap();
        let mut reader = FrameReader::new(&files, 1, FILE_HEADER_BYTES).unwrap();
        while reader.next().unwrap().is_some() {}
        let whole = ends
            .iter()
            .copied()
            .filter(|end| *end <= cut)
            .max()
            .unwrap_or(FILE_HEADER_BYTES);
        assert_eq!(reader.at(), whole, "cut at {cut}");
        assert_eq!(
            valid_after(&files, 1, whole).unwrap(),
            ValidAfter::Nothing,
            "cut at {cut}"
        );
    }
}

#[test]
fn a_flipped_bit_before_a_later_synced_frame_is_damage_and_in_the_last_one_a_torn_write() {
    let (disk, files) = files();
    let ends = three_frames(&files);
    let file = disk.open_writable(&files.path(1)).unwrap();
    for at in FILE_HEADER_BYTES..ends[2] {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_at(&[io::IoSlice::new(&[byte[0] ^ 0x10])], at)
            .unwrap();
        let mut reader = FrameReader::new(&files, 1, FILE_HEADER_BYTES).unwrap();
        while reader.next().unwrap().is_some() {}
        let damaged = reader.at();
        let expected = if damaged < ends[1] {
            ValidAfter::Durable
        } else {
            ValidAfter::Nothing
        };
        assert!(damaged <= at && at < ends[2], "byte {at}");
        assert_eq!(
            valid_after(&files, 1, damaged).unwrap(),
            expected,
            "byte {at}"
        );
        file.write_at(&[io::IoSlice::new(&byte)], at).unwrap();
    }
}

#[test]
fn a_whole_frame_of_the_same_unsynced_group_does_not_make_a_torn_one_damage() {
    let (disk, files) = files();
    let mut writer = Writer::begin(Arc::clone(&files), 1, snapshot()).unwrap();
    let torn = writer.end();
    for _ in 0..2 {
        writer
            .write(&mut [frame(&[Item::Batch(placed(1, 2, b"some value"))])])
            .unwrap();
    }
    let file = disk.open_writable(&files.path(1)).unwrap();
    file.write_at(&[io::IoSlice::new(&[0; 30])], torn).unwrap();
    assert_eq!(valid_after(&files, 1, torn).unwrap(), ValidAfter::Nothing);
}

#[test]
fn a_new_file_that_does_not_fit_leaves_nothing_behind() {
    let (disk, files) = files();
    disk.set_quota(20);
    assert!(matches!(
        Writer::begin(Arc::clone(&files), 1, snapshot()),
        Err(Error::DiskFull)
    ));
    assert_eq!(files.list().unwrap(), [] as [u32; 0]);
}

/// One item of every kind, as version 1 of the format has them.
fn golden() -> Vec<Item> {
    let topic_name = TopicName::parse("t").unwrap();
    let configs: BTreeMap<_, _> = [("retention.ms".to_owned(), "5".to_owned())].into();
    let settings = TopicSettings::parse(&topic_name, &configs).unwrap();
    let id = Uuid::from_u128(0x0123_4567_89ab_cdef);
    let topic = TopicState {
        id,
        first_partition: 7,
        n_partitions: 2,
        configs,
        settings,
    };
    let owners = vec![Owner::from_stored("task/c/0")];
    let place = TopicPartition {
        topic: topic_name.clone(),
        partition: 1,
    };
    let group = GroupOffsets {
        group: "connect-c".to_owned(),
        offsets: vec![(place, 9)],
    };
    let mut changes = vec![
        Change::TopicCreated {
            name: topic_name.clone(),
            topic,
        },
        Change::LogStart {
            partition: 8,
            offset: 3,
        },
        Change::Generation {
            owners,
            generation: Generation(4),
        },
        Change::GroupOffsets(group),
        Change::ProducerIds { next: 6 },
    ];
    let mut state = State::default();
    changes.iter().for_each(|change| state.apply(change));
    let mut produced = *placed(8, 3, b"v").batch.fields();
    (
        produced.producer_id,
        produced.producer_epoch,
        produced.base_sequence,
    ) = (5, 1, 2);
    state.apply_batch(8, 3, &produced);
    changes.push(Change::TopicDeleted { name: topic_name });
    changes.push(Change::Snapshot(Box::new(state)));
    let batches = [
        Item::Batch(placed(8, 3, b"v")),
        Item::Copy(placed(7, 1, b"w")),
    ];
    batches
        .into_iter()
        .chain(changes.into_iter().map(Item::Change))
        .collect()
}

#[test]
fn a_file_of_format_version_1_is_still_read_and_written() {
    let golden_file = include_bytes!("fixtures/version-1.journal");
    let (disk, files) = files();
    disk.create(&files.path(1))
        .unwrap()
        .append(golden_file)
        .unwrap();
    assert!(files.has_header(1).unwrap());
    let frames = read_all(&files, 1);
    let items: Vec<_> = frames
        .into_iter()
        .map(|frame| frame.into_iter().map(|(item, _)| item).collect::<Vec<_>>())
        .collect();
    assert_eq!(items, [golden()]);

    drop(Writer::begin(Arc::clone(&files), 2, frame(&golden())).unwrap());
    let mut written = vec![0; usize::try_from(files.size(2).unwrap()).unwrap()];
    files
        .get(2)
        .unwrap()
        .read_exact_at(&mut written, 0)
        .unwrap();
    let number = 8..12;
    written[number.clone()].copy_from_slice(&golden_file[number]);
    assert_eq!(written, golden_file);
}
