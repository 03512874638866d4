//! Growth and rotation by rename.

use longshore_testkit::FakeHost;

use crate::{LOG, Reading, contract};

fn append(text: &'static str) -> impl Fn(&FakeHost) {
    move |host| host.append_file(LOG, text)
}

#[test]
fn a_growing_file_is_read_line_by_line() {
    contract(
        &[
            &append("one\ntwo\r\nthr"),
            &append("ee\n\n"),
            &|host| host.append_file(LOG, b"\xFF\xFE\n"),
            &append("last without its end"),
        ],
        &["one", "two\r", "three", "", "0xfffe"],
    );
}

#[test]
fn a_file_that_appears_later_is_read() {
    contract(&[&|_| {}, &append("one\n")], &["one"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_its_successor() {
    contract(
        &[
            &append("one\ntwo\n"),
            &|host| {
                host.append_file(LOG, "three\n");
                host.rename_file(LOG, "/var/log/app.log.1");
                host.append_file(LOG, "four\n");
            },
            &append("five\n"),
        ],
        &["one", "two", "three", "four", "five"],
    );
}

#[test]
fn an_unfinished_last_line_is_emitted_once_there_is_a_successor() {
    contract(
        &[
            &append("one\nunfin"),
            &|host| host.rename_file(LOG, "/var/log/app.log.1"),
            &|host| host.append_file("/var/log/app.log.1", "ished"),
            &append("next\n"),
        ],
        &["one", "unfinished", "next"],
    );
}

#[test]
fn files_renamed_several_times_are_read_oldest_first() {
    let shift = |host: &FakeHost, text: &str| {
        for n in (0..3).rev() {
            let from = match n {
                0 => LOG.to_owned(),
                n => format!("{LOG}.{n}"),
            };
            if host.read_file(&from).is_some() {
                host.rename_file(&from, &format!("{LOG}.{}", n + 1));
            }
        }
        host.append_file(LOG, text);
    };
    contract(
        &[&append("one\n"), &|host| {
            host.append_file(LOG, "two\n");
            shift(host, "three\n");
            shift(host, "four\n");
            shift(host, "five\n");
        }],
        &["one", "two", "three", "four", "five"],
    );
}

#[test]
fn files_renamed_between_two_polls_keep_their_order() {
    let host = FakeHost::default();
    for (path, text) in [
        ("/var/log/app.log.2", "one\ntwo\n"),
        ("/var/log/app.log.1", "three\nfour\n"),
        (LOG, "five\n"),
    ] {
        host.append_file(path, text);
    }
    let mut reading = Reading::open(&host, crate::CONFIG);
    assert_eq!(reading.read_one(), ["one"]);
    host.rename_file("/var/log/app.log.2", "/var/log/app.log.3");
    host.rename_file("/var/log/app.log.1", "/var/log/app.log.2");
    host.rename_file(LOG, "/var/log/app.log.1");
    host.append_file(LOG, "six\n");
    assert_eq!(reading.read().0, ["two", "three", "four", "five", "six"]);
}

#[test]
fn a_file_moved_out_of_sight_is_read_through_its_handle() {
    let host = FakeHost::default();
    host.append_file(LOG, "one\nun");
    let mut reading = Reading::open(&host, crate::CONFIG);
    assert_eq!(reading.read().0, ["one"]);
    host.append_file(LOG, "finished\ntwo\nrest");
    host.rename_file(LOG, "/elsewhere/app.log");
    host.append_file(LOG, "three\n");
    assert_eq!(reading.read().0, ["unfinished", "two", "rest", "three"]);
}

#[test]
fn several_files_of_a_glob_are_read_each_in_its_order() {
    let config = &[("file", "/var/log/*.log"), ("topic", "lines")];
    let host = FakeHost::default();
    host.append_file("/var/log/a.log", "a1\n");
    host.append_file("/var/log/b.log", "b1\n");
    host.append_file("/var/log/c.txt", "not this\n");
    let mut reading = Reading::open(&host, config);
    let (records, positions) = reading.read();
    assert_eq!(records, ["a1", "b1"]);
    assert_eq!(positions.len(), 2);
    host.append_file("/var/log/a.log", "a2\n");
    host.rename_file("/var/log/a.log", "/var/log/a.log.1");
    host.append_file("/var/log/a.log", "a3\n");
    host.append_file("/var/log/b.log", "b2\n");
    let records = reading.read().0;
    let of = |file: &str| {
        let of_file = records.iter().filter(|record| record.starts_with(file));
        of_file.cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        (of("a"), of("b")),
        (
            vec!["a2".to_owned(), "a3".to_owned()],
            vec!["b2".to_owned()]
        )
    );
}

#[test]
fn compressed_files_and_an_empty_glob_are_left_alone() {
    let host = FakeHost::default();
    host.append_file("/var/log/app.log.2.gz", "junk\n");
    host.append_file("/var/log/app.log.1", "old\n");
    host.append_file(LOG, "new\n");
    assert_eq!(Reading::open(&host, crate::CONFIG).read().0, ["old", "new"]);
    let only_the_file = [("file", LOG), ("topic", "lines"), ("file.rotated", "")];
    assert_eq!(Reading::open(&host, &only_the_file).read().0, ["new"]);
}
