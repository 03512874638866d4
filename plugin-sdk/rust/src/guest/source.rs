//! The exports of a source over the author's [`Source`].

use std::thread::LocalKey;

use super::bindings::cleanup::exports::longshore::connect::cleanup;
use super::bindings::contracts::exports::longshore::connect::contracts;
use super::bindings::imports::longshore::connect::types as wit;
use super::bindings::source::exports::longshore::connect::source;
use super::convert::{config_in, config_out, fault_out, positions_in, task_in, watermark_out};
use super::slot::Slot;
use crate::{Cleanup, Config, Contracts, Ctx, PollLimits, Source};

/// What [`crate::plugin!`] implements for a source.
pub trait SourceExports: 'static {
    /// The author's connector.
    type Source: Source;

    /// Where it lives between calls.
    fn slot() -> &'static LocalKey<Slot<Self::Source>>;
}

impl<P: SourceExports> source::Guest for P {
    async fn plan(config: wit::Config, max_tasks: u32) -> Result<Vec<wit::Config>, wit::Fault> {
        let submitted = config_in(config);
        let config = Config::parse(&submitted).map_err(fault_out)?;
        let tasks = P::Source::plan(&Ctx::guest(), config, submitted, max_tasks).await;
        let tasks = tasks.map_err(fault_out)?;
        Ok(tasks.into_iter().map(config_out).collect())
    }

    async fn open(
        context: wit::TaskContext,
        config: wit::Config,
        positions: Vec<wit::SourcePosition>,
    ) -> Result<(), wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        let task = task_in(context);
        let opened = P::Source::open(&Ctx::guest(), task, config, positions_in(positions)).await;
        P::slot().with(|slot| opened.map(|source| slot.put(source)).map_err(fault_out))
    }

    async fn poll(records_max: u32, bytes_max: u32) -> Result<source::PollResult, wit::Fault> {
        let mut connector = P::slot().with(Slot::take).map_err(fault_out)?;
        let limits = PollLimits {
            records_max,
            bytes_max,
        };
        let polled = connector.poll(&Ctx::guest(), limits).await;
        P::slot().with(|slot| slot.put(connector));
        let polled = polled.map_err(fault_out)?;
        Ok(source::PollResult {
            batch: polled.batch,
            watermarks: polled.watermarks.into_iter().map(watermark_out).collect(),
            store_now: polled.store_now,
        })
    }

    async fn commit(positions: Vec<wit::SourcePosition>) {
        if let Ok(mut connector) = P::slot().with(Slot::take) {
            connector
                .commit(&Ctx::guest(), positions_in(positions))
                .await;
            P::slot().with(|slot| slot.put(connector));
        }
    }

    async fn close() {
        if let Ok(connector) = P::slot().with(Slot::take) {
            connector.close(&Ctx::guest()).await;
        }
    }

    async fn alter_offsets(
        config: wit::Config,
        positions: Vec<wit::SourcePosition>,
    ) -> Result<bool, wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        P::Source::alter_offsets(&Ctx::guest(), config, positions_in(positions))
            .await
            .map_err(fault_out)
    }
}

/// What [`crate::plugin!`] implements for a source that knows its contracts beforehand.
pub trait ContractsExports: 'static {
    /// The author's connector.
    type Source: Contracts;
}

impl<P: ContractsExports> contracts::Guest for P {
    async fn contracts(config: wit::Config) -> Result<Vec<contracts::Contract>, wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        let promised = P::Source::contracts(&Ctx::guest(), config).await;
        let one = |contract: crate::Contract| contracts::Contract {
            topic: contract.topic,
            key_schema: contract.key_schema,
            value_schema: contract.value_schema,
        };
        Ok(promised.map_err(fault_out)?.into_iter().map(one).collect())
    }
}

/// What [`crate::plugin!`] implements for a source that can clean up behind itself.
pub trait CleanupExports: 'static {
    /// The author's connector.
    type Source: Cleanup;
}

impl<P: CleanupExports> cleanup::Guest for P {
    async fn leftovers(
        config: wit::Config,
        positions: Vec<wit::SourcePosition>,
    ) -> Result<Vec<cleanup::Leftover>, wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        let left = P::Source::leftovers(&Ctx::guest(), config, positions_in(positions)).await;
        let one = |leftover: crate::Leftover| cleanup::Leftover {
            kind: leftover.kind,
            name: leftover.name,
            bytes: leftover.bytes,
            command: leftover.command,
        };
        Ok(left.map_err(fault_out)?.into_iter().map(one).collect())
    }

    async fn cleanup(
        config: wit::Config,
        positions: Vec<wit::SourcePosition>,
    ) -> Result<(), wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        P::Source::cleanup(&Ctx::guest(), config, positions_in(positions))
            .await
            .map_err(fault_out)
    }
}
