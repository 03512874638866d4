//! What a task counts, under Kafka Connect's names, snake-cased. A task's series go with it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use longshore_model::TaskId;

/// Which task a series belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TaskLabels {
    /// The connector.
    pub connector: String,
    /// The task's number.
    pub task: u32,
}

impl From<&TaskId> for TaskLabels {
    fn from(id: &TaskId) -> Self {
        Self {
            connector: id.connector.to_string(),
            task: id.task,
        }
    }
}

type TaskCounters = Family<TaskLabels, Counter>;

/// The counters of all tasks.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    polled: TaskCounters,
    written: TaskCounters,
    read: TaskCounters,
    sent: TaskCounters,
    failures: TaskCounters,
    skipped: TaskCounters,
    dead_letters: TaskCounters,
    retries: TaskCounters,
}

impl Metrics {
    /// Registers all counters.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, help, counters) in metrics.all() {
            registry.register(name, help, counters.clone());
        }
        metrics
    }

    /// The counters of one task of a source. Those of sinks have no series for it.
    #[must_use]
    pub fn source_task(&self, id: &TaskId) -> TaskMetrics {
        let labels = TaskLabels::from(id);
        TaskMetrics {
            polled: self.polled.get_or_create_owned(&labels),
            written: self.written.get_or_create_owned(&labels),
            ..self.any_task(&labels)
        }
    }

    /// The counters of one task of a sink. Those of sources have no series for it.
    #[must_use]
    pub fn sink_task(&self, id: &TaskId) -> TaskMetrics {
        let labels = TaskLabels::from(id);
        TaskMetrics {
            read: self.read.get_or_create_owned(&labels),
            sent: self.sent.get_or_create_owned(&labels),
            ..self.any_task(&labels)
        }
    }

    fn any_task(&self, labels: &TaskLabels) -> TaskMetrics {
        let of = |counters: &TaskCounters| counters.get_or_create_owned(labels);
        TaskMetrics {
            failures: of(&self.failures),
            skipped: of(&self.skipped),
            dead_letters: of(&self.dead_letters),
            retries: of(&self.retries),
            ..TaskMetrics::default()
        }
    }

    /// Removes the series of a task that is gone.
    pub fn remove(&self, id: &TaskId) {
        let labels = TaskLabels::from(id);
        for (_, _, counters) in self.all() {
            counters.remove(&labels);
        }
    }

    fn all(&self) -> [(&'static str, &'static str, &TaskCounters); 8] {
        [
            (
                "kafka_connect_source_task_source_record_poll",
                "Records that the source's poll returned",
                &self.polled,
            ),
            (
                "kafka_connect_source_task_source_record_write",
                "Records that are durable in topics",
                &self.written,
            ),
            (
                "kafka_connect_sink_task_sink_record_read",
                "Records read from topics",
                &self.read,
            ),
            (
                "kafka_connect_sink_task_sink_record_send",
                "Records handed to the sink's put",
                &self.sent,
            ),
            (
                "kafka_connect_task_error_total_record_failures",
                "Records that failed on their own account",
                &self.failures,
            ),
            (
                "kafka_connect_task_error_total_records_skipped",
                "Records set aside by errors.tolerance",
                &self.skipped,
            ),
            (
                "kafka_connect_task_error_deadletterqueue_produce_requests",
                "Records written to the dead-letter topic",
                &self.dead_letters,
            ),
            (
                "kafka_connect_task_error_total_retries",
                "Calls tried again",
                &self.retries,
            ),
        ]
    }
}

/// The counters of one task.
#[derive(Clone, Debug, Default)]
pub struct TaskMetrics {
    pub(crate) polled: Counter,
    pub(crate) written: Counter,
    pub(crate) read: Counter,
    pub(crate) sent: Counter,
    pub(crate) failures: Counter,
    pub(crate) skipped: Counter,
    pub(crate) dead_letters: Counter,
    pub(crate) retries: Counter,
}
