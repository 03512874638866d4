//! The exports that every plugin has.

use super::bindings::imports::longshore::connect::types as wit;
use super::bindings::plugin::exports::longshore::connect::plugin;
use super::convert::{config_in, problem_out};
use crate::{Config, ConfigMap, Ctx, Problem, Sink, Source, Transform};

/// What [`crate::plugin!`] implements for every plugin, by one of the functions below.
pub trait PluginExports: 'static {
    /// What is wrong with the config.
    fn validate(submitted: ConfigMap) -> impl Future<Output = Vec<Problem>>;
}

impl<P: PluginExports> plugin::Guest for P {
    async fn validate(config: wit::Config) -> Vec<wit::Problem> {
        let problems = <P as PluginExports>::validate(config_in(config)).await;
        problems.into_iter().map(problem_out).collect()
    }
}

/// Checks a source's config.
pub async fn validate_source<S: Source>(submitted: ConfigMap) -> Vec<Problem> {
    match Config::parse(&submitted) {
        Ok(config) => S::validate(&Ctx::guest(), config).await,
        Err(fault) => vec![Problem::from(fault)],
    }
}

/// Checks a sink's config.
pub async fn validate_sink<S: Sink>(submitted: ConfigMap) -> Vec<Problem> {
    match Config::parse(&submitted) {
        Ok(config) => S::validate(&Ctx::guest(), config).await,
        Err(fault) => vec![Problem::from(fault)],
    }
}

/// Checks a transform's config by making the transform.
pub async fn validate_transform<T: Transform>(submitted: ConfigMap) -> Vec<Problem> {
    let configured =
        Config::parse(&submitted).and_then(|config| T::configure(&Ctx::guest(), config));
    configured.err().map(Problem::from).into_iter().collect()
}
