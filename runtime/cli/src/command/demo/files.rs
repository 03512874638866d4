//! The demo of `examples/01-files`: a growing file, a topic, and its copy.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::folder::Folder;
use super::{ACTS_EVERY, ARRIVES_WITHIN, FIRST_ARRIVES_WITHIN, follow, missing, next_record};
use crate::args::DemoArgs;
use crate::client::Client;
use crate::compose::Running;
use crate::error::Result;
use crate::output::{Answer, event};

const SOURCE: &str = include_str!("../../../../../examples/01-files/source.json");
const SINK: &str = include_str!("../../../../../examples/01-files/sink.json");
const INPUT: &str = "app.log";
const OUTPUT: &str = "app-log.copy";
const TOPIC: &str = "app-log";
const ONCE_LINES: u64 = 5;

pub(super) async fn show(args: &DemoArgs, running: &Running, folder: &Folder) -> Result<Answer> {
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
    let mut events = follow(&client, TOPIC).await?;
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
            sleep(ACTS_EVERY).await;
            input.write_line()?;
        }
    }
    wait_for_copy().await?;
    let text = format!("{n_seen} lines of {INPUT} went through topic {TOPIC} into {OUTPUT}");
    Ok(Answer::new(json!({ "records": n_seen }), text))
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
