//! What the server's catalog says, asked in SQL.

use std::collections::BTreeMap;

use longshore_sdk::postgres::{Row, Session, quote_literal};
use longshore_sdk::{Fault, FaultClass};

use crate::config::Keys;
use crate::lsn::Lsn;
use crate::pg_type::{FIRST_NORMAL_OID, PgType, TypeKind, Types};
use crate::pgoutput::Identity;
use crate::select::TableName;

/// First version with column lists and row filters in publications.
const WITH_LISTS: u32 = 150_000;

/// What makes text mean one thing only, in every session.
const TEXT_FORM: &[(&str, &str)] = &[
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
];

/// Parameters of a session that asks.
pub(crate) fn asking(keys: &Keys) -> Vec<(String, String)> {
    let timeout = keys.query_timeout_ms.to_string();
    with_text_form(&[("statement_timeout", &timeout)])
}

/// Parameters of a session that holds a snapshot or copies for as long as it takes.
pub(crate) fn lasting() -> Vec<(String, String)> {
    with_text_form(&[
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        // Nobody can be woken who waits for a lock: it is tried again.
        ("lock_timeout", "10000"),
        // Rows that a policy hides are missing by name, not in silence.
        ("row_security", "off"),
    ])
}

/// Parameters of a session that streams.
pub(crate) fn streaming() -> Vec<(String, String)> {
    with_text_form(&[
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
    ])
}

fn with_text_form(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let all = TEXT_FORM.iter().chain(more);
    all.chain(&[("application_name", "longshore")])
        .map(owned)
        .collect()
}

/// The server, as far as a capture depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) version: u32,
    pub(crate) wal_level: String,
    pub(crate) in_recovery: bool,
    pub(crate) user: String,
    pub(crate) replicates: bool,
    pub(crate) slots_max: u32,
    pub(crate) slots: u32,
    pub(crate) senders_max: u32,
}

pub(crate) async fn server(session: &Session) -> Result<Server, Fault> {
    let sql = "SELECT current_setting('server_version_num'), current_setting('wal_level'), \
               pg_is_in_recovery(), current_user, \
               (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user), \
               current_setting('max_replication_slots'), \
               (SELECT count(*) FROM pg_replication_slots), \
               current_setting('max_wal_senders')";
    let row = one(session.query(sql).await?)?;
    Ok(Server {
        version: number(&row, 0)?,
        wal_level: text(&row, 1)?.to_owned(),
        in_recovery: flag(&row, 2),
        user: text(&row, 3)?.to_owned(),
        replicates: flag(&row, 4),
        slots_max: number(&row, 5)?,
        slots: number(&row, 6)?,
        senders_max: number(&row, 7)?,
    })
}

/// A replication slot.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) plugin: String,
    pub(crate) database: String,
    pub(crate) confirmed: Lsn,
    /// `lost`: the server threw away what the slot needs.
    pub(crate) wal_status: Option<String>,
    /// Bytes of log that the server keeps for it.
    pub(crate) retained_bytes: u64,
    /// Bytes of log behind what was confirmed.
    pub(crate) lag_bytes: u64,
}

pub(crate) async fn slot(session: &Session, name: &str) -> Result<Option<Slot>, Fault> {
    let sql = format!(
        "SELECT s.plugin, s.database, s.confirmed_flush_lsn, to_jsonb(s)->>'wal_status', \
         greatest(0, pg_wal_lsn_diff(now.lsn, s.restart_lsn)), \
         greatest(0, pg_wal_lsn_diff(now.lsn, s.confirmed_flush_lsn)) \
         FROM pg_replication_slots s, \
         (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                      ELSE pg_current_wal_lsn() END AS lsn) now \
         WHERE s.slot_name = {}",
        quote_literal(name)
    );
    let Some(row) = session.query(&sql).await?.into_iter().next() else {
        return Ok(None);
    };
    let bytes = |at: usize| optional(&row, at).and_then(|text| text.parse().ok());
    Ok(Some(Slot {
        plugin: optional(&row, 0).unwrap_or_default().to_owned(),
        database: optional(&row, 1).unwrap_or_default().to_owned(),
        confirmed: optional(&row, 2).and_then(Lsn::parse).unwrap_or_default(),
        wal_status: optional(&row, 3).map(str::to_owned),
        retained_bytes: bytes(4).unwrap_or(0),
        lag_bytes: bytes(5).unwrap_or(0),
    }))
}

