//! Names of metrics and of log fields, and what a task counts. Names are constants here and
//! nowhere else.

mod plugin;

pub use plugin::PluginMetrics;
