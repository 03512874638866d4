//! A shelf of plugins in plain Rust: `lines` emits numbered lines, `collect` keeps what it is put,
//! `same` changes nothing. What `lines` does beside that stands in its config.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use longshore_model::batch::{Batch, BatchWriter, Datum, NewRow};
use longshore_model::config::ConfigDef;
use longshore_model::{
    Fault, FaultClass, Manifest, Position, Role, SourcePosition, TopicName, TopicPartition,
};
use longshore_pipeline::delivery::Stored;
use longshore_pipeline::port::{
    Assignment, Clock, Config, Generation, Leftover, PluginId, PluginInfo, Plugins, Polled,
    Problem, RowFault, Severity, Signal, SinkPlugin, SourcePlugin, TaskEnv, TopicOffset,
    TransformPlugin,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

const LINES: &str = r#"[
    {"name": "topic", "type": "STRING", "required": true, "importance": "HIGH", "width": "NONE",
     "doc": "Where lines go.", "validator": {"kind": "topic"}},
    {"name": "count", "type": "INT", "default": "3", "importance": "LOW", "width": "NONE",
     "doc": "How many lines a task emits."},
    {"name": "tasks", "type": "INT", "default": "1", "importance": "LOW", "width": "NONE",
     "doc": "How many tasks there are."},
    {"name": "secret", "type": "PASSWORD", "importance": "LOW", "width": "NONE",
     "doc": "Never shown."},
    {"name": "behaviour", "type": "STRING", "default": "fine", "importance": "LOW", "width": "NONE",
     "doc": "fine, panics, fails, fails-once, fenced, stays."}
]"#;

const SAME: &str = r#"[
    {"name": "salt", "type": "PASSWORD", "importance": "LOW", "width": "NONE", "doc": "Never shown."}
]"#;

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Noon;

impl Clock for Noon {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000
    }
}

/// The shelf.
#[derive(Clone, Debug)]
pub(crate) struct FakePlugins {
    shelf: Arc<Vec<PluginInfo>>,
    /// What sinks were put, and a bell for each put.
    pub(crate) collected: watch::Sender<Vec<String>>,
    failed_once: Arc<Mutex<HashSet<String>>>,
    /// How the next cleanups end; well, where nothing is said.
    pub(crate) cleanups: Arc<Mutex<VecDeque<Fault>>>,
    /// The positions that each cleanup was given.
    pub(crate) cleaned: Arc<Mutex<Vec<Vec<SourcePosition>>>>,
}

impl FakePlugins {
    pub(crate) fn new() -> Self {
        let lines = plugin(
            "lines",
            Role::Source,
            &["com.example.LinesConnector"],
            LINES,
        );
        let collect = plugin("collect", Role::Sink, &[], "[]");
        let same = plugin("same", Role::Transform, &[], SAME);
        Self {
            shelf: Arc::new(vec![lines, collect, same]),
            collected: watch::Sender::new(Vec::new()),
            failed_once: Arc::default(),
            cleanups: Arc::default(),
            cleaned: Arc::default(),
        }
    }
}

fn plugin(name: &str, role: Role, aliases: &[&str], config: &str) -> PluginInfo {
    PluginInfo {
        id: PluginId {
            name: Arc::from(name),
            version: Arc::from("1.2.0"),
        },
        manifest: Arc::new(Manifest {
            name: name.to_owned(),
            version: "1.2.0".to_owned(),
            contract: "0.1".to_owned(),
            doc: String::new(),
            roles: vec![role],
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            capabilities: Vec::new(),
            config: ConfigDef::from_json(config.as_bytes()).unwrap(),
        }),
        path: None,
    }
}

fn value<'a>(config: &'a Config, key: &str) -> &'a str {
    let found = config.iter().find(|(name, _)| name == key);
    found.map_or("", |(_, value)| value.as_str())
}

impl Plugins for FakePlugins {
    type Source = Lines;
    type Sink = Collect;
    type Transform = Same;

    async fn list(&self) -> Vec<PluginInfo> {
        self.shelf.to_vec()
    }

