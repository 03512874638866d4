//! Rotation by copy and truncate.

use file_source::FileSource;
use longshore_testkit::FakeHost;
use longshore_testkit::contract::{self, SourceContract};

use crate::machine::Machine;
use crate::{CONFIG, LOG, Reading};

const COPY: &str = "/var/log/app.log.1";

/// Runs the contract over steps that overwrite what was read.
fn contract(steps: &[&dyn Fn(&FakeHost)], expected: &[&str]) {
    contract::source::<FileSource>(&SourceContract {
        config: CONFIG,
        steps,
        steps_while_down: false,
        expected,
    });
}

fn copy(host: &FakeHost) {
    host.write_file(COPY, host.read_file(LOG).unwrap());
}

#[test]
fn a_file_cut_off_and_begun_again_is_read_from_its_start() {
    contract(
        &[
            &|host| host.append_file(LOG, "one\ntwo\n"),
            &|host| host.write_file(LOG, ""),
            &|host| host.append_file(LOG, "three\n"),
        ],
        &["one", "two", "three"],
    );
}

#[test]
fn a_file_that_grew_again_past_the_position_is_told_by_its_fingerprint() {
    contract(
        &[&|host| host.append_file(LOG, "one\ntwo\n"), &|host| {
            host.write_file(LOG, "three\nfour\nfive\n");
        }],
        &["one", "two", "three", "four", "five"],
    );
}

#[test]
fn what_copy_and_truncate_leaves_is_read_on_in_the_copy() {
    contract(
        &[
            &|host| host.append_file(LOG, "one\ntwo\n"),
            &copy,
            &|host| {
                host.append_file(LOG, "three\n");
                copy(host);
                host.write_file(LOG, "");
            },
            &|host| host.append_file(LOG, "four\n"),
            &|host| {
                host.rename_file(COPY, "/var/log/app.log.2");
                host.append_file(LOG, "five\n");
                copy(host);
                host.write_file(LOG, "six is longer than what was there before\n");
            },
        ],
        &[
            "one",
            "two",
            "three",
            "four",
            "five",
            "six is longer than what was there before",
        ],
    );
}

#[test]
fn a_lost_tail_is_a_named_gap_in_status_and_log() {
    let host = FakeHost::default();
    host.append_file(LOG, "one\nunfinished");
    let mut reading = Reading::open(&host, CONFIG);
    assert_eq!(reading.read().0, ["one"]);
    host.write_file(LOG, "two\n");
    assert_eq!(reading.read().0, ["two"]);
    let warning = host
        .log()
        .iter()
        .find(|line| line.message.contains("cut off"))
        .cloned();
    let fields = warning.unwrap().fields;
    assert_eq!(
        fields,
        [
            ("file".to_owned(), LOG.to_owned()),
            ("offset".to_owned(), "4".to_owned())
        ]
    );
    let progress: serde_json::Value = serde_json::from_str(&host.progress().unwrap()).unwrap();
    assert_eq!(progress["gaps"][0]["file"], LOG);
    assert_eq!(progress["gaps"][0]["from"], 4);
    assert_eq!(progress["gaps"][0]["to"], 14);
}

#[test]
fn a_file_cut_off_while_the_worker_was_down_is_a_gap_of_unknown_length() {
    let host = FakeHost::default();
    host.append_file(LOG, "one\n");
    let (_, stored) = Reading::open(&host, CONFIG).read();
    host.write_file(LOG, "two\n");
    let (records, positions) = Reading::resume(&host, CONFIG, stored.clone()).read();
    assert_eq!(records, ["two"]);
    assert!(stored[0].position.order < positions[0].position.order);
    let progress: serde_json::Value = serde_json::from_str(&host.progress().unwrap()).unwrap();
    assert_eq!(progress["gaps"][0]["to"], serde_json::Value::Null);
}

/// Whatever other processes do between any two calls of the source.
#[test]
fn a_copy_is_recognised_whenever_it_is_made_and_the_file_cut_off() {
    for copy_is_begun in [false, true] {
        for gap in [0, 1, 2, 3, 5, 8] {
            let mut call = 1;
            while call <= copy_and_truncate_at(call, gap, copy_is_begun) {
                call += 1;
            }
        }
    }
}

/// Copies before that call and cuts off so many calls later; the calls that there were.
fn copy_and_truncate_at(call: u64, gap: u64, copy_is_begun: bool) -> u64 {
    let machine = Machine::default();
    machine.host.append_file(LOG, "one\ntwo\n");
    let mut reading = Reading::on(&machine, CONFIG, Vec::new());
    assert_eq!(reading.read().0, ["one", "two"]);
    machine.host.append_file(LOG, "three\n");
    if copy_is_begun {
        machine.host.append_file(COPY, "");
    }
    let before = machine.calls();
    machine.before_call(before + call, move |host| {
        host.append_file(LOG, "four\n");
        copy(host);
        if gap == 0 {
            host.write_file(LOG, "");
        }
    });
    if gap > 0 {
        machine.before_call(before + call + gap, |host| host.write_file(LOG, ""));
    }
    let mut records = reading.read().0;
    let calls = machine.calls() - before;
    machine.finish();
    machine.host.append_file(LOG, "five\n");
    records.extend(reading.read().0);
    assert_eq!(
        records,
        ["three", "four", "five"],
        "call {call}, cut off {gap} calls later, copy begun before: {copy_is_begun}"
    );
    calls
}
