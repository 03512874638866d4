//! The connector over the testkit's host.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use file_sink::FileSink;
use longshore_sdk::{
    Assignment, Batch, BatchWriter, Config, ConfigMap, Ctx, Datum, Fault, NewRow, Sink,
    TaskContext, TopicPosition,
};
use longshore_testkit::contract::{self, SinkContract};
use longshore_testkit::{FakeHost, complete};

const OUT: &str = "/out/orders.txt";

#[test]
fn every_record_is_in_the_file_once_whatever_happens() {
    contract::sink::<FileSink>(&SinkContract {
        config: &[("file", OUT)],
        stored: &|host| {
            let text = String::from_utf8(host.read_file(OUT).unwrap_or_default()).unwrap();
            text.lines().map(str::to_owned).collect()
        },
    });
}

#[test]
fn what_stands_in_the_file_already_is_kept() {
    let host = FakeHost::default();
    host.write_file(OUT, "was here\n");
    let mut writing = Writing::open(&host, 1).unwrap().0;
    writing.put(0, &["one"]);
    // A crash before the first flush: what was not flushed is cut off, and no more.
    let mut writing = Writing::open(&host, 2).unwrap().0;
    assert_eq!(host.read_file(OUT).unwrap(), b"was here\n");
    writing.put(0, &["one", "two"]);
    assert_eq!(writing.flush(), [at(2)]);
    assert_eq!(host.read_file(OUT).unwrap(), b"was here\none\ntwo\n");
}

#[test]
fn opening_cuts_back_to_the_flush_and_reads_on_from_there() {
    let host = FakeHost::default();
    let mut writing = Writing::open(&host, 1).unwrap().0;
    writing.put(0, &["one"]);
    writing.flush();
    writing.put(1, &["two", "three"]);
    let (mut writing, start) = Writing::open(&host, 2).unwrap();
    assert_eq!(start, [at(1)]);
    assert_eq!(host.read_file(OUT).unwrap(), b"one\n");
    writing.put(1, &["two"]);
    writing.flush();
    assert_eq!(host.read_file(OUT).unwrap(), b"one\ntwo\n");
}

#[test]
fn several_rows_of_one_record_are_all_written_and_none_of_them_twice() {
    let host = FakeHost::default();
    let mut writing = Writing::open(&host, 1).unwrap().0;
    let rows = [(0, "one"), (0, "one more"), (1, "two"), (1, "two more")];
    writing.put_rows(&rows);
    writing.put_rows(&rows);
    assert_eq!(writing.flush(), [at(2)]);
    let text = host.read_file(OUT).unwrap();
    assert_eq!(text, b"one\none more\ntwo\ntwo more\n");
}

#[test]
fn a_file_cut_off_from_outside_is_a_named_fault() {
    let host = FakeHost::default();
    let mut writing = Writing::open(&host, 1).unwrap().0;
    writing.put(0, &["one"]);
    writing.flush();
    host.write_file(OUT, "o");
    let fault = Writing::open(&host, 2).err().unwrap();
    assert_eq!(fault.code, "file-cut-off");
    assert_eq!(
        ["file", "size", "length"].map(|name| fault.detail(name).unwrap()),
        [OUT, "1", "4"]
    );
}

#[test]
fn another_writer_of_the_file_is_noticed() {
    let host = FakeHost::default();
    let mut writing = Writing::open(&host, 1).unwrap().0;
    host.append_file(OUT, "not ours\n");
    let put = writing.sink.put(&writing.ctx, 1, batch(&[(0, "one")]));
    assert_eq!(complete(&host, put).unwrap_err().code, "file-changed");
}

#[test]
fn a_sidecar_that_is_not_one_is_a_named_fault() {
    let host = FakeHost::default();
    host.write_file("/out/orders.txt.longshore", "{}");
    let fault = Writing::open(&host, 1).err().unwrap();
    assert_eq!(fault.code, "sidecar-unreadable");
    assert_eq!(fault.detail("file"), Some("/out/orders.txt.longshore"));
}

#[test]
fn a_directory_where_the_file_should_be_is_named() {
    let host = FakeHost::default();
    host.make_directory(OUT);
    let problems = complete(&host, FileSink::validate(&host.ctx(), config()));
    assert_eq!(problems[0].key, "file");
}

#[test]
fn offsets_given_over_rest_beat_what_is_in_the_sidecar() {
    let host = FakeHost::default();
    let mut writing = Writing::open(&host, 1).unwrap().0;
    writing.put(0, &["one", "two"]);
    writing.flush();
    let ctx = host.ctx();
    let altered = FileSink::alter_offsets(&ctx, config(), vec![at(1)]);
    assert!(complete(&host, altered).unwrap());
    assert_eq!(Writing::open(&host, 2).unwrap().1, [at(1)]);
    let altered = FileSink::alter_offsets(&ctx, config(), vec![at(-1)]);
    assert!(complete(&host, altered).unwrap());
    assert_eq!(Writing::open(&host, 3).unwrap().1, []);
}

#[test]
fn one_file_has_one_task() {
    let host = FakeHost::default();
    let ctx = host.ctx();
    let plan = FileSink::plan(&ctx, config(), ConfigMap::new(), 8);
    assert_eq!(complete(&host, plan).unwrap().len(), 1);
}

/// A sink that is called by hand.
struct Writing {
    host: FakeHost,
    ctx: Ctx,
    generation: u64,
    sink: FileSink,
}

impl Writing {
    fn open(host: &FakeHost, generation: u64) -> Result<(Self, Vec<TopicPosition>), Fault> {
        let ctx = host.ctx();
        let task = TaskContext {
            connector: "out".to_owned(),
            task: 0,
            generation,
            extra: Vec::new(),
        };
        let assigned = vec![Assignment {
            topic: "orders".to_owned(),
            topic_id: "id".to_owned(),
            partition: 0,
            committed: None,
        }];
        let (sink, start) = complete(host, FileSink::open(&ctx, task, config(), assigned))?;
        let writing = Self {
            host: host.clone(),
            ctx,
            generation,
            sink,
        };
        Ok((writing, start))
    }

    fn put(&mut self, first: i64, values: &[&str]) {
        let rows: Vec<_> = (first..).zip(values.iter().copied()).collect();
        self.put_rows(&rows);
    }

    fn put_rows(&mut self, rows: &[(i64, &str)]) {
        let put = self.sink.put(&self.ctx, self.generation, batch(rows));
        assert!(complete(&self.host, put).unwrap().is_empty());
    }

    fn flush(&mut self) -> Vec<TopicPosition> {
        complete(&self.host, self.sink.flush(&self.ctx)).unwrap()
    }
}

fn config() -> <FileSink as Sink>::Config {
    Config::parse(&ConfigMap::from([("file".to_owned(), OUT.to_owned())])).unwrap()
}

fn at(offset: i64) -> TopicPosition {
    TopicPosition {
        topic: "orders".to_owned(),
        partition: 0,
        offset,
    }
}

fn batch(rows: &[(i64, &str)]) -> Batch<Vec<u8>> {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("orders").unwrap());
    for &(offset, value) in rows {
        let row = NewRow {
            topic,
            partition: Some(0),
            offset: Some(offset),
            value: Datum::Text(value),
            ..NewRow::default()
        };
        writer.push(&row).unwrap();
    }
    Batch::parse(writer.finish().unwrap()).unwrap()
}
