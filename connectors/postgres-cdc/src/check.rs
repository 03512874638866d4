//! Whether a database can be captured as a config says, and what of it deserves a look. Changes nothing.

mod publication;
mod table;

use longshore_sdk::postgres::{Session, quote_ident};
use longshore_sdk::{Ctx, Fault, FaultClass, Problem};

use crate::catalog::{self, Server, Table};
use crate::config::{PostgresConfig, PublicationMode};
use crate::select::TableName;
use crate::setup;
use crate::source::{ask, replicate};
use crate::work::Work;

/// As many tables are named for one reason, and no more.
const NAMED_TABLES_MAX: usize = 100;
/// Tables are described for so long, because somebody waits; the capture describes all of them.
const DESCRIBES_FOR_US: i64 = 5_000_000;

/// Everything that is wrong or deserves a look, as far as it can be known now.
pub(crate) async fn findings(ctx: &Ctx, config: &PostgresConfig) -> Vec<Problem> {
    let mut findings = config.refused.clone();
    findings.extend_from_slice(&config.warnings);
    let session = match ask(ctx, config).await {
        Ok(session) => session,
        Err(fault) => {
            let key = connection_key(&fault).to_owned();
            findings.push(Problem::refusal(&key, fault));
            return findings;
        }
    };
    let work = match config.again() {
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
        let refusal = Problem::refusal("database.hostname", fault);
        checking.findings.push(refusal);
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
        let all = catalog::all_tables(&self.session).await?;
        let selected = self.selected(&all);
        let publication = &self.config.keys.publication;
        let found = catalog::publication(&self.session, publication).await?;
        self.publication(&server, found, &selected).await?;
        let would_take_all =
            found.is_none() && self.config.publication_mode() == PublicationMode::AllTables;
        let published = if would_take_all { &all } else { &selected };
        self.identities(found, published).await?;
        self.tables(&server, &selected).await
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
        let refusal = Problem::refusal(key, fault.with("sql", sql));
        self.findings.push(refusal);
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
    fn selected(&mut self, all: &[Table]) -> Vec<Table> {
        let (config, keys) = (self.config, &self.config.keys);
        let selected: Vec<Table> = all
            .iter()
            .filter(|table| config.selection.takes_table(&table.name))
            .cloned()
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
        selected
    }

    fn finding(&mut self, key: &str, code: &str, message: String, table: Option<&str>, sql: &str) {
        let fault = about(code, message, table, sql);
        self.findings.push(Problem::refusal(key, fault));
    }
}

fn about(code: &str, message: String, table: Option<&str>, sql: &str) -> Fault {
    let mut fault = Fault::new(FaultClass::Config, code, message);
    if let Some(table) = table {
        fault = fault.with("table", table);
    }
    if !sql.is_empty() {
        fault = fault.with("sql", sql);
    }
    fault
}

/// The key whose value a failed connection speaks of.
fn connection_key(fault: &Fault) -> &str {
    fault.detail("key").unwrap_or("database.hostname")
}

fn quoted(name: &TableName) -> String {
    format!("{}.{}", quote_ident(&name.schema), quote_ident(&name.table))
}
