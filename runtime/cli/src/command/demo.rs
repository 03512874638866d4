//! `longshore demo`: a worker on the embedded log in a temporary directory, connectors of `examples/` deployed over REST, and
//! their records printed as they arrive: those of a growing file, or of the PostgreSQL that `--postgres` names.

mod files;
mod folder;
mod postgres;

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use self::folder::Folder;
use self::postgres::Database;
use crate::args::DemoArgs;
use crate::client::Client;
use crate::compose::Running;
use crate::config::{Layers, Settings, set_options};
use crate::error::{Code, Failure, Result};
use crate::events::Events;
use crate::output::Answer;
use crate::signals::Signals;

/// A record is promised to be seen so soon after what it tells of.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);
/// The first one waits for the connector to be compiled and started as well.
const FIRST_ARRIVES_WITHIN: Duration = Duration::from_secs(30);
/// Between what the demo does to be seen.
const ACTS_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn run(args: &DemoArgs) -> Result<Answer> {
    // First, so that no signal ends the process while the folder is there.
    let mut signals = Signals::watch()?;
    let database = match &args.postgres {
        Some(url) => Some(Database::open(url).await?),
        None => None,
    };
    let folder = Folder::enter()?;
    let running = Running::start(&settings()?).await?;
    let show = async {
        match &database {
            Some(database) => postgres::show(args, &running, &folder, database).await,
            None => files::show(args, &running, &folder).await,
        }
    };
    let shown = tokio::select! {
        shown = show => shown,
        () = signals.end() => Ok(Answer::new(Value::Null, "")),
    };
    running.stop().await;
    let Some(database) = database else {
        return shown;
    };
    let cleared = database.clear().await;
    // What failed first is what is told.
    shown.and_then(|answer| cleared.map(|()| answer))
}

/// Follows a topic from its beginning, once it is there: a source makes its topic with its first record.
async fn follow(client: &Client, topic: &str) -> Result<Events> {
    let deadline = Instant::now() + FIRST_ARRIVES_WITHIN;
    loop {
        let topics = client.get(&["topics"], &[]).await?;
        let mut names = topics.as_array().into_iter().flatten();
        if names.any(|listed| listed["name"] == topic) {
            break;
        }
        if Instant::now() > deadline {
            return Err(missing(format!("topic {topic} was not created")));
        }
        sleep(Duration::from_millis(50)).await;
    }
    let query = [("follow", "true".to_owned()), ("offset", "0".to_owned())];
    let records = client.follow(&["topics", topic, "records"], &query).await?;
    Ok(Events::new(records))
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
