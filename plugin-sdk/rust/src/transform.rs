//! What a transform implements.

use longshore_model::Fault;
use longshore_model::batch::{Batch, BatchWriter};

use crate::{Config, Ctx};

/// Changes records on their way: a plain function over batches that waits for nothing.
pub trait Transform: Sized + 'static {
    /// The transform's config.
    type Config: Config;

    /// Makes the transform.
    ///
    /// # Errors
    /// When the config cannot work.
    fn configure(ctx: &Ctx, config: Self::Config) -> Result<Self, Fault>;

    /// Returns the batch that takes the input's place. A row keeps the origin of the row it came
    /// from; a row left out was dropped; a row that cannot be transformed carries a fault.
    ///
    /// # Errors
    /// The whole batch failed.
    fn apply(&mut self, ctx: &Ctx, batch: &Batch<Vec<u8>>) -> Result<BatchWriter, Fault>;
}
