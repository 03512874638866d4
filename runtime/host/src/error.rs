//! What is wrong with a plugin before it runs, by what an operator can do about it.

use std::io;
use std::path::PathBuf;

use longshore_model::{Fault, FaultClass, InvalidManifest, Role};

/// Why a plugin cannot be used, or the host cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not a WebAssembly component.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// There is no manifest in it.
    #[error("no manifest: the custom section longshore:plugin is missing")]
    NoManifest,
    /// There are several manifests in it.
    #[error("more than one manifest: {0} sections are named longshore:plugin")]
    SeveralManifests(usize),
    /// The manifest is not one.
    #[error(transparent)]
    Manifest(#[from] InvalidManifest),
    /// It was built for a contract that this host does not speak.
    #[error("built for version {contract} of the plugin contract, and this worker speaks 0.1")]
    Contract {
        /// The version it was built for.
        contract: String,
    },
    /// The manifest promises a role whose interface is not exported.
    #[error("the manifest says {} but nothing exports {export}", role.name())]
    MissingExport {
        /// The role.
        role: Role,
        /// What a plugin of that role exports.
        export: &'static str,
    },
    /// It imports what its manifest does not ask for, or what nobody is given.
    #[error("it imports {import}, which {reason}")]
    ImportNotGranted {
        /// The interface.
        import: String,
        /// Why it is not given.
        reason: &'static str,
    },
    /// The file is too large to be a plugin.
    #[error("file of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The file changed after it was put on the shelf.
    #[error("the file changed while it was being loaded; try again")]
    Changed,
    /// The plugin does not compile, or does not fit the contract's types.
    #[error("cannot load: {0}")]
    Load(String),
    /// Nothing on the shelf has the name.
    #[error("no plugin {name} of version {version} is on the shelf")]
    Unknown {
        /// The plugin's name.
        name: String,
        /// The version asked for.
        version: String,
    },
    /// It has another role.
    #[error("{name} is not a {}", role.name())]
    NotARole {
        /// The plugin's name.
        name: String,
        /// The role it was asked to play.
        role: Role,
    },
    /// The operating system refused or failed.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The WebAssembly engine or its runtime did not start.
    #[error("cannot start the plugin engine: {0}")]
    Engine(String),
}

impl Error {
    /// What the caller can do about it.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::ImportNotGranted { .. } => FaultClass::Denied,
            Self::Unknown { .. } | Self::NotARole { .. } => FaultClass::Config,
            Self::Changed | Self::Io { .. } => FaultClass::Retriable,
            _ => FaultClass::Fatal,
        }
    }

    /// Stable, machine-readable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAComponent(_) => "plugin-not-a-component",
            Self::NoManifest | Self::SeveralManifests(_) | Self::Manifest(_) => "plugin-manifest",
            Self::Contract { .. } => "plugin-contract-version",
            Self::MissingExport { .. } => "plugin-missing-export",
            Self::ImportNotGranted { .. } => "plugin-import-not-granted",
            Self::TooLarge { .. } => "plugin-too-large",
            Self::Changed => "plugin-changed",
            Self::Load(_) => "plugin-load",
            Self::Unknown { .. } => "plugin-unknown",
            Self::NotARole { .. } => "plugin-role",
            Self::Io { .. } => "plugin-io",
            Self::Engine(_) => "plugin-engine",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(error.class(), error.code(), error.to_string())
    }
}
