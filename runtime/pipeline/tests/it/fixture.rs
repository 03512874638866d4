//! Scripted plugins and what they noted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use longshore_model::batch::{Batch, BatchWriter, Datum, NewRow};
use longshore_model::{
    ConnectorName, Fault, FaultClass, Order, Position, TaskId, TopicName, TopicPartition, Watermark,
};
use longshore_pipeline::delivery::{OFFSETS_TOPIC, Stored, TaskLog};
use longshore_pipeline::flow::{Control, Target};
use longshore_pipeline::memory::MemoryBroker;
use longshore_pipeline::port::{
    Append, Assignment, Clock, Generation, NewTopic, Owner, Polled, RowFault, Signal, SinkPlugin,
    SourcePlugin, TopicOffset, Topics, TransformPlugin,
};
use longshore_pipeline::settings::{FlowSettings, Settings};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub(crate) const PARTITION: &str = r#"{"file":"a"}"#;

#[derive(Debug)]
pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        1_000
    }
}

pub(crate) fn task() -> TaskId {
    TaskId {
        connector: ConnectorName::parse("c").unwrap(),
        task: 0,
    }
}

pub(crate) async fn log(broker: &MemoryBroker) -> TaskLog<MemoryBroker> {
    create(broker, OFFSETS_TOPIC, 1).await;
    let generation = broker.raise(&[Owner::task(&task())]).await.unwrap();
    TaskLog::new(broker.clone(), task(), generation)
}

pub(crate) async fn create(broker: &MemoryBroker, name: &str, partitions: u32) {
    let topic = NewTopic {
        name: TopicName::parse(name).unwrap(),
        partitions: Some(partitions),
        configs: std::collections::BTreeMap::new(),
    };
    // A second start finds the topic.
    broker.create_topic(topic).await.ok();
}

