//! What the host must know of a plugin before it runs it.
//!
//! The manifest is JSON in the custom section [`MANIFEST_SECTION`]. The SDK derives it from the
//! connector's code; nobody writes it by hand.

mod json;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

pub use json::InvalidManifest;

use crate::config::ConfigDef;

/// Name of the custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "longshore:plugin";

/// What a plugin can be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads an outside system into topics.
    Source,
    /// Writes topics to an outside system.
    Sink,
    /// Changes records on their way.
    Transform,
}

impl Role {
    /// The role's name in the manifest and in `GET /connector-plugins`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Transform => "transform",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Source, Self::Sink, Self::Transform]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

/// A capability that a plugin wants, and the config keys that say for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Read the regular files of the directories that these keys name (paths or globs).
    ReadFiles {
        /// Config keys that hold a path or a glob.
        keys: Vec<String>,
    },
    /// Write the files that these keys name, and the sidecars beside them.
    WriteFiles {
        /// Config keys that hold a path.
        keys: Vec<String>,
    },
    /// Connect to the PostgreSQL server that the config names.
    Postgres {
        /// Prefixes of config keys: under `database` stand `database.hostname`, `database.port`,
        /// `database.user`, `database.password`, `database.dbname` and `database.sslmode` to
        /// `database.sslrootcert`, as Debezium calls them.
        keys: Vec<String>,
    },
}

/// A plugin's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The plugin's name, which is its `connector.class`: `file-source`.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// Version of the plugin contract it was built for: `0.1`.
    pub contract: String,
    /// One sentence for a person.
    pub doc: String,
    /// What it can be used as; at least one.
    pub roles: Vec<Role>,
    /// Other names it answers to, Java class names among them.
    pub aliases: Vec<String>,
    /// What it wants.
    pub capabilities: Vec<Capability>,
    /// What it can be configured with.
    pub config: ConfigDef,
}

impl Manifest {
    /// Whether the plugin is the one meant by a `connector.class` or a transform's `type`.
    #[must_use]
    pub fn answers_to(&self, class: &str) -> bool {
        self.name == class || self.aliases.iter().any(|alias| alias == class)
    }
}
