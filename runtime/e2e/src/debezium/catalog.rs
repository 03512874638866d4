//! The columns that are compared, as the server's catalog tells of them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::postgres::Psql;

/// Domains are followed to what they stand for; views of the marker and of partitions are no tables of their own.
const COLUMNS: &str = "
    with recursive base as (
      select a.attrelid, a.attnum, a.atttypid as type, a.atttypmod as modifier
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'g'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      union all
      select b.attrelid, b.attnum, t.typbasetype, t.typtypmod
      from base b join pg_type t on t.oid = b.type and t.typtype = 'd')
    select c.relname, a.attname, format_type(b.type, b.modifier), format_type(a.atttypid, a.atttypmod),
      coalesce(nullif(element.typtype, 'b'), t.typtype), coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
      a.attgenerated <> '', a.attnotnull,
      exists (select from pg_index i where i.indrelid = c.oid and a.attnum = any(i.indkey) and i.indisunique),
      c.relreplident in ('d', 'f', 'i') and exists (
        select from pg_index i where i.indrelid = c.oid and (i.indisprimary or i.indisreplident)),
      c.relispartition or c.relkind = 'p'
    from base b join pg_type t on t.oid = b.type and t.typtype <> 'd'
    join pg_attribute a on a.attrelid = b.attrelid and a.attnum = b.attnum
    join pg_class c on c.oid = b.attrelid
    left join pg_type element on element.oid = t.typelem and t.typcategory = 'A'
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    order by c.relname, a.attnum";

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// What it holds, beneath domains: `numeric(5,2)`, `integer[]`.
    pub(super) pg_type: String,
    /// As it was declared.
    pub(super) declared: String,
    /// An enum, or an array of one.
    pub(super) is_enum: bool,
    /// The expression; empty without one.
    pub(super) default: String,
    pub(super) is_generated: bool,
    pub(super) is_not_null: bool,
    /// Part of a unique index.
    pub(super) is_key: bool,
}

/// A table of the schema `g`.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The server takes updates and deletes.
    pub(super) has_identity: bool,
    pub(super) is_partitioned: bool,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// All tables by what their topics are called behind the prefix.
pub(super) fn tables(psql: &mut Psql) -> Result<BTreeMap<String, Table>> {
    let mut tables = BTreeMap::new();
    for row in psql.query(COLUMNS)? {
        let row: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
        let [
            name,
            column,
            pg_type,
            declared,
            kind,
            default,
            is_generated,
            is_not_null,
            is_key,
            has_identity,
            is_partitioned,
        ] = <[String; 11]>::try_from(row)
            .ok()
            .context("a row of the catalog")?;
        let column = Column {
            name: column,
            pg_type,
            declared,
            is_enum: kind == "e",
            default,
            is_generated: is_generated == "t",
            is_not_null: is_not_null == "t",
            is_key: is_key == "t",
        };
        let table = tables.entry(topic(&name)).or_insert_with(|| Table {
            name,
            columns: Vec::new(),
            has_identity: has_identity == "t",
            is_partitioned: is_partitioned == "t",
        });
        table.columns.push(column);
    }
    Ok(tables)
}

/// A topic's name holds no spaces.
fn topic(table: &str) -> String {
    format!("g.{}", table.replace(' ', "_"))
}
