//! Files that have lost their names.

use longshore_testkit::LogLine;

use crate::machine::Machine;
use crate::{LOG, Reading};

const GLOB: &[(&str, &str)] = &[("file", "/var/log/*.log"), ("topic", "lines")];

fn path(n: usize) -> String {
    format!("/var/log/{n:03}.log")
}

/// As often as it may take until files that are gone were looked into for the last time.
fn look_again(reading: &mut Reading) -> Vec<String> {
    let mut records = reading.read().0;
    for _ in 0..4 {
        reading.wait_out();
        records.extend(reading.read().0);
    }
    records
}

#[test]
fn deleted_files_are_let_go() {
    let machine = Machine::default();
    let mut reading = Reading::on(&machine, GLOB, Vec::new());
    for n in 0..40 {
        machine.host.append_file(&path(n), "line\n");
        assert_eq!(reading.read().0, ["line"], "{n}");
        machine.host.remove_file(&path(n));
    }
    look_again(&mut reading);
    assert_eq!(machine.open_files(), 0);
    assert!(warnings(&machine).is_empty());
}

#[test]
fn files_that_are_gone_make_room_for_others() {
    let machine = Machine::default();
    (0..140).for_each(|n| machine.host.append_file(&path(n), "line\n"));
    let mut reading = Reading::on(&machine, GLOB, Vec::new());
    assert_eq!(reading.read().0.len(), 140);
    (0..140).for_each(|n| machine.host.remove_file(&path(n)));
    machine.host.append_file(LOG, "one\n");
    assert_eq!(reading.read().0, ["one"]);
    assert!(machine.open_files() <= 128, "{}", machine.open_files());
}

#[test]
fn files_that_are_gone_do_not_keep_others_from_being_read() {
    let machine = Machine::default();
    let files = || (0..140).map(path);
    files().for_each(|file| machine.host.append_file(&file, "line\n"));
    let mut reading = Reading::on(&machine, GLOB, Vec::new());
    assert_eq!(reading.read().0.len(), 140);
    // Their writers have not moved on yet, so they are looked into each time.
    for file in files() {
        machine
            .host
            .rename_file(&file, &format!("/elsewhere{file}"));
        machine.host.append_file(&file, "");
    }
    machine.host.append_file(LOG, "one\n");
    let mut polls = (0..20).map(|_| reading.read_one());
    assert_eq!(polls.find(|records| !records.is_empty()).unwrap(), ["one"]);
}

#[test]
fn what_is_written_to_a_file_after_it_was_deleted_is_read() {
    let machine = Machine::default();
    machine.host.append_file(LOG, "one\n");
    let mut reading = Reading::on(&machine, GLOB, Vec::new());
    assert_eq!(reading.read().0, ["one"]);
    machine.host.append_file(LOG, "two\nrest");
    machine.host.remove_file(LOG);
    assert_eq!(look_again(&mut reading), ["two"]);
    assert_eq!(
        machine.open_files(),
        1,
        "its last line may still be finished"
    );
}

#[test]
fn what_is_written_right_before_its_successor_is_read() {
    let aside = "/elsewhere/app.log";
    for config in [GLOB, crate::CONFIG] {
        let machine = Machine::default();
        machine.host.append_file(LOG, "one\n");
        let mut reading = Reading::on(&machine, config, Vec::new());
        assert_eq!(reading.read().0, ["one"]);
        machine.host.rename_file(LOG, aside);
        machine.host.append_file(LOG, "");
        assert!(look_again(&mut reading).is_empty());
        machine.host.append_file(aside, "two\n");
        machine.host.append_file(LOG, "three\n");
        assert_eq!(reading.read().0, ["two", "three"]);
        look_again(&mut reading);
        assert_eq!(machine.open_files(), 1);
    }
}

#[test]
fn unfinished_lines_of_deleted_files_are_kept_in_bounds_and_given_up_by_name() {
    let machine = Machine::default();
    let mut reading = Reading::on(&machine, GLOB, Vec::new());
    for n in 0..20 {
        machine.host.append_file(&path(n), "line\nrest");
        assert_eq!(reading.read().0, ["line"], "{n}");
        machine.host.remove_file(&path(n));
    }
    look_again(&mut reading);
    assert_eq!(machine.open_files(), 16);
    let files: Vec<_> = warnings(&machine)
        .iter()
        .map(|line| line.fields[0].1.clone())
        .collect();
    assert_eq!(files, [path(0), path(1), path(2), path(3)]);
    let progress = machine.host.progress().unwrap();
    let progress: serde_json::Value = serde_json::from_str(&progress).unwrap();
    assert_eq!(progress["gaps"][0]["from"], 5);
    assert_eq!(progress["gaps"][0]["to"], 9);
}

fn warnings(machine: &Machine) -> Vec<LogLine> {
    let log = machine.host.log();
    let vanished = log.iter().filter(|line| line.message.contains("vanished"));
    vanished.cloned().collect()
}
