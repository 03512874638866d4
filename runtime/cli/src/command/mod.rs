//! One file a command. Client commands know the REST API and nothing of the worker's inside.

pub(crate) mod connector;
pub(crate) mod demo;
pub(crate) mod health;
pub(crate) mod topic;
pub(crate) mod worker;