    async fn find(&self, class: &str, version: Option<&str>) -> Option<PluginInfo> {
        let named = self
            .shelf
            .iter()
            .find(|plugin| plugin.manifest.answers_to(class));
        let right =
            |plugin: &&PluginInfo| version.is_none_or(|version| version == &*plugin.id.version);
        named.filter(right).cloned()
    }

    async fn validate(&self, _: &PluginId, config: &Config) -> Result<Vec<Problem>, Fault> {
        let problem = |key: &str, fault| Ok(vec![Problem::refusal(key, fault)]);
        let wrong = |message| Fault::new(FaultClass::Config, "wrong", message);
        if ["secret", "salt"]
            .map(|key| value(config, key))
            .contains(&"[hidden]")
        {
            return problem("secret", wrong("a mask is no password"));
        }
        match value(config, "topic") {
            "forbidden" => {
                let fault = wrong("topic forbidden is not liked");
                let fault = fault.with("table", "a.b").with("sql", "GRANT x");
                problem("topic", fault)
            }
            "odd" => {
                let odd = |key: &str, message| Problem {
                    severity: Severity::Warning,
                    ..Problem::refusal(key, wrong(message).with("sql", "ALTER x"))
                };
                Ok(vec![
                    odd("topic", "topic odd has no key"),
                    odd("topic", "topic odd has no key"),
                    odd("", "nothing of it is new"),
                ])
            }
            "nowhere" => problem("", wrong("it is wrong as a whole")),
            "unreachable" => {
                let fault = Fault::new(FaultClass::Retriable, "away", "nobody answers");
                Err(fault.with("key", "topic"))
            }
            "broken" => Err(Fault::new(FaultClass::Fatal, "trap", "it trapped")),
            _ => Ok(Vec::new()),
        }
    }

    async fn plan(
        &self,
        plugin: &PluginId,
        config: &Config,
        max_tasks: u32,
    ) -> Result<Vec<Config>, Fault> {
        let n = match &*plugin.name {
            "lines" => value(config, "tasks").parse().unwrap(),
            _ => max_tasks,
        };
        Ok((0..n).map(|_| config.clone()).collect())
    }

    async fn leftovers(
        &self,
        plugin: &PluginId,
        _: &Config,
        positions: &[SourcePosition],
    ) -> Result<Option<Vec<Leftover>>, Fault> {
        let slot = |position: &SourcePosition| Leftover {
            kind: "slot".to_owned(),
            name: position.partition.clone(),
            bytes: Some(7),
            command: "drop it".to_owned(),
        };
        let leaves = &*plugin.name == "lines";
        Ok(leaves.then(|| positions.iter().map(slot).collect()))
    }

    async fn cleanup(
        &self,
        _: &PluginId,
        _: &Config,
        positions: &[SourcePosition],
    ) -> Result<(), Fault> {
        self.cleaned.lock().unwrap().push(positions.to_vec());
        let next = self.cleanups.lock().unwrap().pop_front();
        next.map_or(Ok(()), Err)
    }

