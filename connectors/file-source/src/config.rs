//! The connector's keys.

use longshore_sdk::{Config, Fault, FaultClass};

/// What is read, and how.
#[derive(Config)]
pub struct FileSourceConfig {
    /// Path of the file, or a glob for several; only the last part of the path may hold wildcards.
    #[config(importance = "high", width = "long", not_empty)]
    pub(crate) file: String,
    /// The topic that lines go to.
    #[config(importance = "high", width = "medium", topic)]
    pub(crate) topic: String,
    /// The most records that one read of the file turns into a batch.
    #[config(
        name = "batch.size",
        default = "2000",
        importance = "low",
        range(min = 1)
    )]
    pub(crate) batch_size: u32,
    /// Glob for the names that rotation gives to a file, in the file's directory; without it, the
    /// file's name and `.*`. Files of these names are read before the file itself, oldest first;
    /// compressed ones are left out. Empty: only the file itself is read.
    #[config(name = "file.rotated", importance = "medium", width = "long")]
    rotated: Option<String>,
    /// A line over this many bytes is a bad record: it is skipped, and its dead letter names file,
    /// offset and length.
    #[config(
        name = "max.line.bytes",
        default = "1048576",
        importance = "low",
        range(min = 1, max = 4194304)
    )]
    pub(crate) max_line_bytes: u32,
}

impl FileSourceConfig {
    /// Whether `file` is a glob; if not, rotated files belong to it whatever they are called.
    pub(crate) fn is_glob(&self) -> bool {
        self.file.contains(['*', '?', '[', ']', '{', '}', '\\'])
    }

    /// The glob for rotated files as a path.
    pub(crate) fn rotated_pattern(&self) -> Result<Option<String>, Fault> {
        let Some(rotated) = self.rotated.as_deref() else {
            return Ok(Some(format!("{}.*", self.file)));
        };
        if rotated.is_empty() {
            return Ok(None);
        }
        if rotated.contains('/') {
            let message = format!(
                "Invalid value {rotated} for configuration file.rotated: rotated files stand in the \
                 directory of file, so this is a name without '/'"
            );
            let fault = Fault::new(FaultClass::Config, "invalid-config", message);
            return Err(fault.with("key", "file.rotated"));
        }
        let directory = self.file.rfind('/').map_or("", |at| &self.file[..=at]);
        Ok(Some(format!("{directory}{rotated}")))
    }
}
