//! `transforms=a,b` and `transforms.a.type=...`, as in Kafka Connect.

use std::collections::BTreeSet;

use crate::port::{Config, Problem};
use crate::settings::{Lookup, Settings};

/// One step of a chain, as a config names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformSpec {
    /// Its name in the chain.
    pub alias: String,
    /// The plugin's name or alias.
    pub class: String,
    /// The version asked for.
    pub version: Option<String>,
    /// Its own keys, without `transforms.ALIAS.`.
    pub config: Config,
}

/// The chain that a connector's config names, in order.
///
/// # Errors
/// Every key that is wrong, and why.
pub fn parse_chain(connector: &Settings) -> Result<Vec<TransformSpec>, Vec<Problem>> {
    let mut keys = Lookup::new(connector);
    let names = keys.text("transforms").unwrap_or_default();
    let aliases: Vec<&str> = match names {
        "" => Vec::new(),
        names => names.split(',').map(str::trim).collect(),
    };
    let mut seen = BTreeSet::new();
    let mut chain = Vec::new();
    for alias in &aliases {
        if alias.is_empty() || !seen.insert(*alias) {
            keys.problem("transforms", format!("names {alias:?} twice or not at all"));
        } else if let Some(spec) = parse_step(&mut keys, alias) {
            chain.push(spec);
        }
    }
    if keys
        .text("predicates")
        .is_some_and(|predicates| !predicates.is_empty())
    {
        keys.problem("predicates", "do not work yet");
    }
    for (key, _) in Lookup::new(connector).under("transforms.") {
        let named = |alias: &&str| key.strip_prefix(*alias).is_some_and(|k| k.starts_with('.'));
        if !aliases.iter().any(named) {
            keys.problem(
                &format!("transforms.{key}"),
                "belongs to no transform of the list",
            );
        }
    }
    let problems = keys.into_problems();
    if problems.is_empty() {
        Ok(chain)
    } else {
        Err(problems)
    }
}

fn parse_step(keys: &mut Lookup<'_>, alias: &str) -> Option<TransformSpec> {
    let prefix = format!("transforms.{alias}.");
    let mut spec = TransformSpec {
        alias: alias.to_owned(),
        class: String::new(),
        version: None,
        config: Config::new(),
    };
    let mut unknown = Vec::new();
    for (key, value) in keys.under(&prefix) {
        match key {
            "type" => value.trim().clone_into(&mut spec.class),
            "plugin.version" => spec.version = Some(value.trim().to_owned()),
            "predicate" | "negate" => unknown.push(key),
            _ => spec.config.push((key.to_owned(), value.to_owned())),
        }
    }
    for key in unknown {
        keys.problem(
            &format!("{prefix}{key}"),
            "does not work yet: there are no predicates",
        );
    }
    if spec.class.is_empty() {
        keys.problem(
            &format!("{prefix}type"),
            "is missing: it names the transform's plugin",
        );
        return None;
    }
    Some(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn steps_keep_their_order_and_their_keys() {
        let chain = parse_chain(&settings(&[
            ("transforms", "b, a"),
            ("transforms.a.type", "upper"),
            ("transforms.b.type", "mark"),
            ("transforms.b.header", "x"),
        ]))
        .unwrap();
        let names: Vec<_> = chain
            .iter()
            .map(|s| (s.alias.as_str(), s.class.as_str()))
            .collect();
        assert_eq!(names, [("b", "mark"), ("a", "upper")]);
        assert_eq!(chain[0].config, [("header".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn what_does_not_work_is_refused_by_name() {
        let problems = parse_chain(&settings(&[
            ("transforms", "a,a,c"),
            ("transforms.a.type", "upper"),
            ("transforms.a.predicate", "p"),
            ("transforms.z.type", "upper"),
            ("predicates", "p"),
        ]))
        .unwrap_err();
        let keys: Vec<_> = problems.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "transforms.a.predicate",
                "transforms",
                "transforms.c.type",
                "predicates",
                "transforms.z.type"
            ]
        );
    }
}