/// A slot as it is now, and where the server's log ends.
pub(crate) async fn slot_and_end(
    session: &Session,
    name: &str,
) -> Result<(Option<Slot>, Lsn), Fault> {
    let sql = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
               ELSE pg_current_wal_lsn() END";
    let row = one(session.query(sql).await?)?;
    let end = Lsn::parse(text(&row, 0)?).ok_or_else(unexpected)?;
    Ok((slot(session, name).await?, end))
}

/// A publication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Publication {
    pub(crate) inserts: bool,
    pub(crate) updates: bool,
    pub(crate) deletes: bool,
    pub(crate) truncates: bool,
    /// It names no tables.
    pub(crate) of_all_tables: bool,
}

pub(crate) async fn publication(
    session: &Session,
    name: &str,
) -> Result<Option<Publication>, Fault> {
    let sql = format!(
        "SELECT pubinsert, pubupdate, pubdelete, pubtruncate, puballtables FROM pg_publication WHERE pubname = {}",
        quote_literal(name)
    );
    let row = session.query(&sql).await?.into_iter().next();
    Ok(row.map(|row| Publication {
        inserts: flag(&row, 0),
        updates: flag(&row, 1),
        deletes: flag(&row, 2),
        truncates: flag(&row, 3),
        of_all_tables: flag(&row, 4),
    }))
}

/// A table, as far as it is known without its columns.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: TableName,
    pub(crate) oid: u32,
    /// A table that its partitions hold the rows of.
    pub(crate) is_partitioned: bool,
    pub(crate) identity: Identity,
    /// As of the last look of the server's own; negative where it never looked.
    pub(crate) rows_estimated: i64,
    pub(crate) readable: bool,
    /// Columns that are published, where not all are.
    pub(crate) columns: Option<Vec<String>>,
    /// Rows that are published, as a condition, where not all are.
    pub(crate) filter: Option<String>,
}

/// The tables of a publication, in the order in which a snapshot reads them.
pub(crate) async fn published_tables(
    session: &Session,
    publication: &str,
    version: u32,
) -> Result<Vec<Table>, Fault> {
    let lists = if version >= WITH_LISTS {
        "array_to_json(p.attnames)::text, p.rowfilter"
    } else {
        "NULL, NULL"
    };
    let sql = format!(
        "SELECT n.nspname, c.relname, c.oid, c.relkind = 'p', c.relreplident, c.reltuples::bigint, \
         has_table_privilege(c.oid, 'SELECT'), {lists} \
         FROM pg_publication_tables p \
         JOIN pg_namespace n ON n.nspname = p.schemaname \
         JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename \
         WHERE p.pubname = {}",
        quote_literal(publication)
    );
    tables(session, &sql).await
}

/// All tables that could be published.
pub(crate) async fn all_tables(session: &Session) -> Result<Vec<Table>, Fault> {
    let sql = "SELECT n.nspname, c.relname, c.oid, c.relkind = 'p', c.relreplident, \
               c.reltuples::bigint, has_table_privilege(c.oid, 'SELECT'), NULL, NULL \
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' \
               AND n.nspname NOT IN ('pg_catalog', 'information_schema')";
    tables(session, sql).await
}

