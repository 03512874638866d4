//! Bad input.

use file_source::FileSource;
use longshore_sdk::{Batch, Config, FaultClass, PollLimits, Source};
use longshore_testkit::{FakeHost, complete};

use crate::{CONFIG, LOG, Reading, contract};

#[test]
fn a_line_over_the_limit_is_a_bad_record_and_the_rest_goes_on() {
    contract(
        &[
            &|host| host.append_file(LOG, format!("one\n{}\ntwo\n", "x".repeat(65))),
            &|host| host.append_file(LOG, "y".repeat(1000)),
            &|host| host.append_file(LOG, format!("{}\nthree\n", "y".repeat(5000))),
        ],
        &["one", "!line-too-long", "two", "!line-too-long", "three"],
    );
}

#[test]
fn the_fault_of_a_long_line_names_file_offset_and_length() {
    let host = FakeHost::default();
    host.append_file(LOG, format!("one\n{}\n", "x".repeat(3 << 20)));
    let mut reading = Reading::open(&host, CONFIG);
    let limits = PollLimits {
        records_max: 10,
        bytes_max: 1000,
    };
    let polled = complete(&host, reading.source.poll(&reading.ctx, limits)).unwrap();
    let batch = Batch::parse(polled.batch).unwrap();
    let fault = batch.row(1).unwrap().fault().unwrap();
    assert_eq!(fault.class, FaultClass::BadRecord);
    let details = ["file", "offset", "length"].map(|name| fault.detail(name).unwrap());
    assert_eq!(details, [LOG, "4", "3145728"]);
}

#[test]
fn a_directory_where_a_file_should_be_is_named() {
    let host = FakeHost::default();
    host.make_directory(LOG);
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config = Config::parse(&CONFIG.iter().map(owned).collect()).unwrap();
    let problems = complete(&host, FileSource::validate(&host.ctx(), config));
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].key, "file");
    assert_eq!(problems[0].fault.detail("file"), Some(LOG));
}

#[test]
fn a_rotated_glob_with_a_directory_is_refused_by_name() {
    let host = FakeHost::default();
    let pairs = [("file", LOG), ("topic", "t"), ("file.rotated", "/old/*")];
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let config = Config::parse(&pairs.iter().map(owned).collect()).unwrap();
    let problems = complete(&host, FileSource::validate(&host.ctx(), config));
    assert_eq!(problems[0].key, "file.rotated");
}

#[test]
fn a_file_that_vanishes_is_waited_for() {
    let host = FakeHost::default();
    host.append_file(LOG, "one\n");
    let mut reading = Reading::open(&host, CONFIG);
    assert_eq!(reading.read().0, ["one"]);
    host.remove_file(LOG);
    assert!(reading.read().0.is_empty());
    assert!(
        host.log()
            .iter()
            .any(|line| line.message.contains("waiting for it"))
    );
    host.append_file(LOG, "two\n");
    assert_eq!(reading.read().0, ["two"]);
}
