//! `/metrics`: the counters of the registry, and the states of what is deployed, under Kafka
//! Connect's names, snake-cased. What is gone has no series.

use std::fmt;

use longshore_pipeline::port::{Broker, Plugins};
use longshore_worker::{ConnectorStatus, WorkerHandle};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Everything as text.
pub(crate) fn encode<B: Broker, P: Plugins>(
    registry: &Registry,
    worker: &WorkerHandle<B, P>,
) -> String {
    let names = worker.connectors();
    let statuses = names.iter().filter_map(|name| worker.status(name).ok());
    let guests = worker.plugin_metrics().into_iter().map(|(id, metrics)| {
        let task = Task {
            connector: id.connector.to_string(),
            task: id.task,
        };
        let (counters, gauges) = metrics.snapshot();
        Guest {
            task,
            counters: counters.into_iter().collect(),
            gauges: gauges.into_iter().collect(),
        }
    });
    let mut states = Registry::default();
    states.register_collector(Box::new(Deployed {
        statuses: statuses.collect(),
        guests: guests.collect(),
    }));
    let mut text = String::new();
    encode_registry(&mut text, registry)
        .and_then(|()| encode_registry(&mut text, &states))
        .and_then(|()| encode_eof(&mut text))
        .expect("a String takes all text");
    text
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Task {
    connector: String,
    task: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectorState {
    connector: String,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TaskState {
    connector: String,
    task: u32,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GuestLabels {
    connector: String,
    task: u32,
    name: String,
}

#[derive(Debug)]
struct Guest {
    task: Task,
    counters: Vec<(String, u64)>,
    gauges: Vec<(String, f64)>,
}

impl Guest {
    fn labels(&self, name: &str) -> GuestLabels {
        GuestLabels {
            connector: self.task.connector.clone(),
            task: self.task.task,
            name: name.to_owned(),
        }
    }
}

/// What is deployed, at one moment.
#[derive(Debug)]
struct Deployed {
    statuses: Vec<ConnectorStatus>,
    guests: Vec<Guest>,
}

impl Collector for Deployed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.counts(&mut encoder)?;
        self.states(&mut encoder)?;
        self.guests(&mut encoder)
    }
}

impl Deployed {
    fn counts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let n_tasks: usize = self.statuses.iter().map(|status| status.tasks.len()).sum();
        for (name, help, n) in [
            (
                "kafka_connect_connect_worker_connector_count",
                "Connectors that run on this worker",
                self.statuses.len(),
            ),
            (
                "kafka_connect_connect_worker_task_count",
                "Tasks that run on this worker",
                n_tasks,
            ),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            gauge(n).encode(metric)?;
        }
        Ok(())
    }

    fn states(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut connectors = encoder.encode_descriptor(
            "kafka_connect_connector_status",
            "1 for the state that the connector is in",
            None,
            MetricType::Gauge,
        )?;
        for status in &self.statuses {
            let labels = ConnectorState {
                connector: status.name.to_string(),
                status: status.connector.state.name().to_lowercase(),
            };
            gauge(1).encode(connectors.encode_family(&labels)?)?;
        }
        let mut tasks = encoder.encode_descriptor(
            "kafka_connect_connector_task_status",
            "1 for the state that the task is in",
            None,
            MetricType::Gauge,
        )?;
        for task in self.statuses.iter().flat_map(|status| &status.tasks) {
            let labels = TaskState {
                connector: task.id.connector.to_string(),
                task: task.id.task,
                status: task.status.state.name().to_lowercase(),
            };
            gauge(1).encode(tasks.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn guests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut counters = encoder.encode_descriptor(
            "longshore_plugin_counter",
            "What the plugin counts, by its own names",
            None,
            MetricType::Counter,
        )?;
        for guest in &self.guests {
            for (name, n) in &guest.counters {
                let labels = guest.labels(name);
                ConstCounter::new(*n).encode(counters.encode_family(&labels)?)?;
            }
        }
        let mut gauges = encoder.encode_descriptor(
            "longshore_plugin_gauge",
            "What the plugin measures, by its own names",
            None,
            MetricType::Gauge,
        )?;
        for guest in &self.guests {
            for (name, value) in &guest.gauges {
                let labels = guest.labels(name);
                ConstGauge::new(*value).encode(gauges.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

fn gauge(n: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(n).unwrap_or(i64::MAX))
}
