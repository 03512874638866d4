//! Whether the publication is there or can be made, and has what is captured.

use std::collections::BTreeSet;

use longshore_sdk::Fault;
use longshore_sdk::postgres::{quote_ident, quote_literal};

use super::{Checking, NAMED_TABLES_MAX, quoted};
use crate::catalog::{self, Publication, Server, Table};
use crate::config::PublicationMode;
use crate::select::TableName;
use crate::setup;

impl Checking<'_> {
    /// Whether the publication is there or can be made, and has what is captured.
    pub(super) async fn publication(
        &mut self,
        server: &Server,
        publication: Option<Publication>,
        selected: &[Table],
    ) -> Result<(), Fault> {
        let (config, keys) = (self.config, &self.config.keys);
        match (publication, config.publication_mode()) {
            (None, PublicationMode::Disabled) => {
                let sql = setup::create_publication(config, None);
                let message = format!(
                    "publication {} does not exist, and publication.autocreate.mode=disabled leaves making it to you",
                    keys.publication
                );
                self.finding(
                    "publication.name",
                    "postgres-no-publication",
                    message,
                    None,
                    &sql,
                );
            }
            (None, mode) => self.may_publish(server, mode, selected).await?,
            (Some(publication), PublicationMode::Filtered) => {
                self.publishes_changes(publication);
                if publication.of_all_tables {
                    self.names_no_tables();
                } else {
                    self.may_change(server, selected).await?;
                }
            }
            (Some(publication), _) => {
                self.publishes_changes(publication);
                self.is_published(server, selected).await?;
            }
        }
        Ok(())
    }

    /// Whether the user may make the publication that is missing.
    async fn may_publish(
        &mut self,
        server: &Server,
        mode: PublicationMode,
        selected: &[Table],
    ) -> Result<(), Fault> {
        let keys = &self.config.keys;
        let sql = "SELECT rolsuper, has_database_privilege(current_database(), 'CREATE') \
                   FROM pg_roles WHERE rolname = current_user";
        let row = catalog::one(self.session.query(sql).await?)?;
        let is = |at: usize| row.get(at).and_then(Option::as_deref) == Some("t");
        let (is_super, may_create) = (is(0), is(1));
        if is_super {
            return Ok(());
        }
        if mode == PublicationMode::Filtered && may_create {
            return self.may_name(server, selected).await;
        }
        let names: Vec<String> = selected.iter().map(|table| quoted(&table.name)).collect();
        let list = (mode == PublicationMode::Filtered).then_some(names.as_slice());
        let sql = setup::create_publication(self.config, list);
        let message = format!(
            "publication {} does not exist, and {} may not make it: somebody who may runs this, or \
             publication.autocreate.mode is filtered and the user owns the tables",
            keys.publication, server.user
        );
        self.finding(
            "publication.name",
            "postgres-no-publication",
            message,
            None,
            &sql,
        );
        Ok(())
    }

    fn names_no_tables(&mut self) {
        let message = format!(
            "publication {} is one of all tables, which the server does not narrow down: with disabled or all_tables it \
             is taken as it is",
            self.config.keys.publication
        );
        let key = "publication.autocreate.mode";
        self.finding(key, "postgres-publication-of-all-tables", message, None, "");
    }

    /// Whether the user may bring a publication of named tables up to date, where it is not.
    async fn may_change(&mut self, server: &Server, selected: &[Table]) -> Result<(), Fault> {
        let publication = &self.config.keys.publication;
        let published = setup::published_names(&self.session, publication).await?;
        if published == selected.iter().map(|table| table.name.clone()).collect() {
            return Ok(());
        }
        let sql = format!(
            "SELECT pg_get_userbyid(pubowner) FROM pg_publication \
             WHERE pubname = {} AND NOT pg_has_role(pubowner, 'USAGE')",
            quote_literal(publication)
        );
        if let Some(row) = self.session.query(&sql).await?.first() {
            let owner = catalog::text(row, 0)?;
            let message = format!(
                "publication {publication} has not the tables that are selected, and only its owner {owner} may change it"
            );
            let sql = become_one(server, owner);
            self.finding(
                "publication.name",
                "postgres-not-owner",
                message,
                None,
                &sql,
            );
        }
        self.may_name(server, selected).await
    }

    /// Whether the user may name the tables in a publication.
    async fn may_name(&mut self, server: &Server, selected: &[Table]) -> Result<(), Fault> {
        let oids: Vec<String> = selected.iter().map(|table| table.oid.to_string()).collect();
        let sql = format!(
            "SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = ANY ('{{{}}}'::oid[]) AND NOT pg_has_role(c.relowner, 'USAGE') \
             ORDER BY 1, 2 LIMIT {NAMED_TABLES_MAX}",
            oids.join(",")
        );
        for row in self.session.query(&sql).await? {
            let name = TableName::new(catalog::text(&row, 0)?, catalog::text(&row, 1)?).to_string();
            let owner = catalog::text(&row, 2)?;
            let message = format!(
                "table {name} is {owner}'s, and only its owner may publish it: somebody who may makes the publication, \
                 or the user becomes one of {owner}"
            );
            let sql = become_one(server, owner);
            let key = "publication.autocreate.mode";
            self.finding(key, "postgres-not-owner", message, Some(&name), &sql);
        }
        Ok(())
    }

    fn publishes_changes(&mut self, publication: Publication) {
        let skipped = self.config.selection.skipped;
        let missing: Vec<&str> = [
            ("insert", publication.inserts || skipped.create),
            ("update", publication.updates || skipped.update),
            ("delete", publication.deletes || skipped.delete),
            ("truncate", publication.truncates || skipped.truncate),
        ]
        .into_iter()
        .filter_map(|(operation, published)| (!published).then_some(operation))
        .collect();
        if missing.is_empty() {
            return;
        }
        let name = &self.config.keys.publication;
        let message = format!(
            "publication {name} leaves out {}, which skipped.operations does not",
            missing.join(", ")
        );
        let sql = format!(
            "ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate')",
            quote_ident(name)
        );
        self.finding(
            "publication.name",
            "postgres-not-published",
            message,
            None,
            &sql,
        );
    }

    async fn is_published(&mut self, server: &Server, selected: &[Table]) -> Result<(), Fault> {
        let publication = &self.config.keys.publication;
        let published =
            catalog::published_tables(&self.session, publication, server.version).await?;
        let oids: BTreeSet<u32> = published.iter().map(|table| table.oid).collect();
        let families = self.families(&oids).await?;
        let missing = selected
            .iter()
            .filter(|table| !oids.contains(&table.oid) && !families.contains(&table.oid));
        for name in missing.take(NAMED_TABLES_MAX).map(|table| &table.name) {
            let message = format!("table {name} is selected and not in publication {publication}");
            let sql = format!(
                "ALTER PUBLICATION {} ADD TABLE {}",
                quote_ident(publication),
                quoted(name)
            );
            let table = name.to_string();
            self.finding(
                "publication.name",
                "postgres-not-published",
                message,
                Some(&table),
                &sql,
            );
        }
        Ok(())
    }

    /// What is published by another name: a partition as its root's, and a root as its partitions.
    async fn families(&self, published: &BTreeSet<u32>) -> Result<BTreeSet<u32>, Fault> {
        let list: Vec<String> = published.iter().map(u32::to_string).collect();
        let sql = format!(
            "SELECT f.relid::oid FROM unnest('{{{}}}'::oid[]) t(oid), LATERAL \
             (SELECT relid FROM pg_partition_tree(t.oid) UNION SELECT relid FROM pg_partition_ancestors(t.oid)) f",
            list.join(",")
        );
        let family = self.session.query(&sql).await?;
        let oids = family
            .iter()
            .filter_map(|row| row.first()?.as_deref()?.parse().ok());
        Ok(oids.collect())
    }
}

/// The SQL that gives the user what a role owns.
fn become_one(server: &Server, owner: &str) -> String {
    format!(
        "GRANT {} TO {}",
        quote_ident(owner),
        quote_ident(&server.user)
    )
}
