//! The same rows, drained and read by Debezium and by ours: what each takes, side by side.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::Ground;
use super::super::figure::Figure;
use super::super::process_cost::Cost;
use super::ground::{ROWS, Source, capture};
use crate::debezium::Peer;
use crate::worker::{Setup, WorkerProcess};
use crate::{java, program, watch};

/// Fewer rows, for a look.
const VARIABLE: &str = "BENCH_ROWS";
const HEAP: &str = "2g";
/// The first warms Java and compiles the component; the last counts.
const ROUNDS: usize = 2;
const DONE_WITHIN: Duration = Duration::from_secs(900);

/// One side's figures.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    rows_s: f64,
    cpu_s: f64,
}

pub(in super::super) fn run(ground: &Ground) -> Result<()> {
    for (name, package) in java::NEEDED.iter().chain(&[("kcat", "kcat")]) {
        if program::installed(name, package)?.is_none() {
            return Ok(());
        }
    }
    let rows = match std::env::var(VARIABLE) {
        Ok(rows) => rows
            .parse()
            .with_context(|| format!("{VARIABLE} is a number"))?,
        Err(_) => ROWS,
    };
    let mut source = Source::start()?;
    for round in 0..ROUNDS {
        source.slot(&format!("theirs_{round}"))?;
        source.slot(&format!("ours_{round}"))?;
    }
    source.fill(rows, 100)?;
    source.psql.run("vacuum analyze t1")?;
    let folder = ground.folder().join("peer");
    std::fs::create_dir(&folder)?;
    let pair = Pair {
        rows,
        source,
        peer: Peer::start(&folder, HEAP)?,
        worker: Setup::new(ground.folder()).start()?,
        kafka: folder.join("kafka"),
    };
    let mut table = Table::new(rows);
    let stream = pair.measure("", "no_data", "stream")?;
    let snapshot = pair.measure("s_", "initial_only", "snapshot")?;
    table.add("stream, rows/s", stream.map(|taken| taken.rows_s));
    table.add(
        "stream, CPU µs a row",
        stream.map(|taken| pair.per_row_us(taken.cpu_s)),
    );
    table.add("snapshot, rows/s", snapshot.map(|taken| taken.rows_s));
    table.add(
        "snapshot, CPU µs a row",
        snapshot.map(|taken| pair.per_row_us(taken.cpu_s)),
    );
    let peaks = [pair.peer.worker_id(), pair.worker.id()];
    let [theirs, ours] = peaks.map(|id| Cost::of(id).map(|cost| cost.peak_rss_mb));
    table.add("peak memory, MB", [theirs?, ours?]);
    table.print();
    pair.worker.stop()
}

/// Both, over one server.
struct Pair {
    rows: u64,
    source: Source,
    peer: Peer,
    worker: WorkerProcess,
    /// Where Kafka has its logs.
    kafka: PathBuf,
}

impl Pair {
    /// Both capture with slots of this prefix; theirs, and then ours, of the last round.
    fn measure(&self, prefix: &str, snapshot_mode: &str, what: &'static str) -> Result<[Taken; 2]> {
        let mut last = [Taken::default(); 2];
        let rest = self.worker.rest()?;
        for round in 0..ROUNDS {
            let slot = format!("{prefix}theirs_{round}");
            let mut connector = self.source.connector(&slot, snapshot_mode);
            connector["config"]["connector.class"] =
                json!("io.debezium.connector.postgresql.PostgresConnector");
            connector["config"]["tasks.max"] = json!("1");
            let theirs = self.taken(self.peer.worker_id(), || self.capture_theirs(&connector))?;
            let slot = format!("{prefix}ours_{round}");
            let connector = self.source.connector(&slot, snapshot_mode);
            let ours = self.taken(self.worker.id(), || capture(&rest, &connector))?;
            Figure::new(what, ours.rows_s, "rows/s")
                .against(theirs.rows_s, "Debezium")
                .print();
            Figure::new(
                "  CPU time of the worker",
                self.per_row_us(ours.cpu_s),
                "µs/row",
            )
            .against(self.per_row_us(theirs.cpu_s), "Debezium's")
            .print();
            last = [theirs, ours];
        }
        Ok(last)
    }

