//! The keys that work, typed.

use longshore_sdk::{Config, Secret};

/// What works.
#[derive(Config)]
#[expect(dead_code, reason = "the host reads how to connect")]
pub(crate) struct Keys {
    /// Host name or address of the server.
    #[config(
        name = "database.hostname",
        importance = "high",
        group = "Postgres",
        display = "Hostname",
        not_empty
    )]
    pub(crate) hostname: String,
    /// Port of the server.
    #[config(
        name = "database.port",
        default = "5432",
        importance = "high",
        group = "Postgres",
        display = "Port",
        range(min = 1, max = 65535)
    )]
    pub(crate) port: u32,
    /// Who connects: a role with LOGIN and REPLICATION that may SELECT from the captured tables.
    #[config(
        name = "database.user",
        importance = "high",
        group = "Postgres",
        display = "User",
        not_empty
    )]
    pub(crate) user: String,
    /// The user's password.
    #[config(
        name = "database.password",
        importance = "high",
        group = "Postgres",
        display = "Password"
    )]
    pub(crate) password: Option<Secret>,
    /// The database that is captured.
    #[config(
        name = "database.dbname",
        importance = "high",
        group = "Postgres",
        display = "Database",
        not_empty
    )]
    pub(crate) database: String,
    /// How the connection is encrypted, as libpq has it.
    #[config(
        name = "database.sslmode",
        default = "prefer",
        group = "Postgres",
        display = "SSL mode",
        one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
    )]
    pub(crate) ssl_mode: String,
    /// File with the certificates (PEM) that the server's must descend from, or `system`.
    #[config(
        name = "database.sslrootcert",
        group = "Postgres",
        display = "SSL root certificate",
        width = "long"
    )]
    pub(crate) ssl_root_certificate: Option<String>,
    /// File with the client's certificate (PEM).
    #[config(
        name = "database.sslcert",
        group = "Postgres",
        display = "SSL client certificate",
        width = "long"
    )]
    pub(crate) ssl_certificate: Option<String>,
    /// File with the client's private key (PEM, not encrypted).
    #[config(
        name = "database.sslkey",
        group = "Postgres",
        display = "SSL client key",
        width = "long"
    )]
    pub(crate) ssl_key: Option<String>,
    /// Whether the kernel probes connections that are silent.
    #[config(
        name = "database.tcpKeepAlive",
        default = "true",
        group = "Postgres",
        display = "TCP keep-alive"
    )]
    pub(crate) tcp_keepalive: bool,
    /// Longest that a query of the catalog may take, in milliseconds; snapshots are not limited. 0: as long as it takes.
    #[config(
        name = "database.query.timeout.ms",
        default = "600000",
        importance = "low",
        group = "Postgres",
        range(min = 0, max = 2147483647)
    )]
    pub(crate) query_timeout_ms: u32,
    /// Begins the names of all topics and schemas; names this capture. Never change it: another prefix is another capture.
    #[config(
        name = "topic.prefix",
        importance = "high",
        group = "Capture",
        display = "Topic prefix",
        not_empty
    )]
    pub(crate) topic_prefix: String,
    /// The logical replication slot; made by the connector, and left behind when the connector is deleted.
    #[config(
        name = "slot.name",
        default = "debezium",
        group = "Replication",
        display = "Slot"
    )]
    pub(crate) slot: String,
    /// How long making the slot may wait for transactions that are running, in milliseconds, before it is tried again.
    #[config(
        name = "slot.creation.timeout.ms",
        default = "90000",
        importance = "low",
        group = "Replication",
        range(min = 100, max = 86400000)
    )]
    pub(crate) slot_creation_timeout_ms: u64,
    /// The server's output plugin. `decoderbufs` means `pgoutput` here.
    #[config(
        name = "plugin.name",
        group = "Replication",
        display = "Plugin",
        one_of("pgoutput", "decoderbufs")
    )]
    pub(crate) plugin: Option<String>,
    /// The publication that says which tables the server sends.
    #[config(
        name = "publication.name",
        default = "dbz_publication",
        group = "Replication",
        display = "Publication",
        not_empty
    )]
    pub(crate) publication: String,
    /// Who makes the publication: nobody (`disabled`), or the connector, for all tables or for the selected ones.
    #[config(
        name = "publication.autocreate.mode",
        default = "all_tables",
        group = "Replication",
        one_of("all_tables", "filtered", "disabled")
    )]
    pub(crate) publication_mode: String,
    /// Whether changes of partitions are published as changes of their table, where the connector makes the publication.
    #[config(
        name = "publish.via.partition.root",
        default = "false",
        importance = "low",
        group = "Replication"
    )]
    pub(crate) via_partition_root: bool,
    /// What is read before the stream: everything once (`initial`), everything and no stream (`initial_only`), nothing
    /// (`no_data`, `never`), everything at each start (`always`), or everything whenever the stream cannot go on where it ended
    /// (`when_needed`).
    #[config(
        name = "snapshot.mode",
        default = "initial",
        importance = "high",
        group = "Snapshot",
        one_of("initial", "initial_only", "no_data", "never", "always", "when_needed")
    )]
    pub(crate) snapshot_mode: String,
    /// Sessions that read tables at a time, all in one snapshot.
    #[config(
        name = "snapshot.max.threads",
        default = "1",
        group = "Snapshot",
        range(min = 1, max = 12)
    )]
    pub(crate) snapshot_threads: u32,
    /// Regular expressions for `schema.table`, comma-separated: only these tables.
    #[config(name = "table.include.list", importance = "high", group = "Selection")]
    pub(crate) table_include: Option<String>,
    /// Regular expressions for `schema.table`, comma-separated: not these tables.
    #[config(name = "table.exclude.list", group = "Selection")]
    pub(crate) table_exclude: Option<String>,
    /// Regular expressions for schemas, comma-separated: only these.
    #[config(name = "schema.include.list", group = "Selection")]
    pub(crate) schema_include: Option<String>,
    /// Regular expressions for schemas, comma-separated: not these.
    #[config(name = "schema.exclude.list", group = "Selection")]
    pub(crate) schema_exclude: Option<String>,
    /// Regular expressions for `schema.table.column`, comma-separated: only these columns; key columns stay in the key.
    #[config(name = "column.include.list", group = "Selection")]
    pub(crate) column_include: Option<String>,
    /// Regular expressions for `schema.table.column`, comma-separated: not these columns.
    #[config(name = "column.exclude.list", group = "Selection")]
    pub(crate) column_exclude: Option<String>,
    /// Operations that are passed over, comma-separated: c, u, d, t; or `none`.
    #[config(name = "skipped.operations", default = "t", group = "Selection")]
    pub(crate) skipped_operations: String,
    /// Other keys than the primary key: `schema.table:column,column;...`, the table as a regular expression.
    #[config(name = "message.key.columns", group = "Selection")]
    pub(crate) message_key_columns: Option<String>,
    /// Whether a delete is followed by a record without a value.
    #[config(name = "tombstones.on.delete", default = "true", group = "Events")]
    pub(crate) tombstones: bool,
    /// Whether each record says in headers which connector captured it.
    #[config(
        name = "extended.headers.enabled",
        default = "false",
        importance = "low",
        group = "Events"
    )]
    pub(crate) extended_headers: bool,
    /// How `numeric` and `money` are written.
    #[config(
        name = "decimal.handling.mode",
        default = "precise",
        group = "Events",
        one_of("precise", "double", "string")
    )]
    pub(crate) decimal_mode: String,
    /// How dates and times are written.
    #[config(
        name = "time.precision.mode",
        default = "adaptive",
        group = "Events",
        one_of(
            "adaptive",
            "adaptive_time_microseconds",
            "connect",
            "isostring",
            "microseconds",
            "nanoseconds"
        )
    )]
    pub(crate) time_mode: String,
    /// How intervals are written.
    #[config(
        name = "interval.handling.mode",
        default = "numeric",
        group = "Events",
        one_of("numeric", "string")
    )]
    pub(crate) interval_mode: String,
    /// How `hstore` is written.
    #[config(
        name = "hstore.handling.mode",
        default = "json",
        group = "Events",
        one_of("json", "map")
    )]
    pub(crate) hstore_mode: String,
    /// How `bytea` is written.
    #[config(
        name = "binary.handling.mode",
        default = "bytes",
        group = "Events",
        one_of("bytes", "base64", "base64-url-safe", "hex")
    )]
    pub(crate) binary_mode: String,
    /// Decimal places of `money`.
    #[config(
        name = "money.fraction.digits",
        default = "2",
        importance = "low",
        group = "Events",
        range(min = 0, max = 18)
    )]
    pub(crate) money_fraction_digits: i16,
    /// Stands for a value that the server did not send because it is large and did not change; behind `hex:` its bytes.
    #[config(
        name = "unavailable.value.placeholder",
        default = "__debezium_unavailable_value",
        importance = "low",
        group = "Events"
    )]
    pub(crate) unavailable: String,
    /// What happens to a column whose type has no form here: the connector is refused, or the server's text is written.
    #[config(
        name = "unknown.types",
        default = "refuse",
        group = "Events",
        one_of("refuse", "text")
    )]
    pub(crate) unknown_types: String,
    /// A value over this many bytes makes its record a bad one.
    #[config(
        name = "max.value.bytes",
        default = "67108864",
        importance = "low",
        group = "Events",
        range(min = 1, max = 67108864)
    )]
    pub(crate) value_bytes_max: u32,
    /// How often a heartbeat record is written, in milliseconds; 0: never.
    #[config(
        name = "heartbeat.interval.ms",
        default = "0",
        group = "Heartbeat",
        range(min = 0, max = 86400000)
    )]
    pub(crate) heartbeat_interval_ms: u64,
    /// SQL that each heartbeat runs on the server.
    #[config(name = "heartbeat.action.query", group = "Heartbeat", width = "long")]
    pub(crate) heartbeat_query: Option<String>,
    /// Begins the name of the heartbeats' topic.
    #[config(
        name = "topic.heartbeat.prefix",
        default = "__debezium-heartbeat",
        importance = "low",
        group = "Heartbeat",
        topic
    )]
    pub(crate) heartbeat_prefix: String,
}
