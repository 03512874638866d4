//! Kafka's own tools for Java, from artifacts that Maven resolves by name.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use longshore_e2e::program;
use longshore_e2e::worker::Setup;

/// The class path of Kafka's tools; none where there is no Java to run them.
fn class_path() -> Option<String> {
    let java = program::installed("java", "default-jre-headless").unwrap();
    let maven = program::installed("mvn", "maven").unwrap();
    java.and(maven)?;
    let folder = program::target_dir().unwrap().join("kafka-tools-4.1.0");
    if !folder.is_dir() {
        // Under another name first, so that a download that broke off is not taken for the whole.
        let unfinished = PathBuf::from(format!("{}.{}", folder.display(), std::process::id()));
        let mut mvn = Command::new("mvn");
        mvn.args(["-q", "-B", "dependency:copy-dependencies"]);
        mvn.arg("-f")
            .arg(program::root().join("runtime/e2e/kafka/pom.xml"));
        mvn.arg(format!("-DoutputDirectory={}", unfinished.display()));
        let output = mvn.output().unwrap();
        assert!(
            output.status.success(),
            "mvn: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        fs::rename(&unfinished, &folder).unwrap();
    }
    Some(format!("{}/*", folder.display()))
}

fn java(class_path: &str, arguments: &[&str], stdin: &str, folder: &Path) -> String {
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-cp", class_path])
        .args(arguments)
        .current_dir(folder);
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
    let Some(class_path) = class_path() else {
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
    java(&class_path, &write, "one\ntwo\nthree\n", folder.path());
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
    assert_eq!(java(&class_path, &read, "", folder.path()), "two\nthree\n");
    worker.stop().unwrap();
}