    async fn open_source(
        &self,
        _: &PluginId,
        env: TaskEnv,
        positions: Vec<SourcePosition>,
    ) -> Result<Lines, Fault> {
        let behaviour = value(&env.config, "behaviour").to_owned();
        let partition = format!(r#"{{"task":{}}}"#, env.task.task);
        let at = positions
            .iter()
            .find(|position| position.partition == partition);
        let first = self
            .failed_once
            .lock()
            .unwrap()
            .insert(env.task.to_string());
        env.progress
            .send_replace(Some(r#"{"lines":"all"}"#.to_owned()));
        env.metrics.count("opened", 1);
        Ok(Lines {
            next: at.map_or(0, |at| at.position.order.unwrap().0),
            count: value(&env.config, "count").parse().unwrap(),
            topic: value(&env.config, "topic").to_owned(),
            task: env.task.task,
            partition,
            behaviour: if behaviour == "fails-once" && !first {
                "fine".to_owned()
            } else {
                behaviour
            },
            bell: Bell::default(),
        })
    }

    async fn make_sink(&self, _: &PluginId, _: TaskEnv) -> Result<Collect, Fault> {
        Ok(Collect {
            collected: self.collected.clone(),
            flushed: Vec::new(),
        })
    }

    async fn open_transform(&self, _: &PluginId, _: TaskEnv, _: &Config) -> Result<Same, Fault> {
        Ok(Same)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Bell {
    wake: Arc<Notify>,
    stop: CancellationToken,
}

impl Signal for Bell {
    fn wake(&self) {
        self.wake.notify_one();
    }

    fn stop(&self) {
        self.stop.cancel();
    }
}

/// Emits what is left of its lines at once, then waits.
#[derive(Debug)]
pub(crate) struct Lines {
    next: u128,
    count: u128,
    topic: String,
    task: u32,
    partition: String,
    behaviour: String,
    bell: Bell,
}

impl Lines {
    fn batch(&mut self) -> Vec<u8> {
        let mut writer = BatchWriter::default();
        let source = writer.source(&self.partition).unwrap();
        let topic = writer.topic(&self.topic).unwrap();
        while self.next < self.count {
            let line = format!("line {} of {}", self.next, self.task);
            let row = NewRow {
                topic: Some(topic),
                source: Some(source),
                value: Datum::Text(&line),
                ..NewRow::default()
            };
            writer.push(&row).unwrap();
            self.next += 1;
        }
        let offset = format!(r#"{{"position":{}}}"#, self.next);
        writer.position(source, Position::at(offset, self.next));
        writer.finish().unwrap()
    }
}

impl SourcePlugin for Lines {
    type Signal = Bell;

    fn signal(&self) -> Bell {
        self.bell.clone()
    }

    async fn poll(&mut self, _: u32, _: u32) -> Result<Polled, Fault> {
        let fatal = |code| Err(Fault::new(FaultClass::Fatal, code, "as configured"));
        match self.behaviour.as_str() {
            "panics" => panic!("as configured"),
            "fails" | "fails-once" => return fatal("trap"),
            "fenced" => return fatal("fenced"),
            "stays" => std::future::pending().await,
            _ => {}
        }
        let mut batch = Vec::new();
        if self.next < self.count {
            batch = self.batch();
        } else {
            tokio::select! {
                () = self.bell.wake.notified() => {}
                () = self.bell.stop.cancelled() => {}
            }
        }
        Ok(Polled {
            batch: Batch::parse(Bytes::from(batch)).unwrap(),
            watermarks: Vec::new(),
            store_now: false,
        })
    }

    async fn commit(&mut self, _: Stored) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Keeps what it is put.
#[derive(Debug)]
pub(crate) struct Collect {
    collected: watch::Sender<Vec<String>>,
    flushed: Vec<TopicOffset>,
}

impl SinkPlugin for Collect {
    type Signal = Bell;

    fn signal(&self) -> Bell {
        Bell::default()
    }

    async fn open(&mut self, _: &[Assignment]) -> Result<Vec<TopicOffset>, Fault> {
        Ok(Vec::new())
    }

    async fn partitions_changed(
        &mut self,
        _: &[Assignment],
        _: &[TopicOffset],
        _: &[TopicOffset],
        _: Generation,
    ) -> Result<Vec<TopicOffset>, Fault> {
        Ok(Vec::new())
    }

    async fn put(&mut self, _: Generation, batch: Bytes) -> Result<Vec<RowFault>, Fault> {
        let batch = Batch::parse(batch).unwrap();
        for row in batch.rows() {
            let partition = TopicPartition {
                topic: TopicName::parse(row.topic().unwrap()).unwrap(),
                partition: row.partition().unwrap(),
            };
            self.flushed.retain(|known| known.partition != partition);
            self.flushed.push(TopicOffset {
                partition,
                offset: row.offset().unwrap() + 1,
            });
        }
        let values = batch
            .rows()
            .map(|row| String::from_utf8_lossy(row.value().bytes()).into_owned());
        self.collected
            .send_modify(|collected| collected.extend(values));
        Ok(Vec::new())
    }

    async fn flush(&mut self) -> Result<Vec<TopicOffset>, Fault> {
        Ok(std::mem::take(&mut self.flushed))
    }

    async fn close(self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Changes nothing.
#[derive(Debug)]
pub(crate) struct Same;

impl TransformPlugin for Same {
    async fn apply(&mut self, batch: Bytes) -> Result<Bytes, Fault> {
        Ok(batch)
    }
}
