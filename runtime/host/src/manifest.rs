//! What a plugin says about itself, read without running it.

#[cfg(test)]
pub(crate) mod tests;

use longshore_model::{MANIFEST_SECTION, Manifest, Role};
use wasmparser::{Encoding, Parser, Payload};

use crate::Error;

/// The version of the contract that this host speaks.
const CONTRACT: &str = "0.1";

/// A component's manifest, and the interfaces that it takes and gives.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The manifest.
    pub manifest: Manifest,
    /// Interfaces that it imports, with versions.
    pub imports: Vec<String>,
    /// Interfaces that it exports, with versions.
    pub exports: Vec<String>,
}

impl Facts {
    /// Reads a component file: the whole of it first, so that hostile bytes are an error here and
    /// nowhere later.
    ///
    /// # Errors
    /// When it is not a component, or its manifest is missing, wrong or promises what is not there.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let found = Sections::read(bytes)?;
        let json = match (found.top_level.as_slice(), found.nested.as_slice()) {
            ([json], _) | ([], [json]) => json,
            ([], []) => return Err(Error::NoManifest),
            ([], several) | (several, _) => return Err(Error::SeveralManifests(several.len())),
        };
        let manifest = Manifest::from_json(json)?;
        if manifest.contract != CONTRACT {
            let contract = manifest.contract;
            return Err(Error::Contract { contract });
        }
        let facts = Self {
            manifest,
            imports: found.imports,
            exports: found.exports,
        };
        for role in &facts.manifest.roles {
            facts.check_role(*role)?;
        }
        Ok(facts)
    }

    fn check_role(&self, role: Role) -> Result<(), Error> {
        let export = match role {
            Role::Source => "longshore:connect/source",
            Role::Sink => "longshore:connect/sink",
            Role::Transform => "longshore:connect/transform",
        };
        for export in ["longshore:connect/plugin", export] {
            if !self.exports(export) {
                return Err(Error::MissingExport { role, export });
            }
        }
        Ok(())
    }

    /// Whether it exports an interface, whatever the version.
    pub(crate) fn exports(&self, interface: &str) -> bool {
        self.exports
            .iter()
            .any(|name| without_version(name) == interface)
    }
}

/// `longshore:files/files` of `longshore:files/files@0.1.0`.
pub(crate) fn without_version(interface: &str) -> &str {
    interface
        .split_once('@')
        .map_or(interface, |(name, _)| name)
}

#[derive(Default)]
struct Sections<'a> {
    top_level: Vec<&'a [u8]>,
    nested: Vec<&'a [u8]>,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl<'a> Sections<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut found = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(not_a_component)? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding != Encoding::Component {
                        let reason = "it is a core module".to_owned();
                        return Err(Error::NotAComponent(reason));
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                    let list = if depth == 1 {
                        &mut found.top_level
                    } else {
                        &mut found.nested
                    };
                    list.push(section.data());
                }
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        let import = import.map_err(not_a_component)?;
                        found.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        let export = export.map_err(not_a_component)?;
                        found.exports.push(export.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        if depth == 0 {
            Ok(found)
        } else {
            Err(Error::NotAComponent("it ends in the middle".to_owned()))
        }
    }
}

fn not_a_component(error: wasmparser::BinaryReaderError) -> Error {
    Error::NotAComponent(error.to_string())
}