async fn tables(session: &Session, sql: &str) -> Result<Vec<Table>, Fault> {
    let rows = session.query(sql).await?;
    let table = |row: &Row| {
        let identity = text(row, 4)?.bytes().next().and_then(Identity::from_code);
        Ok(Table {
            name: TableName::new(text(row, 0)?, text(row, 1)?),
            oid: number(row, 2)?,
            is_partitioned: flag(row, 3),
            identity: identity.unwrap_or(Identity::Default),
            rows_estimated: number(row, 5)?,
            readable: flag(row, 6),
            columns: names(row, 7),
            filter: optional(row, 8).map(str::to_owned),
        })
    };
    let mut tables = rows.iter().map(table).collect::<Result<Vec<_>, Fault>>()?;
    tables.sort_by_key(|table| table.oid);
    Ok(tables)
}

/// A table's columns and what may be its key, as they are now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    pub(crate) columns: Vec<Described>,
    /// Some have a default, which is learnt apart.
    pub(crate) has_defaults: bool,
    /// The primary key first, then unique indexes by name.
    pub(crate) indexes: Vec<UniqueIndex>,
}

#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) modifier: i32,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    /// Made by the server from others; a stream has none of these.
    pub(crate) is_generated: bool,
    pub(crate) collation_is_c: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct UniqueIndex {
    pub(crate) is_primary: bool,
    pub(crate) is_identity: bool,
    pub(crate) columns: Vec<String>,
}

/// Tables by their numbers; one that is gone has no columns.
pub(crate) type Descriptions = BTreeMap<u32, Description>;

/// Describes tables but for the defaults of their columns. It waits for nobody who holds one of them.
pub(crate) async fn describe(session: &Session, tables: &[u32]) -> Result<Descriptions, Fault> {
    let list: Vec<String> = tables.iter().map(u32::to_string).collect();
    let list = list.join(",");
    let sql = format!(
        "SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef, \
         coalesce(to_jsonb(a)->>'attgenerated', '') <> '', \
         CASE WHEN a.attcollation = 100 THEN \
           (SELECT datcollate IN ('C', 'POSIX') AND coalesce(to_jsonb(d)->>'datlocprovider', 'c') = 'c' \
            FROM pg_database d WHERE datname = current_database()) \
         ELSE a.attcollation IN (950, 951) END \
         FROM pg_attribute a \
         WHERE a.attrelid IN ({list}) AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attrelid, a.attnum"
    );
    let empty = |table: &u32| (*table, Description::default());
    let mut descriptions: Descriptions = tables.iter().map(empty).collect();
    for row in session.query(&sql).await? {
        let column = Described {
            name: text(&row, 1)?.to_owned(),
            type_oid: number(&row, 2)?,
            modifier: number(&row, 3)?,
            not_null: flag(&row, 4),
            default: None,
            is_generated: flag(&row, 6),
            collation_is_c: flag(&row, 7),
        };
        let table = descriptions.entry(number(&row, 0)?).or_default();
        table.columns.push(column);
        table.has_defaults |= flag(&row, 5);
    }
    let sql = format!(
        "SELECT i.indrelid, i.indisprimary, i.indisreplident, array_to_json(array( \
           SELECT a.attname FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
           WHERE k.place <= i.indnkeyatts ORDER BY k.place))::text \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid IN ({list}) AND i.indisunique AND i.indisvalid \
         AND i.indexprs IS NULL AND i.indpred IS NULL \
         ORDER BY i.indrelid, NOT i.indisprimary, c.relname"
    );
    for row in session.query(&sql).await? {
        let index = UniqueIndex {
            is_primary: flag(&row, 1),
            is_identity: flag(&row, 2),
            columns: names(&row, 3).unwrap_or_default(),
        };
        let table = descriptions.entry(number(&row, 0)?).or_default();
        table.indexes.push(index);
    }
    Ok(descriptions)
}

