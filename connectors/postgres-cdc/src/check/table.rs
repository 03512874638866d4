//! What there is to say of tables: who may read them, what their types are, and what their replica identity leaves out.

use longshore_sdk::postgres::quote_ident;
use longshore_sdk::{Fault, Problem};

use super::{Checking, DESCRIBES_FOR_US, NAMED_TABLES_MAX, about, quoted};
use crate::captured::Captured;
use crate::catalog::{self, Description, Publication, Server, Table};
use crate::config::SnapshotMode;
use crate::select::TableName;
use crate::work::DESCRIBED_AT_ONCE;

/// Most tables that one finding names.
const NAMED_MAX: usize = 10;

impl Checking<'_> {
    /// Updates and deletes that the server refuses at the source for want of an identity, partitions' too.
    pub(super) async fn identities(
        &mut self,
        publication: Option<Publication>,
        published: &[Table],
    ) -> Result<(), Fault> {
        // One that is still to be made publishes everything.
        let (updates, deletes) = publication.map_or((true, true), |p| (p.updates, p.deletes));
        let refused = match (updates, deletes) {
            (true, true) => "UPDATE and DELETE",
            (true, false) => "UPDATE",
            (false, true) => "DELETE",
            (false, false) => return Ok(()),
        };
        let oids: Vec<String> = published
            .iter()
            .map(|table| table.oid.to_string())
            .collect();
        let sql = format!(
            "SELECT DISTINCT n.nspname, c.relname, c.relreplident, own.has_key \
             FROM unnest('{{{}}}'::oid[]) AS published(oid) \
             CROSS JOIN LATERAL (SELECT published.oid UNION \
               SELECT relid::oid FROM pg_partition_tree(published.oid)) AS member(oid) \
             JOIN pg_class c ON c.oid = member.oid AND c.relkind = 'r' \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             CROSS JOIN LATERAL (SELECT \
               coalesce(bool_or(i.indisprimary AND i.indimmediate), false) AS has_key, \
               coalesce(bool_or(i.indisreplident), false) AS has_index \
               FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid) AS own \
             WHERE c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT own.has_key) \
             OR (c.relreplident = 'i' AND NOT own.has_index) \
             ORDER BY 1, 2 LIMIT {NAMED_TABLES_MAX}",
            oids.join(",")
        );
        for row in self.session.query(&sql).await? {
            let text = |at: usize| catalog::text(&row, at);
            let name = TableName::new(text(0)?, text(1)?);
            let why = match text(2)? {
                "n" => "has replica identity NOTHING",
                "i" => "has lost the index that was its replica identity",
                _ => "has no primary key",
            };
            let (identity, or) = match text(3)? {
                "t" => ("DEFAULT", ""),
                _ => ("FULL", ", or a primary key"),
            };
            let message = format!(
                "table {name} {why}: while it is published, the server refuses {refused} on it; \
                 give it a replica identity{or}"
            );
            let sql = replica_identity(&name, identity);
            self.warning(
                "table.include.list",
                "postgres-no-identity",
                message,
                &name,
                &sql,
            );
        }
        Ok(())
    }

    pub(super) async fn tables(
        &mut self,
        server: &Server,
        selected: &[Table],
    ) -> Result<(), Fault> {
        let reads = self.config.snapshot_mode() != SnapshotMode::NoData;
        let mut unordered = Vec::new();
        let unreadable = selected.iter().filter(|table| reads && !table.readable);
        for table in unreadable.take(NAMED_TABLES_MAX) {
            self.may_not_read(server, &table.name);
        }
        let until_us = self.ctx.now_us() + DESCRIBES_FOR_US;
        for tables in selected.chunks(DESCRIBED_AT_ONCE) {
            if self.ctx.now_us() > until_us || self.findings.len() > NAMED_TABLES_MAX {
                break;
            }
            let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
            let descriptions = self.work.describe(&self.session, &oids).await?;
            // One that was dropped meanwhile is nobody's concern.
            for table in tables {
                if self.findings.len() <= NAMED_TABLES_MAX {
                    self.table(table, &descriptions[&table.oid], &mut unordered);
                }
            }
        }
        if reads && !unordered.is_empty() {
            let fault = about("postgres-unordered-key", unresumable(&unordered), None, "");
            self.findings.push(Problem::warning("snapshot.mode", fault));
        }
        Ok(())
    }

    /// Whether it can be captured, and read on in the order of its key.
    fn table(&mut self, table: &Table, description: &Description, unordered: &mut Vec<String>) {
        match self.work.making(self.ctx).described(table, description) {
            Ok(captured) => {
                self.covers_key(&captured, description);
                if captured.row_key.is_none() {
                    unordered.push(table.name.to_string());
                }
            }
            Err(fault) => {
                let key = fault.detail("key").unwrap_or("unknown.types").to_owned();
                self.findings.push(Problem::refusal(&key, fault));
            }
        }
    }

    fn may_not_read(&mut self, server: &Server, name: &TableName) {
        let message = format!("{} may not read {name}, which a snapshot does", server.user);
        let sql = format!(
            "GRANT SELECT ON {} TO {}",
            quoted(name),
            quote_ident(&server.user)
        );
        let table = name.to_string();
        self.finding(
            "database.user",
            "postgres-no-select",
            message,
            Some(&table),
            &sql,
        );
    }

    /// Whether old rows bring the columns of the message's key.
    fn covers_key(&mut self, table: &Captured, description: &Description) {
        let brings_any = table.in_identity.contains(&true);
        let missing = table.key.iter().filter(|at| !table.in_identity[**at]);
        let missing: Vec<&str> = missing.map(|at| table.columns[*at].as_str()).collect();
        if !brings_any || missing.is_empty() {
            return;
        }
        let name = &table.name;
        let message = format!(
            "the replica identity of {name} leaves out {} of the message's key: its deletes are bad \
             records, and a change of it is not told as a delete",
            missing.join(", ")
        );
        let is_chosen = self.config.selection.key_of(name).is_some();
        let has_primary = description
            .indexes
            .first()
            .is_some_and(|index| index.is_primary);
        let (key, identity) = match is_chosen {
            true => ("message.key.columns", "FULL"),
            false if has_primary => ("table.include.list", "DEFAULT"),
            false => ("table.include.list", "FULL"),
        };
        let sql = replica_identity(name, identity);
        self.warning(key, "postgres-identity-without-key", message, name, &sql);
    }

    fn warning(&mut self, key: &str, code: &str, message: String, table: &TableName, sql: &str) {
        let fault = about(code, message, Some(&table.to_string()), sql);
        self.findings.push(Problem::warning(key, fault));
    }
}

fn replica_identity(table: &TableName, identity: &str) -> String {
    format!("ALTER TABLE {} REPLICA IDENTITY {identity}", quoted(table))
}

fn unresumable(tables: &[String]) -> String {
    let named = tables[..tables.len().min(NAMED_MAX)].join(", ");
    let more = match tables.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "a snapshot that is interrupted reads these again from their beginning, for want of a key whose \
         order can be computed: {named}{more}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_tables_the_first_are_named_and_the_others_counted() {
        let tables: Vec<String> = (0..12).map(|n| format!("s.t{n}")).collect();
        assert!(
            unresumable(&tables).ends_with(
                ": s.t0, s.t1, s.t2, s.t3, s.t4, s.t5, s.t6, s.t7, s.t8, s.t9 and 2 more"
            )
        );
        assert!(unresumable(&tables[..2]).ends_with(": s.t0, s.t1"));
    }
}
