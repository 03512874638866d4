//! `longshore demo`: a worker on the embedded log in a temporary directory, a growing file, the connectors of
//! `examples/01-files` deployed over REST, and the records printed as they arrive.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::args::DemoArgs;
use crate::client::Client;
use crate::compose::Running;
use crate::config::{Layers, Settings, set_options};
use crate::error::{Code, Failure, Result};
use crate::events::Events;
use crate::output::{Answer, event};
use crate::signals::Signals;

const SOURCE: &str = include_str!("../../../../examples/01-files/source.json");
const SINK: &str = include_str!("../../../../examples/01-files/sink.json");
const INPUT: &str = "app.log";
const OUTPUT: &str = "app-log.copy";
const TOPIC: &str = "app-log";

const LINE_EVERY: Duration = Duration::from_millis(500);
/// A record is promised to be seen so soon after its line was written.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);
/// The first one waits for the connector to be compiled and started as well.
const FIRST_ARRIVES_WITHIN: Duration = Duration::from_secs(30);
const ONCE_LINES: u64 = 5;

pub(crate) async fn run(args: &DemoArgs) -> Result<Answer> {
    // First, so that no signal ends the process while the folder is there.
    let mut signals = Signals::watch()?;
    let folder = Folder::enter()?;
    let settings = settings()?;
    let running = Running::start(&settings).await?;
    let shown = tokio::select! {
        shown = show(args, &running, &folder) => shown,
        () = signals.end() => Ok(Answer::new(Value::Null, "")),
    };
    running.stop().await;
    shown
}

async fn show(args: &DemoArgs, running: &Running, folder: &Folder) -> Result<Answer> {
    let client = Client::new(&running.rest_url())?;
    let mut input = Input::create()?;
    input.write_line()?;
    for body in [SOURCE, SINK] {
        let body: Value = serde_json::from_str(body).expect("the example is JSON");
        client.post(&["connectors"], &[], Some(&body)).await?;
    }
    if !args.json {
        event(introduction(running, folder))?;
    }
    wait_for_topic(&client).await?;
    let query = [("follow", "true".to_owned()), ("offset", "0".to_owned())];
    let mut events = Events::new(client.follow(&["topics", TOPIC, "records"], &query).await?);
    let mut within = FIRST_ARRIVES_WITHIN;
    let mut n_seen = 0;
    while !args.once || n_seen < ONCE_LINES {
        let record = next_record(&mut events, within).await?;
        if record["value"] != json!(Input::line(n_seen)) {
            return Err(missing(format!(
                "record {n_seen} is not the line that was written: {record}"
            )));
        }
        if !args.json {
            event(format!(
                "{TOPIC}  {}",
                record["value"].as_str().unwrap_or_default()
            ))?;
        }
        n_seen += 1;
        within = ARRIVES_WITHIN;
        if !args.once || n_seen < ONCE_LINES {
            sleep(LINE_EVERY).await;
            input.write_line()?;
        }
    }
    wait_for_copy().await?;
    let text = format!("{n_seen} lines of {INPUT} went through topic {TOPIC} into {OUTPUT}");
    Ok(Answer::new(json!({ "records": n_seen }), text))
}

async fn next_record(events: &mut Events, within: Duration) -> Result<Value> {
    let next = timeout(within, events.next()).await;
    let late = || {
        missing(format!(
            "a record did not arrive within {} seconds",
            within.as_secs()
        ))
    };
    next.map_err(|_| late())??
        .ok_or_else(|| missing("the stream of records ended".to_owned()))
}

/// The source makes its topic with its first record.
async fn wait_for_topic(client: &Client) -> Result<()> {
    let deadline = Instant::now() + FIRST_ARRIVES_WITHIN;
    loop {
        let topics = client.get(&["topics"], &[]).await?;
        let mut names = topics
            .as_array()
            .into_iter()
            .flatten()
            .map(|topic| &topic["name"]);
        if names.any(|name| name == TOPIC) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(missing(format!("topic {TOPIC} was not created")));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The sink's file must come to equal the source's.
async fn wait_for_copy() -> Result<()> {
    let equal = async {
        loop {
            let (input, output) = (std::fs::read(INPUT), std::fs::read(OUTPUT));
            if let (Ok(input), Ok(output)) = (input, output)
                && input == output
            {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let deadline = Instant::now() + FIRST_ARRIVES_WITHIN;
    let late = |_| missing(format!("{OUTPUT} did not become equal to {INPUT}"));
    timeout_at(deadline, equal).await.map_err(late)
}

fn missing(message: String) -> Failure {
    Failure::new(Code::DemoFailed, message)
}

/// The ports of the README where they are free, else free ones.
fn settings() -> Result<Settings> {
    let free = |port: u16| {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        if bound.is_ok() { port } else { 0 }
    };
    let options = [
        format!("listeners=http://127.0.0.1:{}", free(8083)),
        format!("kafka.listeners=127.0.0.1:{}", free(9092)),
        "data.dir=data".to_owned(),
    ];
    Settings::read(&Layers::merge([set_options(&options)?])?)
}

fn introduction(running: &Running, folder: &Folder) -> String {
    let (rest, kafka) = (running.rest_url(), running.kafka_addresses());
    let input = folder.path.join(INPUT);
    let input = input.display();
    let output = folder.path.join(OUTPUT);
    let output = output.display();
    format!(
        "A worker runs in {folder}; Ctrl-C ends it and removes everything.\n\
         \n\
         Two connectors were deployed with POST {rest}/connectors:\n\
         \x20 file-source  {input} -> topic {TOPIC}\n\
         \x20 file-sink    topic {TOPIC} -> {output}\n\
         \n\
         In another terminal, try\n\
         \x20 curl '{rest}/connectors?expand=status'\n\
         \x20 curl -N '{rest}/topics/{TOPIC}/records?follow=true'\n\
         \x20 kcat -b {kafka} -t {TOPIC} -C\n\
         \x20 longshore --help\n\
         \x20 tail -f {output}\n",
        folder = folder.path.display(),
    )
}

/// The file that grows.
struct Input {
    file: File,
    n_lines: u64,
}

impl Input {
    fn create() -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(INPUT);
        let file = file.map_err(|error| missing(format!("create {INPUT}: {error}")))?;
        Ok(Self { file, n_lines: 0 })
    }

    fn line(number: u64) -> String {
        format!("line {number}: the tide is coming in")
    }

    fn write_line(&mut self) -> Result<()> {
        let written = writeln!(self.file, "{}", Self::line(self.n_lines));
        self.n_lines += 1;
        written.map_err(|error| missing(format!("write {INPUT}: {error}")))
    }
}

/// A temporary directory that the process works in, as the example's relative paths expect; removed at the end.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn enter() -> Result<Self> {
        let name = format!("longshore-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let failed = |error: std::io::Error| {
            Failure::new(Code::DataDir, format!("{}: {error}", path.display()))
        };
        std::fs::create_dir_all(&path).map_err(failed)?;
        std::env::set_current_dir(&path).map_err(failed)?;
        Ok(Self { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A process must not stand in a directory that goes away.
        let left = std::env::set_current_dir(Path::new("/"));
        if left.is_ok() {
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
