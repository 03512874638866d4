//! Names of log fields.

/// The connector.
pub const CONNECTOR: &str = "connector";
/// The task's number.
pub const TASK: &str = "task";
/// The topic.
pub const TOPIC: &str = "topic";
/// The partition.
pub const PARTITION: &str = "partition";
/// The stage of a record's way.
pub const STAGE: &str = "stage";
/// A number of records.
pub const N_RECORDS: &str = "n_records";
/// An error with its chain.
pub const ERROR: &str = "error";
/// A fault's stable code.
pub const CODE: &str = "code";
