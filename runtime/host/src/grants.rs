//! What an instance may reach: what its manifest declares, for what its resolved config names, as
//! far as the worker's policy allows. The policy is that the data directory belongs to nobody.

#[cfg(test)]
mod tests;

use std::path::Path;

use longshore_cap_files::{Access, FilesGrant};
use longshore_cap_postgres::PostgresGrant;
use longshore_model::config::KeyType;
use longshore_model::{Capability, Fault, Manifest};
use longshore_pipeline::port::Config;

use crate::Error;
use crate::manifest::{Facts, without_version};

/// Of WASI, what Rust's std imports; clocks, random and stderr work, there are no files behind the
/// file system and no variables in the environment.
const WASI_GIVEN: [&str; 5] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
];

/// What of the contract needs no grant.
const CONTRACT_GIVEN: [&str; 2] = ["longshore:connect/types", "longshore:host/"];

const FILES: &str = "longshore:files/";
const POSTGRES: &str = "longshore:postgres/";

const NOT_ASKED_FOR: &str =
    "its manifest does not ask for: declare the capability and the config keys that feed it";

/// Checks every import before anything of the component runs.
pub(crate) fn check_imports(facts: &Facts) -> Result<(), Error> {
    for import in &facts.imports {
        let name = without_version(import);
        let given = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let wants = |prefix, wanted: fn(&Capability) -> bool| {
            name.starts_with(prefix)
                .then(|| facts.manifest.capabilities.iter().any(wanted))
        };
        let asked_for = wants(FILES, is_files).or_else(|| wants(POSTGRES, is_postgres));
        let reason = if given(&WASI_GIVEN) || given(&CONTRACT_GIVEN) || asked_for == Some(true) {
            continue;
        } else if asked_for.is_some() {
            NOT_ASKED_FOR
        } else if name.starts_with("wasi:sockets/") || name.starts_with("wasi:http/") {
            "no plugin is given: outside systems are reached through Longshore's capabilities"
        } else {
            "this worker does not have"
        };
        let import = import.clone();
        return Err(Error::ImportNotGranted { import, reason });
    }
    Ok(())
}

fn is_files(capability: &Capability) -> bool {
    matches!(
        capability,
        Capability::ReadFiles { .. } | Capability::WriteFiles { .. }
    )
}

fn is_postgres(capability: &Capability) -> bool {
    matches!(capability, Capability::Postgres { .. })
}

/// The files that a config names under the keys that the manifest declares.
pub(crate) fn files(
    manifest: &Manifest,
    config: &Config,
    working_dir: &Path,
    data_dir: &Path,
) -> Result<FilesGrant, Fault> {
    let mut grant = FilesGrant::new(working_dir.to_owned(), data_dir);
    for capability in &manifest.capabilities {
        let (access, keys) = match capability {
            Capability::ReadFiles { keys } => (Access::Read, keys),
            Capability::WriteFiles { keys } => (Access::Write, keys),
            Capability::Postgres { .. } => continue,
        };
        for key in keys {
            for named in values(manifest, config, key) {
                let granted = grant.name(access, named);
                granted.map_err(|e| Fault::from(e).with("key", key.as_str()))?;
            }
        }
    }
    Ok(grant)
}

/// The server that a config names under the prefix that the manifest declares.
pub(crate) fn postgres(
    manifest: &Manifest,
    config: &Config,
) -> Result<Option<PostgresGrant>, Fault> {
    let prefixes = manifest.capabilities.iter().find_map(|it| match it {
        Capability::Postgres { keys } => Some(keys),
        Capability::ReadFiles { .. } | Capability::WriteFiles { .. } => None,
    });
    let Some(prefix) = prefixes.and_then(|prefixes| prefixes.first()) else {
        return Ok(None);
    };
    let lookup = |key: &str| value(manifest, config, key);
    let grant = PostgresGrant::from_config(&format!("{prefix}."), lookup);
    grant.map(Some).map_err(Fault::from)
}

/// What a config says under a key, or its default; the elements of a list one by one.
fn values<'a>(manifest: &'a Manifest, config: &'a Config, key: &str) -> Vec<&'a str> {
    let value = value(manifest, config, key);
    let definition = manifest.config.key(key);
    let is_list = definition.is_some_and(|key| key.key_type == KeyType::List);
    let values = value.into_iter().flat_map(|value| {
        let separator = if is_list { ',' } else { '\0' };
        value.split(separator).map(str::trim)
    });
    values.filter(|value| !value.is_empty()).collect()
}

/// What a config says under a key, or its default.
fn value<'a>(manifest: &'a Manifest, config: &'a Config, key: &str) -> Option<&'a str> {
    let given = config.iter().find(|(name, _)| name == key);
    let given = given.map(|(_, value)| value);
    let value = given.or_else(|| manifest.config.key(key)?.default.as_ref());
    value.map(String::as_str)
}

/// The config as a guest sees it: what is of type password is replaced by a handle.
pub(crate) fn conceal(manifest: &Manifest, config: &Config) -> Config {
    let conceal = |(key, value): &(String, String)| {
        let value = if is_password(manifest, key) {
            handle(key)
        } else {
            value.clone()
        };
        (key.clone(), value)
    };
    config.iter().map(conceal).collect()
}

/// Puts back what [`conceal`] took out of a config that a guest returns.
pub(crate) fn reveal(manifest: &Manifest, original: &Config, config: Config) -> Config {
    let reveal = |(key, value): (String, String)| {
        let concealed = is_password(manifest, &key) && value == handle(&key);
        let secret = original.iter().find(|(name, _)| concealed && *name == key);
        let value = secret.map_or(value, |(_, secret)| secret.clone());
        (key, value)
    };
    config.into_iter().map(reveal).collect()
}

fn is_password(manifest: &Manifest, key: &str) -> bool {
    let key = manifest.config.key(key);
    key.is_some_and(|key| key.key_type == KeyType::Password)
}

fn handle(key: &str) -> String {
    format!("secret:{key}")
}
