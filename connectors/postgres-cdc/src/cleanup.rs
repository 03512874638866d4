//! What a deleted capture leaves behind: its slot, which makes the server keep its log for ever.

use longshore_sdk::{Cleanup, Ctx, Fault, Leftover, SourcePosition};

use crate::catalog;
use crate::config::PostgresConfig;
use crate::position::Place;
use crate::source::{PostgresSource, ask, replicate};

/// How long a slot that is still in use is waited for.
const DROP_TIMEOUT_MS: u64 = 10_000;

impl Cleanup for PostgresSource {
    async fn leftovers(
        ctx: &Ctx,
        config: PostgresConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Vec<Leftover>, Fault> {
        let name = &config.keys.slot;
        if !made(&config, &positions) {
            return Ok(Vec::new());
        }
        let asking = ask(ctx, &config).await?;
        let slot = catalog::slot(&asking, name).await?;
        let leftover = slot.map(|slot| Leftover {
            kind: "replication slot".to_owned(),
            name: name.clone(),
            bytes: Some(slot.retained_bytes),
            command: format!("SELECT pg_drop_replication_slot('{name}')"),
        });
        Ok(leftover.into_iter().collect())
    }

    async fn cleanup(
        ctx: &Ctx,
        config: PostgresConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<(), Fault> {
        let name = &config.keys.slot;
        if !made(&config, &positions) {
            return Ok(());
        }
        let asking = ask(ctx, &config).await?;
        if catalog::slot(&asking, name).await?.is_none() {
            return Ok(());
        }
        replicate(ctx).await?.drop_slot(name, DROP_TIMEOUT_MS).await
    }
}

/// Whether the slot is this capture's. One that was only for a snapshot is gone.
fn made(config: &PostgresConfig, positions: &[SourcePosition]) -> bool {
    let keys = &config.keys;
    let is_ours = |place: Place| {
        let history = &place.history;
        let same = history.slot == keys.slot && history.database == keys.database;
        same && place.finished_at().is_none()
    };
    let mut places = positions
        .iter()
        .filter_map(|stored| Place::parse(stored).ok());
    places.any(is_ours)
}
