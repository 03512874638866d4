//! What has to stand in the database: the publication first, then the slot.

use std::collections::BTreeSet;

use longshore_sdk::postgres::{Row, Session, quote_ident, quote_literal};
use longshore_sdk::{Fault, FaultClass};

use crate::catalog::{self, Server, Slot};
use crate::config::{PostgresConfig, PublicationMode};
use crate::lsn::Lsn;
use crate::position::History;
use crate::select::TableName;

/// The server can be captured from.
pub(crate) fn check_server(server: &Server) -> Result<(), Fault> {
    if server.in_recovery {
        let message =
            "the server is a standby, and capturing from one does not work yet: name the primary";
        let fault = Fault::new(FaultClass::Config, "postgres-standby", message);
        return Err(fault.with("key", "database.hostname"));
    }
    if server.wal_level == "logical" {
        return Ok(());
    }
    let message = format!(
        "wal_level is {}, and logical replication needs logical: set it in postgresql.conf or with \
         ALTER SYSTEM SET wal_level = 'logical', and restart the server",
        server.wal_level
    );
    let fault = Fault::new(FaultClass::Config, "postgres-wal-level", message);
    Err(fault
        .with("key", "database.hostname")
        .with("sql", "ALTER SYSTEM SET wal_level = 'logical'"))
}

/// Makes the publication where it is missing and the config says who makes it; brings a filtered one up to date.
pub(crate) async fn ensure_publication(
    session: &Session,
    config: &PostgresConfig,
) -> Result<(), Fault> {
    let name = &config.keys.publication;
    let exists = catalog::publication(session, name).await?.is_some();
    match (config.publication_mode(), exists) {
        (PublicationMode::Disabled | PublicationMode::AllTables, true) => Ok(()),
        (PublicationMode::Disabled, false) => Err(no_publication(config)),
        (PublicationMode::AllTables, false) => {
            session.query(&create_publication(config, None)).await?;
            Ok(())
        }
        (PublicationMode::Filtered, _) => {
            let tables = catalog::all_tables(session).await?;
            let wanted = tables.into_iter().map(|table| table.name);
            let wanted = wanted.filter(|name| config.selection.takes_table(name));
            let wanted: BTreeSet<TableName> = wanted.collect();
            if wanted.is_empty() {
                return Err(nothing_to_publish(config));
            }
            let quoted = |name: &TableName| {
                format!("{}.{}", quote_ident(&name.schema), quote_ident(&name.table))
            };
            let list: Vec<String> = wanted.iter().map(quoted).collect();
            if exists {
                let set = format!(
                    "ALTER PUBLICATION {} SET TABLE {}",
                    quote_ident(name),
                    list.join(", ")
                );
                let published = published_names(session, name).await?;
                if published != wanted {
                    session.query(&set).await?;
                }
            } else {
                session
                    .query(&create_publication(config, Some(&list)))
                    .await?;
            }
            Ok(())
        }
    }
}

/// The tables that a publication names itself.
pub(crate) async fn published_names(
    session: &Session,
    publication: &str,
) -> Result<BTreeSet<TableName>, Fault> {
    let sql = format!(
        "SELECT n.nspname, c.relname FROM pg_publication_rel r \
         JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = {}",
        quote_literal(publication)
    );
    let rows = session.query(&sql).await?;
    let name = |row: &Row| {
        Ok(TableName::new(
            catalog::text(row, 0)?,
            catalog::text(row, 1)?,
        ))
    };
    rows.iter().map(name).collect()
}

pub(crate) fn create_publication(config: &PostgresConfig, tables: Option<&[String]>) -> String {
    let name = quote_ident(&config.keys.publication);
    let content = match tables {
        None => "ALL TABLES".to_owned(),
        Some(tables) => format!("TABLE {}", tables.join(", ")),
    };
    let via_root = match config.keys.via_partition_root {
        true => " WITH (publish_via_partition_root = true)",
        false => "",
    };
    format!("CREATE PUBLICATION {name} FOR {content}{via_root}")
}

fn no_publication(config: &PostgresConfig) -> Fault {
    let name = &config.keys.publication;
    let message = format!(
        "publication {name} does not exist, and publication.autocreate.mode=disabled leaves making it to you"
    );
    let fault = Fault::new(FaultClass::Config, "postgres-no-publication", message);
    fault
        .with("key", "publication.name")
        .with("sql", create_publication(config, None))
}

