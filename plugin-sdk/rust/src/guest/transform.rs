//! The exports of a transform over the author's [`Transform`].

use std::thread::LocalKey;

use longshore_model::batch::Batch;

use super::bindings::imports::longshore::connect::types as wit;
use super::bindings::transform::exports::longshore::connect::transform;
use super::convert::{config_in, fault_out};
use super::slot::Slot;
use crate::{Config, Ctx, Transform};

/// What [`crate::plugin!`] implements for a transform.
pub trait TransformExports: 'static {
    /// The author's transform.
    type Transform: Transform;

    /// Where it lives between calls.
    fn slot() -> &'static LocalKey<Slot<Self::Transform>>;
}

impl<P: TransformExports> transform::Guest for P {
    fn configure(config: wit::Config) -> Result<(), wit::Fault> {
        let config = Config::parse(&config_in(config)).map_err(fault_out)?;
        let transform = P::Transform::configure(&Ctx::guest(), config).map_err(fault_out)?;
        P::slot().with(|slot| slot.put(transform));
        Ok(())
    }

    fn apply(batch: Vec<u8>) -> Result<Vec<u8>, wit::Fault> {
        let batch = Batch::parse(batch).map_err(|malformed| fault_out(malformed.into()))?;
        let mut transform = P::slot().with(Slot::take).map_err(fault_out)?;
        let applied = transform.apply(&Ctx::guest(), &batch);
        P::slot().with(|slot| slot.put(transform));
        let writer = applied.map_err(fault_out)?;
        writer
            .finish()
            .map_err(|malformed| fault_out(malformed.into()))
    }
}
