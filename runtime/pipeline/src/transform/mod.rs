//! Transforms: which ones a config names, and the chain of instances that batches go through.

mod chain;
mod spec;

pub use chain::Chain;
pub use spec::{TransformSpec, parse_chain};
