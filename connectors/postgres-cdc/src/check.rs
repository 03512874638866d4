//! Whether a database can be captured as a config says. Changes nothing.

use std::collections::BTreeSet;

use longshore_sdk::postgres::{Session, quote_ident};
use longshore_sdk::{Ctx, Fault, FaultClass, Problem};

use crate::catalog::{self, Publication, Server, Table};
use crate::config::{PostgresConfig, PublicationMode, SnapshotMode};
use crate::select::TableName;
use crate::setup;
use crate::source::{ask, replicate};
use crate::work::Work;

/// Most tables that are named one by one.
const TABLES_MAX: usize = 100;

/// Everything that is wrong, as far as it can be known now.
pub(crate) async fn findings(ctx: &Ctx, config: &PostgresConfig) -> Vec<Problem> {
    let mut findings = config.refused.clone();
    let session = match ask(ctx, config).await {
        Ok(session) => session,
        Err(fault) => {
            let key = connection_key(&fault).to_owned();
            findings.push(at(&key, fault));
            return findings;
        }
    };
    let work = match config.original() {
        Ok(config) => Work::new(config),
        Err(fault) => {
            findings.push(Problem::from(fault));
            return findings;
        }
    };
    let mut checking = Checking {
        ctx,
        config,
        work,
        session,
        findings,
    };
    if let Err(fault) = checking.everything().await {
        checking.findings.push(at("database.hostname", fault));
    }
    checking.findings
}

struct Checking<'a> {
    ctx: &'a Ctx,
    config: &'a PostgresConfig,
    work: Work,
    session: Session,
    findings: Vec<Problem>,
}

