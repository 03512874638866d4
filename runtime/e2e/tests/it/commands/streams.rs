//! What commands read from stdin and write to stdout.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::Shell;

/// More than one answer of the worker has.
const N_MANY: usize = 10_050;

fn piped(mut command: Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    // One that fails does not read to the end.
    child.stdin.take().unwrap().write_all(input).ok();
    child.wait_with_output().unwrap()
}

#[test]
fn a_topic_is_read_to_its_end() {
    let shell = Shell::open();
    shell.run("topic create many --partitions 2");
    let lines = |numbers: std::ops::Range<usize>| {
        let lines = numbers.map(|number| format!("v{number}\n"));
        lines.collect::<String>()
    };
    for partition in 0..2 {
        let write = shell.command(&format!("topic write many --partition {partition}"));
        let written = piped(write, lines(0..N_MANY).as_bytes());
        assert_eq!(
            String::from_utf8(written.stdout).unwrap(),
            format!("{N_MANY} records written\n")
        );
    }
    let expected = |partition: usize, offsets: std::ops::Range<usize>| {
        let lines = offsets.map(|offset| format!("{partition}:{offset}\tnull\tv{offset}\n"));
        lines.collect::<String>()
    };
    let all = expected(0, 0..N_MANY) + &expected(1, 0..N_MANY);
    assert!(shell.run("topic read many") == all);
    assert!(
        shell.run(&format!("topic read many --limit {}", N_MANY + 3))
            == expected(0, 0..N_MANY) + &expected(1, 0..3)
    );
    assert_eq!(
        shell.run("topic read many --offset -2"),
        expected(0, N_MANY - 2..N_MANY) + &expected(1, N_MANY - 2..N_MANY)
    );
    assert_eq!(shell.run("topic read many --offset latest"), "");
    let (_, answer) = shell.ask("topic read many --partition 1");
    assert_eq!(answer["result"].as_array().unwrap().len(), N_MANY);
    let (exit, answer) = shell.ask("topic read many --partition 0 --offset 99999999");
    assert_eq!(
        (exit, answer["error"]["code"].as_str()),
        (2, Some("rejected"))
    );
    shell.worker.stop().unwrap();
}

#[test]
fn lines_are_written_as_the_bytes_that_they_are() {
    let shell = Shell::open();
    shell.run("topic create bytes --partitions 1");
    let written = piped(shell.command("topic write bytes"), b"a\xff\nb\r\n\nend \t");
    assert!(written.status.success(), "{written:?}");
    let (_, answer) = shell.ask("topic read bytes");
    let values: Vec<&Value> = answer["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["value"])
        .collect();
    assert_eq!(
        json!(values),
        json!([{"base64": "Yf8="}, "b\r", "", "end \t"])
    );
    assert_eq!(
        shell.run("topic read bytes --offset 3"),
        "0:3\tnull\tend \t\n"
    );
    // More than a worker takes at once.
    let long = format!("{}\n", "x".repeat(9 << 10)).repeat(500);
    let written = piped(shell.command("topic write bytes"), long.as_bytes());
    assert!(written.status.success(), "{written:?}");
    shell.worker.stop().unwrap();
}

#[test]
fn a_line_that_is_refused_is_named_with_what_was_written_before() {
    let shell = Shell::open();
    shell.run("topic create large --partitions 1");
    let mut input = b"one\ntwo\n".to_vec();
    input.extend(vec![b'x'; 6 << 20]);
    let written = piped(shell.command("topic write large"), &input);
    let told = String::from_utf8(written.stderr).unwrap();
    assert_eq!(written.status.code(), Some(2), "{told}");
    assert_eq!(
        told,
        "error: the body is over the limit of 4194304 bytes (at line 3; 2 records before were written)\n"
    );
    assert_eq!(shell.run("topic read large").lines().count(), 2);
    shell.worker.stop().unwrap();
}

#[test]
fn a_line_is_written_before_the_next_one_comes() {
    let shell = Shell::open();
    shell.run("topic create slow --partitions 1");
    let mut write = shell.command("topic write slow");
    let write = write.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = write.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let rest = shell.worker.rest().unwrap();
    for line in ["one", "two"] {
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
        rest.follow("slow", |record| record["value"] == line)
            .unwrap();
    }
    drop(input);
    assert!(child.wait().unwrap().success());
    shell.worker.stop().unwrap();
}

#[test]
fn a_reader_may_go_and_a_full_disk_is_told() {
    let shell = Shell::open();
    shell.run("topic create full --partitions 1");
    shell.run("topic write full one two three");
    for arguments in [
        "topic read full --follow",
        "topic read full",
        "health --json",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = shell.command(arguments);
        let output = command.stdout(writer).stderr(Stdio::piped()).output();
        let output = output.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), told.as_str()),
            (Some(0), ""),
            "{arguments}"
        );
    }
    for arguments in ["topic read full", "health", "health --json"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = shell.command(arguments);
        let output = command
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments}: {told}");
        assert!(
            told.starts_with("error: stdout: ") && told.lines().count() == 1,
            "{arguments}: {told}"
        );
    }
    shell.worker.stop().unwrap();
}
