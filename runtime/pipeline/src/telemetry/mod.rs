//! Names of metrics and of log fields, and what a task counts. Names are constants here and
//! nowhere else.

pub mod field;
mod plugin;
mod task;

pub use plugin::PluginMetrics;
pub use task::{Metrics, TaskLabels, TaskMetrics};