/// Learns the defaults of a table's columns. The server prints none of a table that somebody else holds, so that it is held
/// first where the time counts.
pub(crate) async fn learn_defaults(
    session: &Session,
    table: u32,
    description: &mut Description,
) -> Result<(), Fault> {
    if !description.has_defaults {
        return Ok(());
    }
    let sql = format!(
        "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d \
         JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = {table}"
    );
    for row in session.query(&sql).await? {
        let name = text(&row, 0)?;
        let column = description.columns.iter_mut().find(|c| c.name == name);
        if let Some(column) = column {
            column.default = optional(&row, 1).map(str::to_owned);
        }
    }
    Ok(())
}

/// Asks for the types that are not known yet, and for those that they are made of; the first time for all enums and
/// domains that somebody made, so that a database with thousands is not asked for each.
pub(crate) async fn learn_types(
    session: &Session,
    types: &mut Types,
    oids: impl Iterator<Item = u32>,
) -> Result<(), Fault> {
    let mut missing: Vec<u32> = oids.filter(|oid| types.missing(*oid)).collect();
    while !missing.is_empty() {
        missing.sort_unstable();
        missing.dedup();
        let list: Vec<String> = missing.iter().map(u32::to_string).collect();
        let all = if std::mem::replace(&mut types.has_asked_for_all, true) {
            String::new()
        } else {
            format!(
                " OR t.oid >= {FIRST_NORMAL_OID} AND (t.typtype IN ('d', 'e') OR EXISTS \
                 (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typtype IN ('d', 'e')))"
            )
        };
        let sql = format!(
            "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype, \
             t.typtypmod, (SELECT array_to_json(array_agg(enumlabel ORDER BY enumsortorder))::text \
                           FROM pg_enum WHERE enumtypid = t.oid) \
             FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid IN ({}){all}",
            list.join(",")
        );
        let mut beneath = Vec::new();
        for row in session.query(&sql).await? {
            let pg_type = pg_type(&row)?;
            match pg_type.kind {
                TypeKind::Array { element } => beneath.push(element),
                TypeKind::Domain { base, .. } => beneath.push(base),
                _ => {}
            }
            types.insert(pg_type);
        }
        missing = beneath
            .into_iter()
            .filter(|oid| types.get(*oid).is_none())
            .collect();
    }
    Ok(())
}

fn pg_type(row: &Row) -> Result<PgType, Fault> {
    let kind = match (text(row, 3)?, text(row, 4)?) {
        ("e", _) => TypeKind::Enum {
            labels: names(row, 8).unwrap_or_default(),
        },
        ("d", _) => TypeKind::Domain {
            base: number(row, 6)?,
            modifier: number(row, 7)?,
        },
        ("b", "A") => TypeKind::Array {
            element: number(row, 5)?,
        },
        ("r", _) => TypeKind::Range,
        ("m", _) => TypeKind::Multirange,
        ("c", _) => TypeKind::Composite,
        ("p", _) => TypeKind::Pseudo,
        _ => TypeKind::Base,
    };
    Ok(PgType {
        oid: number(row, 0)?,
        schema: text(row, 1)?.to_owned(),
        name: text(row, 2)?.to_owned(),
        kind,
    })
}

/// The only row of an answer that has one.
pub(crate) fn one(rows: Vec<Row>) -> Result<Row, Fault> {
    rows.into_iter().next().ok_or_else(unexpected)
}

pub(crate) fn text(row: &Row, at: usize) -> Result<&str, Fault> {
    optional(row, at).ok_or_else(unexpected)
}

fn optional(row: &Row, at: usize) -> Option<&str> {
    row.get(at)?.as_deref()
}

fn flag(row: &Row, at: usize) -> bool {
    optional(row, at) == Some("t")
}

fn number<T: std::str::FromStr>(row: &Row, at: usize) -> Result<T, Fault> {
    text(row, at)?.parse().map_err(|_| unexpected())
}

/// A list of names, as JSON.
fn names(row: &Row, at: usize) -> Option<Vec<String>> {
    serde_json::from_str(optional(row, at)?).ok()
}

fn unexpected() -> Fault {
    let message = "the server's catalog answered something else than was asked for";
    Fault::new(FaultClass::Fatal, "postgres-unexpected-answer", message)
}
