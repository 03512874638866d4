//! One task: where it stands, and the future that it is.

mod run;
mod state;

pub(crate) use run::{Launch, Start};
pub(crate) use state::{Effect, Event, TaskState};
