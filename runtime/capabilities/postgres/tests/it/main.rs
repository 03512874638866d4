//! The capability against a real PostgreSQL, and against scripted servers that do what a real one
//! does rarely.

mod certificate;
mod copy;
mod login;
mod script;
mod scripted;
mod server;
mod session;
mod slot;
mod stream;
mod tls;

use std::time::Duration;

use longshore_cap_postgres::{Error, PostgresClient, PostgresGrant, Session};
use longshore_model::Fault;
use tokio::runtime::Handle;

/// How soon a server shows what happened to it.
const CHANGES_WITHIN: Duration = Duration::from_secs(60);

/// A client of the current runtime under a config of `database.` keys.
fn client(config: &[(&str, &str)]) -> PostgresClient {
    let lookup = |key: &str| {
        let name = key.strip_prefix("database.")?;
        let found = config.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| *value)
    };
    let grant = PostgresGrant::from_config("database.", lookup).expect("a config that is right");
    PostgresClient::new(Some(grant), Handle::current())
}

/// The fault that a plugin sees.
fn fault<T>(outcome: Result<T, Error>) -> Fault {
    match outcome {
        Ok(_) => panic!("it went well"),
        Err(error) => error.into(),
    }
}

/// Runs a statement and gathers its rows.
async fn query(session: &Session, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
    let rows = session.query(sql).await?;
    let mut all = Vec::new();
    loop {
        let mut page = rows.read(1 << 20).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.append(&mut page);
    }
}

/// Asks until the server answers so.
async fn until(session: &Session, sql: &str, expected: &str) {
    let asking = async { while value(session, sql).await != expected {} };
    let asked = tokio::time::timeout(CHANGES_WITHIN, asking).await;
    asked.unwrap_or_else(|_| panic!("{sql} is not {expected} within {CHANGES_WITHIN:?}"));
}

/// The only value of a statement's only row.
async fn value(session: &Session, sql: &str) -> String {
    let rows = query(session, sql)
        .await
        .expect("a statement that is right");
    let value = rows.into_iter().flatten().next().flatten();
    value.expect("a value")
}
