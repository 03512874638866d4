//! One file under several names, spellings and devices.

use longshore_sdk::{Position, SourcePosition};

use crate::machine::Machine;
use crate::{LOG, Reading};

const COPY: &str = "/var/log/app.log.1";

fn config(file: &str) -> [(&str, &str); 2] {
    [("file", file), ("topic", "lines")]
}

fn copy_and_truncate(machine: &Machine) {
    let host = &machine.host;
    host.write_file(COPY, host.read_file(LOG).unwrap());
    host.write_file(LOG, "");
}

#[test]
fn a_copy_is_recognised_however_the_path_is_spelled() {
    for spelled in [LOG, "/var/log//app.log", "/var/log/./app.log"] {
        let machine = Machine::default();
        machine.host.append_file(LOG, "one\ntwo\n");
        let mut reading = Reading::on(&machine, &config(spelled), Vec::new());
        let (records, stored) = reading.read();
        assert_eq!(records, ["one", "two"]);
        machine.host.append_file(LOG, "three\n");
        copy_and_truncate(&machine);
        machine.host.append_file(LOG, "four\n");
        assert_eq!(reading.read().0, ["three", "four"], "{spelled}");
        // The same with nothing but what was stored.
        let mut reading = Reading::on(&machine, &config(spelled), stored);
        assert_eq!(reading.read().0, ["three", "four"], "{spelled} resumed");
    }
}

#[test]
fn a_last_line_is_finished_however_the_path_is_spelled() {
    let machine = Machine::default();
    machine.host.append_file(COPY, "one\nunfinished");
    machine.host.append_file(LOG, "two\n");
    let mut reading = Reading::on(&machine, &config("/var/log//app.log"), Vec::new());
    assert_eq!(reading.read().0, ["one", "unfinished", "two"]);
}

#[test]
fn a_partition_stays_as_it_was_stored_under_another_spelling() {
    let machine = Machine::default();
    machine.host.append_file(LOG, "one\n");
    let (_, mut stored) = Reading::on(&machine, &config(LOG), Vec::new()).read();
    let respelled = stored[0].partition.replace("/var/log/app", "/var/log//app");
    stored[0].partition.clone_from(&respelled);
    copy_and_truncate(&machine);
    machine.host.append_file(LOG, "two\n");
    let mut reading = Reading::on(&machine, &config(LOG), stored);
    let (records, stored) = reading.read();
    assert_eq!(records, ["two"]);
    assert!(stored.iter().any(|stored| stored.partition == respelled));
}

#[test]
fn a_file_with_a_link_beside_it_is_read_once() {
    let machine = Machine::default();
    machine.host.append_file("/var/log/app-1.log", "one\ntwo\n");
    machine.link("/var/log/current.log", "/var/log/app-1.log");
    let config = config("/var/log/*.log");
    let mut reading = Reading::on(&machine, &config, Vec::new());
    let (records, stored) = reading.read();
    assert_eq!((records.len(), stored.len()), (2, 1));
    machine.host.append_file("/var/log/app-1.log", "three\n");
    assert_eq!(reading.read().0, ["three"]);
    let (records, resumed) = Reading::on(&machine, &config, stored.clone()).read();
    assert_eq!(records, ["three"]);
    assert!(stored[0].position.order < resumed[0].position.order);
}

#[test]
fn a_file_that_was_stored_under_two_names_is_read_on_from_the_later_position() {
    let machine = Machine::default();
    machine.host.append_file("/var/log/app-1.log", "one\ntwo\n");
    let config = config("/var/log/*.log");
    let (_, stored) = Reading::on(&machine, &config, Vec::new()).read();
    let other = SourcePosition {
        partition: stored[0].partition.replace("app-1", "current"),
        position: Position::at(r#"{"position": 4, "truncations": 0}"#.to_owned(), 4_u64),
    };
    for stored in [
        vec![stored[0].clone(), other.clone()],
        vec![other, stored[0].clone()],
    ] {
        assert!(Reading::on(&machine, &config, stored).read().0.is_empty());
    }
}

#[test]
fn a_new_mount_does_not_make_a_new_file() {
    let machine = Machine::default();
    machine.mount_on(1);
    machine.host.append_file(LOG, "one\n");
    let (_, stored) = Reading::on(&machine, &config(LOG), Vec::new()).read();
    machine.mount_on(2);
    machine.host.append_file(LOG, "two\n");
    let mut reading = Reading::on(&machine, &config(LOG), stored.clone());
    let (records, resumed) = reading.read();
    assert_eq!(records, ["two"]);
    assert_eq!(resumed[0].partition, stored[0].partition);
    // Rotated meanwhile as well.
    machine.mount_on(3);
    machine.host.rename_file(LOG, COPY);
    machine.host.append_file(LOG, "three\n");
    let mut reading = Reading::on(&machine, &config(LOG), resumed);
    assert_eq!(reading.read().0, ["three"]);
}

#[test]
fn after_a_new_mount_the_fingerprint_has_the_last_word() {
    let machine = Machine::default();
    machine.mount_on(1);
    machine.host.append_file(LOG, "one\n");
    let (_, stored) = Reading::on(&machine, &config(LOG), Vec::new()).read();
    machine.mount_on(2);
    // Neither its size nor its place tell that it is to be looked into.
    machine.host.rename_file(LOG, COPY);
    machine.host.write_file(COPY, "two\n");
    let (records, resumed) = Reading::on(&machine, &config(LOG), stored.clone()).read();
    assert_eq!(records, ["two"]);
    assert!(stored[0].position.order < resumed[0].position.order);
}
