//! Kafka's own tools for Java, from artifacts that Maven resolves by name.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use longshore_e2e::worker::Setup;
use longshore_e2e::{java, program};

/// The folder of Kafka's tools; none where there is no Java to run them.
fn tools() -> Option<PathBuf> {
    for (program, package) in java::NEEDED {
        program::installed(program, package).unwrap()?;
    }
    Some(java::libraries("pom.xml", "kafka-tools-4.1.0").unwrap())
}

fn run(tools: &Path, arguments: &[&str], stdin: &str, folder: &Path) -> String {
    let mut command = java::command(tools, "256m", arguments[0]);
    command.args(&arguments[1..]).current_dir(folder);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_java_console_tools_write_and_read() {
    let Some(tools) = tools() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let worker = Setup::new(folder.path()).start().unwrap();
    let write = [
        "org.apache.kafka.tools.ConsoleProducer",
        "--bootstrap-server",
        &worker.kafka,
        "--topic",
        "java",
    ];
    run(&tools, &write, "one\ntwo\nthree\n", folder.path());
    let read = [
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        "--bootstrap-server",
        &worker.kafka,
        "--topic",
        "java",
        "--partition",
        "0",
        "--offset",
        "1",
        "--max-messages",
        "2",
        "--timeout-ms",
        "20000",
    ];
    assert_eq!(run(&tools, &read, "", folder.path()), "two\nthree\n");
    worker.stop().unwrap();
}
