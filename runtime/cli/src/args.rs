//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Kafka Connect without the JVM: connectors as WebAssembly, topics, and the REST API, in one program.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a worker until SIGTERM
    Worker(WorkerArgs),
    /// Show records going from a file, or from PostgreSQL, to topics and on to another file
    Demo(DemoArgs),
    /// Ask a worker whether it is well
    Health(ClientArgs),
    /// List, create and steer connectors
    Connector {
        #[command(subcommand)]
        command: ConnectorCommand,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List, create, read and write topics
    Topic {
        #[command(subcommand)]
        command: TopicCommand,
        #[command(flatten)]
        client: ClientArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// A .properties or .toml file; Kafka Connect's own files work
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One setting; beats the file and the environment
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print events as JSON: the first is "ready", with the addresses
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Capture tables that are made in this database, and removed at the end: postgres://user:password@host:port/database
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// End after the first records have arrived; fails if one is missing
    #[arg(long)]
    pub(crate) once: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which worker, and how to answer.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClientArgs {
    /// The worker's REST address
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "LONGSHORE_REST",
        default_value = "http://127.0.0.1:8083"
    )]
    pub(crate) rest: String,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// All connectors with their states
    List,
    /// Create a connector, or replace its config: takes what POST /connectors takes
    Create(FileArgs),
    /// The states of a connector and its tasks
    Status(NameArgs),
    /// Check a config without creating anything
    Check(FileArgs),
    /// Let a connector's tasks rest
    Pause(NameArgs),
    /// Let them go on
    Resume(NameArgs),
    /// Restart a connector and its tasks
    Restart(NameArgs),
    /// Delete a connector and say what it leaves behind; its offsets stay
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    pub(crate) name: String,
    /// Remove what it would leave behind, such as a replication slot, and its offsets before it is deleted
    #[arg(long)]
    pub(crate) drop_slot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// A JSON file with "name" and "config"; - is stdin
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TopicCommand {
    /// All topics
    List,
    /// Create a topic
    Create {
        name: String,
        /// Number of partitions; the worker's num.partitions without it
        #[arg(long)]
        partitions: Option<u32>,
        /// A setting such as retention.ms=3600000
        #[arg(long, value_name = "KEY=VALUE")]
        config: Vec<String>,
    },
    /// Delete a topic and its records
    Delete(NameArgs),
    /// Print records
    Read {
        name: String,
        /// Only this partition
        #[arg(long)]
        partition: Option<u32>,
        /// The first offset: earliest (also without it), latest, a number, or -N for the last N
        #[arg(long, allow_hyphen_values = true)]
        offset: Option<String>,
        /// End after so many records
        #[arg(long)]
        limit: Option<u64>,
        /// Wait for more at the end
        #[arg(long)]
        follow: bool,
    },
    /// Write one record for each value, or for each line of stdin
    Write {
        name: String,
        values: Vec<String>,
        /// The key of every record
        #[arg(long)]
        key: Option<String>,
        /// Write to this partition
        #[arg(long)]
        partition: Option<u32>,
    },
}