pub(crate) fn settings(pairs: &[(&str, &str)]) -> Settings {
    let strings = [
        (
            "key.converter",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
        (
            "value.converter",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
    ];
    let pairs = strings.iter().chain(pairs);
    pairs
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

pub(crate) fn source_settings(pairs: &[(&str, &str)]) -> FlowSettings {
    FlowSettings::for_source(&settings(pairs), &Settings::new()).unwrap()
}

pub(crate) fn sink_settings(pairs: &[(&str, &str)]) -> FlowSettings {
    FlowSettings::for_sink(&settings(pairs), &Settings::new()).unwrap()
}

pub(crate) fn control() -> (watch::Sender<Target>, CancellationToken, Control) {
    let (sender, target) = watch::channel(Target::Running);
    let stop = CancellationToken::new();
    let control = Control {
        target,
        stop: stop.clone(),
    };
    (sender, stop, control)
}

/// A batch of text records that takes the source to `order`, with a watermark of the same number.
pub(crate) fn batch(values: &[&str], order: u64) -> Polled {
    let mut writer = BatchWriter::default();
    let topic = Some(writer.topic("t").unwrap());
    let source = writer.source(PARTITION).unwrap();
    for value in values {
        let fault = value.strip_prefix("bad:").map(|why| {
            let fault = Fault::new(FaultClass::BadRecord, "bad", why).with("why", why);
            writer.fault(fault).unwrap()
        });
        let row = NewRow {
            topic,
            source: Some(source),
            value: Datum::Text(value),
            fault,
            ..NewRow::default()
        };
        writer.push(&row).unwrap();
    }
    let position = Position {
        offset: format!(r#"{{"position":{order}}}"#),
        order: Some(Order(u128::from(order))),
    };
    writer.position(source, position);
    Polled {
        batch: Batch::parse(Bytes::from(writer.finish().unwrap())).unwrap(),
        watermarks: vec![Watermark {
            stream: 1,
            value: order,
        }],
        store_now: false,
    }
}

/// What a poll returns that has nothing.
pub(crate) fn nothing() -> Polled {
    Polled {
        batch: Batch::parse(Bytes::new()).unwrap(),
        watermarks: Vec::new(),
        store_now: false,
    }
}

/// What a scripted plugin was told.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Bytes that each poll asked for.
    pub(crate) asked: Vec<u32>,
    /// Polls that have returned.
    pub(crate) returned: usize,
    pub(crate) confirmed: Vec<u64>,
    pub(crate) put: Vec<String>,
    pub(crate) flushes: usize,
    pub(crate) closed: bool,
    pub(crate) opened_with: Vec<Option<i64>>,
}

pub(crate) type Notes = Arc<Mutex<Noted>>;

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

/// Returns its script's polls, then waits to be woken.
#[derive(Debug, Default)]
pub(crate) struct ScriptedSource {
    pub(crate) script: VecDeque<Result<Polled, Fault>>,
    pub(crate) notes: Notes,
    pub(crate) bell: Bell,
    /// Rung at each confirmation.
    pub(crate) confirmed: Arc<Notify>,
}

impl SourcePlugin for ScriptedSource {
    type Signal = Bell;

    fn signal(&self) -> Bell {
        self.bell.clone()
    }

    async fn poll(&mut self, _: u32, bytes_max: u32) -> Result<Polled, Fault> {
        self.notes.lock().unwrap().asked.push(bytes_max);
        let polled = match self.script.pop_front() {
            Some(next) => next,
            None => {
                tokio::select! {
                    () = self.bell.wake.notified() => {}
                    () = self.bell.stop.cancelled() => {}
                }
                Ok(nothing())
            }
        };
        self.notes.lock().unwrap().returned += 1;
        polled
    }

    async fn commit(&mut self, stored: Stored) -> Result<(), Fault> {
        let values = stored.watermarks().iter().map(|w| w.value);
        self.notes.lock().unwrap().confirmed.extend(values);
        self.confirmed.notify_one();
        Ok(())
    }

    async fn close(self) -> Result<(), Fault> {
        self.notes.lock().unwrap().closed = true;
        Ok(())
    }
}

/// Keeps what was put; refuses values that start with `refuse`.
#[derive(Debug, Default)]
pub(crate) struct ScriptedSink {
    pub(crate) notes: Notes,
    pub(crate) starts: Vec<TopicOffset>,
    pub(crate) unflushed: Vec<TopicOffset>,
    pub(crate) put: Arc<Notify>,
    pub(crate) retriable_puts: usize,
    /// Whether it never says that anything is safe but its first record's offset.
    pub(crate) holds_back: bool,
}

impl SinkPlugin for ScriptedSink {
    type Signal = Bell;

    fn signal(&self) -> Bell {
        Bell::default()
    }

    async fn open(&mut self, assigned: &[Assignment]) -> Result<Vec<TopicOffset>, Fault> {
        let committed = assigned.iter().map(|a| a.committed);
        self.notes.lock().unwrap().opened_with.extend(committed);
        Ok(self.starts.clone())
    }

    async fn partitions_changed(
        &mut self,
        assigned: &[Assignment],
        _: &[TopicOffset],
        _: &[TopicOffset],
        _: Generation,
    ) -> Result<Vec<TopicOffset>, Fault> {
        self.open(assigned).await
    }

    async fn put(&mut self, _: Generation, batch: Bytes) -> Result<Vec<RowFault>, Fault> {
        if self.retriable_puts > 0 {
            self.retriable_puts -= 1;
            return Err(Fault::new(FaultClass::Retriable, "busy", "try again"));
        }
        let batch = Batch::parse(batch).unwrap();
        let mut faults = Vec::new();
        for (row, record) in (0u32..).zip(batch.rows()) {
            let value = String::from_utf8(record.value().bytes().to_vec()).unwrap();
            if value.to_lowercase().trim_matches('"').starts_with("refuse") {
                let fault = Fault::new(FaultClass::BadRecord, "refused", "not this one");
                faults.push(RowFault { row, fault });
            }
            let partition = TopicPartition {
                topic: TopicName::parse(record.topic().unwrap()).unwrap(),
                partition: record.partition().unwrap(),
            };
            self.unflushed.retain(|known| known.partition != partition);
            self.unflushed.push(TopicOffset {
                partition,
                offset: record.offset().unwrap() + 1,
            });
            self.notes.lock().unwrap().put.push(value);
        }
        self.put.notify_one();
        Ok(faults)
    }

    async fn flush(&mut self) -> Result<Vec<TopicOffset>, Fault> {
        self.notes.lock().unwrap().flushes += 1;
        let mut safe = std::mem::take(&mut self.unflushed);
        if self.holds_back {
            safe.iter_mut().for_each(|safe| safe.offset = 0);
        }
        Ok(safe)
    }

    async fn close(self) -> Result<(), Fault> {
        self.notes.lock().unwrap().closed = true;
        Ok(())
    }
}

/// Upper-cases values, drops those that are `drop`, faults those that are `fault`, and forgets where those stood that
/// are `forget`.
#[derive(Debug)]
pub(crate) struct Upper;

impl TransformPlugin for Upper {
    async fn apply(&mut self, batch: Bytes) -> Result<Bytes, Fault> {
        let batch = Batch::parse(batch).unwrap();
        let mut writer = BatchWriter::default();
        for row in batch.rows() {
            let value = String::from_utf8(row.value().bytes().to_vec()).unwrap();
            let text = value.trim_matches('"');
            if text == "drop" {
                continue;
            }
            let fault = (text == "fault").then(|| {
                let fault = Fault::new(FaultClass::BadRecord, "cannot", "cannot transform");
                writer.fault(fault).unwrap()
            });
            let upper = value.to_uppercase();
            let row = NewRow {
                topic: Some(writer.topic(row.topic().unwrap()).unwrap()),
                partition: row.partition().filter(|_| text != "forget"),
                offset: row.offset().filter(|_| text != "forget"),
                origin: row.origin(),
                value: Datum::Text(&upper),
                fault,
                ..NewRow::default()
            };
            writer.push(&row).unwrap();
        }
        Ok(Bytes::from(writer.finish().unwrap()))
    }
}