    fn taken(&self, process: u32, capture: impl FnOnce() -> Result<f64>) -> Result<Taken> {
        let before = Cost::of(process)?;
        let took_s = capture()?;
        Ok(Taken {
            rows_s: self.per_second(took_s),
            cpu_s: Cost::of(process)?.cpu_s - before.cpu_s,
        })
    }

    /// Seconds from deploying until the marker and the last row stand in Kafka's logs.
    fn capture_theirs(&self, connector: &Value) -> Result<f64> {
        let name = connector["name"]
            .as_str()
            .context("a connector has a name")?;
        let started = Instant::now();
        self.peer.rest.deploy(connector)?;
        let marker = self.kafka.join(format!("{name}.public.z_marker-0"));
        watch::until(&self.kafka, DONE_WITHIN, "the marker's topic", || {
            Ok(marker.is_dir())
        })
        .with_context(|| self.peer.read_log())?;
        watch::until(&marker, DONE_WITHIN, "the marker", || has_records(&marker))?;
        // The producer sends topics side by side: rows may still wait behind the marker.
        self.until_last_row(&format!("{name}.public.t1"))?;
        let took_s = started.elapsed().as_secs_f64();
        let deleted = self
            .peer
            .rest
            .send(&Method::DELETE, &format!("/connectors/{name}"), None)?;
        ensure!(
            deleted.status < 300,
            "{name} cannot be deleted: {}",
            deleted.body
        );
        Ok(took_s)
    }

    fn until_last_row(&self, topic: &str) -> Result<()> {
        let mut kcat = Command::new("kcat");
        kcat.args([
            "-b",
            &self.peer.broker,
            "-C",
            "-q",
            "-u",
            "-t",
            topic,
            "-o",
            "-1",
            "-f",
            "%k\\n",
        ]);
        let mut kcat = kcat.stdout(Stdio::piped()).spawn().context("start kcat")?;
        let stdout = kcat.stdout.take().context("stdout is piped")?;
        let last = format!("{{\"id\":{}}}", self.rows);
        let mut keys = BufReader::new(stdout).lines();
        let found = keys.any(|key| key.is_ok_and(|key| key == last));
        kcat.kill()?;
        kcat.wait()?;
        if !found {
            bail!("{topic} ended before its last row");
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
    fn per_second(&self, seconds: f64) -> f64 {
        self.rows as f64 / seconds
    }

    #[expect(clippy::cast_precision_loss, reason = "a cost needs no 53 bits")]
    fn per_row_us(&self, seconds: f64) -> f64 {
        seconds * 1e6 / self.rows as f64
    }
}

fn has_records(partition: &Path) -> Result<bool> {
    let log = partition.join("00000000000000000000.log");
    Ok(std::fs::metadata(log).is_ok_and(|log| log.len() > 0))
}

/// What the README shows.
struct Table {
    lines: Vec<String>,
}

impl Table {
    fn new(rows: u64) -> Self {
        let head = format!(
            "| {rows} rows of 100 bytes | Debezium 3.3.1 in Kafka Connect 4.1 | Longshore | ratio |"
        );
        Self {
            lines: vec![head, "|---|---|---|---|".to_owned()],
        }
    }

    fn add(&mut self, name: &str, [theirs, ours]: [f64; 2]) {
        let digits = |value: f64| if value < 100.0 { 1 } else { 0 };
        self.lines.push(format!(
            "| {name} | {theirs:.0$} | {ours:.1$} | {ratio:.2} |",
            digits(theirs),
            digits(ours),
            ratio = ours / theirs
        ));
    }

    #[expect(clippy::print_stdout, reason = "it speaks to the person who runs it")]
    fn print(&self) {
        println!("\n{}", self.lines.join("\n"));
        println!(
            "\nFrom deploying the connector until everything is stored, warm. Debezium's is the JVM of Kafka Connect, without Kafka \
             beside it; ours holds its log."
        );
    }
}
