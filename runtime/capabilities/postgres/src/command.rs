//! The replication commands, quoted, and their answers.

use std::fmt::Write;

use crate::Error;
use crate::error::format_lsn;
use crate::replication::{CreatedSlot, SystemIdentity};
use crate::wire::Row;

/// Where the feedback's pace comes from, in milliseconds.
pub(crate) const SENDER_TIMEOUT: &str =
    "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'";

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Backslashes mean nothing in the replication grammar's strings.
fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(crate) fn create_slot(slot: &str, export_snapshot: bool) -> String {
    let snapshot = if export_snapshot {
        "EXPORT_SNAPSHOT"
    } else {
        "NOEXPORT_SNAPSHOT"
    };
    let slot = name(slot);
    format!("CREATE_REPLICATION_SLOT {slot} LOGICAL pgoutput {snapshot}")
}

pub(crate) fn drop_slot(slot: &str, wait: bool) -> String {
    let wait = if wait { " WAIT" } else { "" };
    format!("DROP_REPLICATION_SLOT {}{wait}", name(slot))
}

pub(crate) fn start(slot: &str, start: u64, options: &[(String, String)]) -> String {
    let mut sql = format!(
        "START_REPLICATION SLOT {} LOGICAL {}",
        name(slot),
        format_lsn(start)
    );
    for (n, (key, value)) in options.iter().enumerate() {
        let before = if n == 0 { " (" } else { ", " };
        let (key, value) = (name(key), string(value));
        write!(sql, "{before}{key} {value}").expect("a string takes everything");
    }
    if !options.is_empty() {
        sql.push(')');
    }
    sql
}

fn parse_lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let high = u32::from_str_radix(high, 16).ok()?;
    let low = u32::from_str_radix(low, 16).ok()?;
    Some(u64::from(high) << 32 | u64::from(low))
}

fn only(rows: Vec<Row>) -> Option<Row> {
    let mut rows = rows.into_iter();
    rows.next().filter(|_| rows.next().is_none())
}

pub(crate) fn identity(rows: Vec<Row>) -> Result<SystemIdentity, Error> {
    let read = || {
        let row = only(rows)?;
        let [identifier, timeline, position, database] = <[_; 4]>::try_from(row).ok()?;
        Some(SystemIdentity {
            identifier: identifier?.parse().ok()?,
            timeline: timeline?.parse().ok()?,
            position: parse_lsn(&position?)?,
            database: database?,
        })
    };
    read().ok_or(Error::Protocol("IDENTIFY_SYSTEM answers something else"))
}

pub(crate) fn created(rows: Vec<Row>) -> Result<CreatedSlot, Error> {
    let read = || {
        let row = only(rows)?;
        let [_, point, snapshot, _] = <[_; 4]>::try_from(row).ok()?;
        Some(CreatedSlot {
            consistent_point: parse_lsn(&point?)?,
            snapshot,
        })
    };
    read().ok_or(Error::Protocol(
        "CREATE_REPLICATION_SLOT answers something else",
    ))
}

/// `None` where the server never gives up.
pub(crate) fn sender_timeout_ms(rows: Vec<Row>) -> Result<Option<u64>, Error> {
    let read = || only(rows)?.pop()??.parse::<u64>().ok();
    let timeout = read().ok_or(Error::Protocol("pg_settings answers something else"))?;
    Ok(Some(timeout).filter(|timeout| *timeout > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn commands_are_quoted() {
        let options = [
            ("proto_version".to_owned(), "1".to_owned()),
            ("publication_names".to_owned(), "\"it's \\\"".to_owned()),
        ];
        assert_eq!(
            start("a\"b", 0x16_B374_D848, &options),
            "START_REPLICATION SLOT \"a\"\"b\" LOGICAL 16/B374D848 \
             (\"proto_version\" '1', \"publication_names\" '\"it''s \\\"')"
        );
        assert_eq!(
            start("s", 0, &[]),
            "START_REPLICATION SLOT \"s\" LOGICAL 0/0"
        );
        assert_eq!(
            create_slot("s", true),
            "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput EXPORT_SNAPSHOT"
        );
        assert_eq!(drop_slot("s", true), "DROP_REPLICATION_SLOT \"s\" WAIT");
    }

    #[test]
    fn answers_are_read_or_refused() {
        let row = vec![text("7"), text("1"), text("A/10"), text("db")];
        let read = identity(vec![row.clone()]).unwrap();
        assert_eq!(read.position, 0xA_0000_0010);
        assert_eq!((read.identifier, read.timeline), (7, 1));
        assert!(identity(vec![row.clone(), row]).is_err());
        assert!(identity(vec![]).is_err());
        let row = vec![text("s"), text("0/1G"), None, text("pgoutput")];
        assert!(created(vec![row]).is_err());
        assert_eq!(sender_timeout_ms(vec![vec![text("0")]]).unwrap(), None);
        assert_eq!(
            sender_timeout_ms(vec![vec![text("500")]]).unwrap(),
            Some(500)
        );
        assert!(sender_timeout_ms(vec![vec![None]]).is_err());
    }
}