fn nothing_to_publish(config: &PostgresConfig) -> Fault {
    let message = format!(
        "no table matches what is selected, so publication {} would be empty",
        config.keys.publication
    );
    Fault::new(FaultClass::Config, "postgres-no-table", message).with("key", "table.include.list")
}

/// The stored history is the one that the server is in (invariant 2).
pub(crate) fn check_history(stored: &History, now: &History) -> Result<(), Fault> {
    // The epoch is ours: the server knows nothing of it.
    let epoch = stored.epoch;
    if *stored
        == (History {
            epoch,
            ..now.clone()
        })
    {
        return Ok(());
    }
    let text = |h: &History| {
        format!(
            "system {}, timeline {}, database {}, slot {}",
            h.system, h.timeline, h.database, h.slot
        )
    };
    let message = format!(
        "the stored position belongs to another history: it is of {}; the server is {}. Its LSNs mean \
         other places there: delete the connector's offsets to capture anew, or use snapshot.mode=when_needed",
        text(stored),
        text(now)
    );
    Err(Fault::new(
        FaultClass::Fatal,
        "postgres-other-history",
        message,
    ))
}

/// The slot can give what is missing behind a place.
pub(crate) fn check_slot(
    name: &str,
    slot: Option<&Slot>,
    database: &str,
    needed: Lsn,
) -> Result<(), Fault> {
    let Some(slot) = slot else {
        let message = format!(
            "slot {name} does not exist any more; what was committed after {needed} cannot be had from the \
             server. snapshot.mode=when_needed reads the tables again"
        );
        return Err(lost("postgres-slot-missing", message));
    };
    is_ours(name, slot, database)?;
    if slot.wal_status.as_deref() == Some("lost") {
        let message = format!(
            "the server threw away log that slot {name} needs (max_slot_wal_keep_size); what was committed \
             after {needed} is not all there. snapshot.mode=when_needed reads the tables again"
        );
        return Err(lost("postgres-slot-lost", message));
    }
    if slot.confirmed > needed {
        let message = format!(
            "slot {name} was confirmed up to {}, past the stored position {needed}: the server would skip what \
             lies between without a word. It was made anew, or something else reads it. \
             snapshot.mode=when_needed reads the tables again",
            slot.confirmed
        );
        return Err(lost("postgres-slot-ahead", message));
    }
    Ok(())
}

/// Whether a slot is one that this connector could have made.
pub(crate) fn is_ours(name: &str, slot: &Slot, database: &str) -> Result<(), Fault> {
    if slot.plugin == "pgoutput" && slot.database == database {
        return Ok(());
    }
    let message = format!(
        "slot {name} is not for pgoutput in database {database}: it is for {:?} in {:?}",
        slot.plugin, slot.database
    );
    let fault = Fault::new(FaultClass::Config, "postgres-slot-foreign", message);
    Err(fault.with("key", "slot.name"))
}

/// A slot of that name stands there, and nothing stored says that it is ours.
pub(crate) fn foreign(name: &str, slot: &Slot) -> Fault {
    let message = format!(
        "slot {name} exists and is not this connector's: it is confirmed up to {} and keeps {} bytes of log. \
         Drop it, choose another slot.name, or use snapshot.mode=no_data to go on where it stands",
        slot.confirmed, slot.retained_bytes
    );
    let fault = Fault::new(FaultClass::Config, "postgres-slot-foreign", message);
    fault
        .with("key", "slot.name")
        .with("sql", format!("SELECT pg_drop_replication_slot('{name}')"))
}

/// Whether only reading the tables again can help.
pub(crate) fn needs_snapshot(fault: &Fault) -> bool {
    matches!(
        &*fault.code,
        "postgres-slot-missing"
            | "postgres-slot-lost"
            | "postgres-slot-ahead"
            | "postgres-other-history"
    )
}

fn lost(code: &str, message: String) -> Fault {
    Fault::new(FaultClass::Fatal, code, message).with("key", "slot.name")
}

/// What the output plugin is told.
pub(crate) fn options(config: &PostgresConfig) -> [(&'static str, String); 2] {
    [
        ("proto_version", "1".to_owned()),
        ("publication_names", quote_ident(&config.keys.publication)),
    ]
}
