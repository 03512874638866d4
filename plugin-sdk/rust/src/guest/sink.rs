//! The exports of a sink over the author's [`Sink`].

use std::thread::LocalKey;

use longshore_model::batch::Batch;

use super::bindings::imports::longshore::connect::types as wit;
use super::bindings::sink::exports::longshore::connect::sink;
use super::convert::{
    assigned_in, config_in, config_out, fault_out, places_in, places_out, row_fault_out, task_in,
};
use super::slot::Slot;
use crate::{AssignmentChange, Config, Ctx, Sink};

/// What [`crate::plugin!`] implements for a sink.
pub trait SinkExports: 'static {
    /// The author's connector.
    type Sink: Sink;

    /// Where it lives between calls.
    fn slot() -> &'static LocalKey<Slot<Self::Sink>>;
}

impl<P: SinkExports> sink::Guest for P {
    async fn plan(config: wit::Config, max_tasks: u32) -> Result<Vec<wit::Config>, wit::Fault> {
        let submitted = config_in(config);
        let config = Config::parse(&submitted).map_err(fault_out)?;
        let tasks = P::Sink::plan(&Ctx::guest(), config, submitted, max_tasks).await;
        let tasks = tasks.map_err(fault_out)?;
        Ok(tasks.into_iter().map(config_out).collect())
    }

    async fn open(
        context: wit::TaskContext,
        config: wit::Config,
        assigned: Vec<wit::Assignment>,
    ) -> Result<Vec<wit::TopicPosition>, wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        let (task, assigned) = (task_in(context), assigned_in(assigned));
        let opened = P::Sink::open(&Ctx::guest(), task, config, assigned).await;
        let (connector, start) = opened.map_err(fault_out)?;
        P::slot().with(|slot| slot.put(connector));
        Ok(places_out(start))
    }

    async fn partitions_changed(
        assigned: Vec<wit::Assignment>,
        revoked: Vec<wit::TopicPosition>,
        lost: Vec<wit::TopicPosition>,
        generation: u64,
    ) -> Result<Vec<wit::TopicPosition>, wit::Fault> {
        let mut connector = P::slot().with(Slot::take).map_err(fault_out)?;
        let change = AssignmentChange {
            assigned: assigned_in(assigned),
            revoked: places_in(revoked),
            lost: places_in(lost),
            generation,
        };
        let start = connector.partitions_changed(&Ctx::guest(), change).await;
        P::slot().with(|slot| slot.put(connector));
        start.map(places_out).map_err(fault_out)
    }

    async fn put(generation: u64, batch: Vec<u8>) -> Result<Vec<wit::RowFault>, wit::Fault> {
        let batch = Batch::parse(batch).map_err(|malformed| fault_out(malformed.into()))?;
        let mut connector = P::slot().with(Slot::take).map_err(fault_out)?;
        let failed = connector.put(&Ctx::guest(), generation, batch).await;
        P::slot().with(|slot| slot.put(connector));
        let failed = failed.map_err(fault_out)?;
        Ok(failed.into_iter().map(row_fault_out).collect())
    }

    async fn flush() -> Result<Vec<wit::TopicPosition>, wit::Fault> {
        let mut connector = P::slot().with(Slot::take).map_err(fault_out)?;
        let safe = connector.flush(&Ctx::guest()).await;
        P::slot().with(|slot| slot.put(connector));
        safe.map(places_out).map_err(fault_out)
    }

    async fn close() {
        if let Ok(connector) = P::slot().with(Slot::take) {
            connector.close(&Ctx::guest()).await;
        }
    }

    async fn alter_offsets(
        config: wit::Config,
        positions: Vec<wit::TopicPosition>,
    ) -> Result<bool, wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        P::Sink::alter_offsets(&Ctx::guest(), config, places_in(positions))
            .await
            .map_err(fault_out)
    }
}
