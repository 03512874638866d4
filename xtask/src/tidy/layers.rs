//! Who may depend on whom (DESIGN.md section 2): a layer never looks up or sideways, and a heavy dependency has one room.
//! Development dependencies are outside this rule, but for connectors, which never see the runtime.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::cargo::Workspace;

/// Layers, low to high. The derive macro is part of the SDK and stands below it.
const LAYERS: &[&[&str]] = &[
    &["longshore-model", "longshore-disk", "longshore-rig"],
    &["longshore-sdk-macros"],
    &[
        "longshore-serdes",
        "longshore-cap-files",
        "longshore-cap-postgres",
        "longshore-sdk",
    ],
    &["longshore-pipeline", "longshore-testkit"],
    &["longshore-log", "longshore-host"],
    &[
        "longshore-wire",
        "longshore-worker",
        "file-source",
        "file-sink",
        "postgres-cdc",
    ],
    &["longshore-rest"],
    &["longshore", "longshore-e2e"],
];

/// Dependencies that stay behind one room's walls.
const FENCES: &[(&str, &[&str])] = &[
    ("wasmtime", &["longshore-host"]),
    ("wasmtime-wasi", &["longshore-host"]),
    ("wit-bindgen", &["longshore-sdk"]),
    ("fjall", &["longshore-log"]),
    ("kafka-protocol", &["longshore-wire"]),
    ("axum", &["longshore-rest"]),
    ("utoipa", &["longshore-rest"]),
    ("config", &["longshore"]),
    ("clap", &["longshore"]),
    ("reqwest", &["longshore", "longshore-e2e"]),
    (
        "anyhow",
        &["longshore", "longshore-e2e", "longshore-rig", "xtask"],
    ),
    ("tokio-postgres", &["longshore-cap-postgres"]),
    ("mongodb", &["longshore-cap-mongodb"]),
    ("rdkafka", &["longshore-kafka"]),
];

/// Guests see the SDK and nothing else of ours.
const GUEST_FOLDERS: &[&str] = &["/connectors/", "/runtime/host/zoo", "/testkit/guests"];

pub(super) fn check() -> Result<Vec<String>> {
    let workspace = Workspace::load()?;
    let mut problems = Vec::new();
    for package in &workspace.packages {
        let name = package["name"].as_str().context("a package has no name")?;
        if name != "xtask" {
            check_package(name, package, &mut problems);
        }
    }
    Ok(problems)
}

fn check_package(name: &str, package: &Value, problems: &mut Vec<String>) {
    let manifest = package["manifest_path"].as_str().unwrap_or_default();
    let is_guest = GUEST_FOLDERS.iter().any(|folder| manifest.contains(folder));
    let layer = layer_of(name);
    if layer.is_none() && !is_guest {
        problems.push(format!(
            "{name} stands in no layer of xtask/src/tidy/layers.rs"
        ));
    }
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let to = dependency["name"].as_str().unwrap_or_default();
        let path = dependency["path"].as_str().unwrap_or_default();
        if is_guest && path.contains("/runtime/") {
            problems.push(format!(
                "{name} is a guest and imports {to}, which is of the runtime"
            ));
        }
        if dependency["kind"].as_str() == Some("dev") {
            continue;
        }
        let sdk = ["longshore-sdk", "longshore-model"];
        if is_guest && !path.is_empty() && !sdk.contains(&to) {
            problems.push(format!(
                "{name} is a guest and imports {to}; guests see the SDK only"
            ));
        }
        if let (Some(from), Some(to_layer)) = (layer, layer_of(to))
            && to_layer >= from
        {
            problems.push(format!(
                "{name} imports {to}, which does not stand below it"
            ));
        }
        if let Some((_, rooms)) = FENCES.iter().find(|(fenced, _)| *fenced == to)
            && !rooms.contains(&name)
        {
            problems.push(format!(
                "{name} imports {to}, which only {} may",
                rooms.join(", ")
            ));
        }
    }
}

fn layer_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}
