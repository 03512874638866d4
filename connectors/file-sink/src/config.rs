//! The connector's keys.

use longshore_sdk::Config;

/// Where records go.
#[derive(Config)]
pub struct FileSinkConfig {
    /// Path of the file. It is made where it is missing; what stands in it already is kept.
    #[config(importance = "high", width = "long", not_empty)]
    pub(crate) file: String,
}
