//! `kill -9` at random points: file to file, and outside producers.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::growing::Growing;
use crate::seed::Random;
use crate::watch;
use crate::worker::Setup;

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(60);

/// Runs a growing, rotating file through a topic into another file over so many kills; the copy must equal the input byte
/// for byte.
///
/// # Errors
/// When it does not, or the worker does not come back.
pub fn files(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    let mut random = Random::new(seed);
    let input = Growing::start(&folder.join("in.log"), random.number());
    let setup = Setup::new(folder);
    let mut worker = setup.start()?;
    let rest = worker.rest()?;
    rest.deploy(&json!({"name": "source", "config": {
        "connector.class": "file-source", "file": "in.log", "topic": "lines", "value.converter": STRING}}))?;
    rest.deploy(&json!({"name": "sink", "config": {
        "connector.class": "file-sink", "topics": "lines", "file": "out.log", "value.converter": STRING}}))?;
    for _ in 0..n_kills {
        sleep(random.millis(0..400));
        worker.kill()?;
        worker = setup.start()?;
    }
    let written = input.stop()?;
    let output = folder.join("out.log");
    let arrived = || Ok(fs::read(&output).unwrap_or_default());
    let caught_up = watch::until(folder, CATCHES_UP_WITHIN, "the copy is complete", || {
        let arrived: Result<Vec<u8>> = arrived();
        Ok(arrived?.len() >= written.len())
    });
    let arrived: Vec<u8> = arrived()?;
    if arrived != written {
        let at = arrived
            .iter()
            .zip(&written)
            .position(|(a, b)| a != b)
            .unwrap_or(arrived.len().min(written.len()));
        let status = worker.rest()?.get("/connectors?expand=status")?;
        let log = worker.read_log();
        bail!(
            "the copy differs at byte {at}: {} bytes, not {}; {status}\n{log}",
            arrived.len(),
            written.len()
        );
    }
    caught_up?;
    worker.stop_expecting(&[])
}

/// An idempotent producer of another project writes numbers over so many kills; each must be there once, in order.
///
/// # Errors
/// When one is lost or doubled, or the producer gives up.
pub fn producer(folder: &Path, kcat: &Path, seed: u64, n_kills: u32) -> Result<()> {
    let mut random = Random::new(seed);
    let port = free_port()?;
    let setup = Setup::new(folder).set(&format!("kafka.listeners=127.0.0.1:{port}"));
    let mut worker = setup.start()?;
    worker
        .rest()?
        .post("/topics", &json!({"name": "numbers", "partitions": 1}))?;
    let mut producer = spawn_producer(kcat, port)?;
    let mut stdin = producer.stdin.take().context("stdin is piped")?;
    let mut n_written = 0_u64;
    let mut write = |n: u64| -> Result<()> {
        for _ in 0..n {
            writeln!(stdin, "{n_written}")?;
            n_written += 1;
        }
        stdin.flush().context("the producer gave up")
    };
    for _ in 0..n_kills {
        for _ in 0..random.within(1..20) {
            write(random.within(1..200))?;
            sleep(random.millis(0..20));
        }
        worker.kill()?;
        worker = setup.start()?;
    }
    write(100)?;
    drop(stdin);
    let status = producer.wait()?;
    ensure!(status.success(), "the producer ended with {status}");
    let mut next = 0;
    let mut wrong = None;
    worker.rest()?.follow("numbers", |record| {
        if record["value"].as_str() != Some(&next.to_string()) {
            wrong = Some(record.clone());
        }
        next += 1;
        wrong.is_some() || next == n_written
    })?;
    if let Some(record) = wrong {
        bail!("record {} is {record}", next - 1);
    }
    let more = worker
        .rest()?
        .get(&format!("/topics/numbers/records?offset={n_written}"))?;
    ensure!(
        more == json!([]),
        "there are more records than were written: {more}"
    );
    worker.stop_expecting(&[])
}

fn spawn_producer(kcat: &Path, port: u16) -> Result<Child> {
    let mut command = Command::new(kcat);
    command.args([
        "-P",
        "-E",
        "-q",
        "-t",
        "numbers",
        "-p",
        "0",
        "-b",
        &format!("127.0.0.1:{port}"),
    ]);
    let options = [
        "enable.idempotence=true",
        "linger.ms=1",
        "message.timeout.ms=120000",
        "reconnect.backoff.ms=10",
        "reconnect.backoff.max.ms=100",
        "retry.backoff.ms=20",
    ];
    command.args(options.iter().flat_map(|option| ["-X", option]));
    command
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("start kcat")
}

/// A port that nobody has now.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
