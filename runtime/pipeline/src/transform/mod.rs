//! Transforms: which ones a config names, and the chain of instances that batches go through.

mod chain;
mod spec;

pub use chain::Chain;
pub(crate) use chain::numbered;
pub use spec::{TransformSpec, parse_chain};