impl Checking<'_> {
    async fn everything(&mut self) -> Result<(), Fault> {
        let server = catalog::server(&self.session).await?;
        if let Err(fault) = setup::check_server(&server) {
            self.findings.push(Problem::from(fault));
        }
        self.replication(&server).await;
        self.slot(&server).await?;
        let publication = &self.config.keys.publication;
        let found = catalog::publication(&self.session, publication).await?;
        let tables = self.tables(&server, found).await?;
        for table in tables.iter().take(TABLES_MAX) {
            self.table(&server, table).await?;
        }
        Ok(())
    }

    /// Rights and free senders show by connecting.
    async fn replication(&mut self, server: &Server) {
        let identified = match replicate(self.ctx).await {
            Ok(replication) => replication.identify().await.map(|_| ()),
            Err(fault) => Err(fault),
        };
        let Err(fault) = identified else {
            return;
        };
        let user = quote_ident(&server.user);
        let (key, sql) = if server.replicates {
            let more = server.senders_max + 10;
            (
                "database.hostname",
                format!("ALTER SYSTEM SET max_wal_senders = {more}"),
            )
        } else {
            ("database.user", format!("ALTER ROLE {user} REPLICATION"))
        };
        self.findings.push(at(key, fault.with("sql", sql)));
    }

    async fn slot(&mut self, server: &Server) -> Result<(), Fault> {
        let keys = &self.config.keys;
        match catalog::slot(&self.session, &keys.slot).await? {
            Some(slot) => {
                if let Err(fault) = setup::is_ours(&keys.slot, &slot, &keys.database) {
                    self.findings.push(Problem::from(fault));
                }
            }
            None if server.slots >= server.slots_max => {
                let message = format!(
                    "all {} replication slots of the server are taken (max_replication_slots)",
                    server.slots_max
                );
                let more = server.slots_max + 10;
                let sql = format!("ALTER SYSTEM SET max_replication_slots = {more}");
                self.finding("slot.name", "postgres-no-free-slot", message, None, &sql);
            }
            None => {}
        }
        Ok(())
    }

    /// The tables that would be captured.
    async fn tables(
        &mut self,
        server: &Server,
        publication: Option<Publication>,
    ) -> Result<Vec<Table>, Fault> {
        let (config, keys) = (self.config, &self.config.keys);
        let all = catalog::all_tables(&self.session).await?;
        let selected: Vec<Table> = (all.into_iter())
            .filter(|table| config.selection.takes_table(&table.name))
            .collect();
        for name in config.selection.named_tables(keys.table_include.as_deref()) {
            let is_there = |table: &Table| table.name.to_string().eq_ignore_ascii_case(name);
            if !selected.iter().any(is_there) {
                let message = format!("table {name} of table.include.list does not exist");
                self.finding(
                    "table.include.list",
                    "postgres-no-table",
                    message,
                    Some(name),
                    "",
                );
            }
        }
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
            (None, mode) => self.may_publish(server, mode, &selected).await?,
            (Some(publication), mode) => {
                self.publishes_changes(publication);
                if mode != PublicationMode::Filtered {
                    self.is_published(server, &selected).await?;
                }
            }
        }
        Ok(selected)
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
        let allowed = is_super || (mode == PublicationMode::Filtered && may_create);
        if allowed {
            return Ok(());
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
        let unpublished = selected.iter().filter(|table| !oids.contains(&table.oid));
        let mut missing = Vec::new();
        for table in unpublished.take(TABLES_MAX) {
            // A partition may be published as its root's, and a root as its partitions.
            if !self.is_part_of(table, &oids).await? {
                missing.push(table.name.clone());
            }
        }
        for name in missing {
            let message = format!("table {name} is selected and not in publication {publication}");
            let sql = format!(
                "ALTER PUBLICATION {} ADD TABLE {}",
                quote_ident(publication),
                quoted(&name)
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

    async fn is_part_of(&self, table: &Table, published: &BTreeSet<u32>) -> Result<bool, Fault> {
        let sql = format!(
            "SELECT relid::oid FROM pg_partition_tree({oid}) UNION \
             SELECT relid::oid FROM pg_partition_ancestors({oid})",
            oid = table.oid
        );
        let family = self.session.query(&sql).await?;
        let mut oids = family
            .iter()
            .filter_map(|row| row.first()?.as_deref()?.parse::<u32>().ok());
        Ok(oids.any(|oid| published.contains(&oid)))
    }

    /// What a snapshot may read, and what the table's types are.
    async fn table(&mut self, server: &Server, table: &Table) -> Result<(), Fault> {
        let reads = self.config.snapshot_mode() != SnapshotMode::NoData;
        let name = table.name.to_string();
        if reads && !table.readable {
            let message = format!("{} may not read {name}, which a snapshot does", server.user);
            let sql = format!(
                "GRANT SELECT ON {} TO {}",
                quoted(&table.name),
                quote_ident(&server.user)
            );
            self.finding(
                "database.user",
                "postgres-no-select",
                message,
                Some(&name),
                &sql,
            );
        }
        let description = self.work.describe(&self.session, table.oid).await?;
        let published = table.columns.as_deref();
        let making = self.work.making(self.ctx);
        if let Err(fault) = making.described(&table.name, table.identity, published, &description) {
            let key = fault.detail("key").unwrap_or("unknown.types").to_owned();
            self.findings.push(at(&key, fault));
        }
        Ok(())
    }

    fn finding(&mut self, key: &str, code: &str, message: String, table: Option<&str>, sql: &str) {
        let mut fault = Fault::new(FaultClass::Config, code, message);
        if let Some(table) = table {
            fault = fault.with("table", table);
        }
        if !sql.is_empty() {
            fault = fault.with("sql", sql);
        }
        self.findings.push(at(key, fault));
    }
}

fn at(key: &str, fault: Fault) -> Problem {
    Problem {
        key: key.to_owned(),
        fault,
    }
}

/// The key whose value a failed connection speaks of.
fn connection_key(fault: &Fault) -> &str {
    fault.detail("key").unwrap_or("database.hostname")
}

fn quoted(name: &TableName) -> String {
    format!("{}.{}", quote_ident(&name.schema), quote_ident(&name.table))
}
