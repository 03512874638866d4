//! One connector at work: its plan, its tasks, and the loop that keeps them as they are wanted.

mod cleanup;
mod plan;
mod runner;
mod selection;
mod tasks;

pub(crate) use cleanup::leftovers;
pub(crate) use plan::{Plan, kind_of, plugin_config};
pub(crate) use runner::{Desired, Report, Runner};
pub(crate) use selection::TopicSelection;
