//! What a poll returns.

use longshore_sdk::{Batch, PollLimits, Source};
use longshore_testkit::{FakeHost, complete};

use crate::machine::Machine;
use crate::{CONFIG, LOG, Reading};

#[test]
fn a_poll_fills_its_bytes_and_its_records_and_no_more() {
    let host = FakeHost::default();
    let line = format!("{}\n", "x".repeat(49));
    host.append_file(LOG, line.repeat(5000));
    let mut reading = Reading::open(&host, CONFIG);
    let mut poll = |records_max, bytes_max| {
        let limits = PollLimits {
            records_max,
            bytes_max,
        };
        let polled = complete(&host, reading.source.poll(&reading.ctx, limits)).unwrap();
        Batch::parse(polled.batch).unwrap().len()
    };
    assert_eq!(poll(u32::MAX, u32::MAX), 2000, "batch.size");
    assert_eq!(poll(100, 1 << 20), 100);
    let row_bytes = 60 + 49;
    let n = poll(u32::MAX, 10 * row_bytes);
    assert!((9..=10).contains(&n), "{n}");
}

#[test]
fn the_offset_has_the_settled_shape() {
    let host = FakeHost::default();
    host.append_file(LOG, "one\n");
    let (_, stored) = Reading::open(&host, CONFIG).read();
    let partition: serde_json::Value = serde_json::from_str(&stored[0].partition).unwrap();
    assert_eq!(
        partition,
        serde_json::json!({"filename": LOG, "identity": "id-0"})
    );
    let offset: serde_json::Value = serde_json::from_str(&stored[0].position.offset).unwrap();
    assert_eq!(offset["position"], 4);
}

#[test]
fn a_source_without_work_looks_once_a_poll() {
    let machine = Machine::default();
    machine.host.append_file(LOG, "one\n");
    let mut reading = Reading::on(&machine, CONFIG, Vec::new());
    assert_eq!(reading.read().0, ["one"]);
    reading.wait_out();
    let before = machine.calls();
    reading.wait_out();
    let calls = machine.calls() - before;
    assert!(calls <= 8, "{calls} calls in one poll");
}
