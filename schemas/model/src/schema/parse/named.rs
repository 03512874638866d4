//! Records, enums and fixed types, which are defined once and used by name.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Parsed, Parser, full_name};
use crate::json::Json;
use crate::schema::{
    DECIMAL, DEFAULT_NAME, ENUM_PARAMETER, FIXED_SIZE_PARAMETER, Field, InvalidSchema, Kind,
    SCHEMA_NODES_MAX, Schema, defaults,
};

/// Bytes of names, parameters and defaults that count as one node when a type is used again.
const NODE_BYTES: usize = 64;

/// The named types by full name; `None` while one is being read.
pub(super) type Names = BTreeMap<String, Option<Definition>>;

#[derive(Debug)]
pub(super) struct Definition {
    schema: Schema,
    /// What each use counts for.
    nodes: usize,
}

impl Parser {
    pub(super) fn reference(&mut self, name: &str, namespace: &str) -> Parsed {
        let full = full_name(name, namespace);
        let found = self.names.get(&full).or_else(|| self.names.get(name));
        match found {
            Some(Some(definition)) => {
                let (schema, nodes) = (definition.schema.clone(), definition.nodes);
                self.count(nodes)?;
                Ok(schema)
            }
            Some(None) => Err(self.unsupported("recursive types do not work yet")),
            None if name == "null" => Err(self.unsupported("null alone is no type of Connect")),
            None => Err(InvalidSchema::UnknownType {
                path: self.path(),
                name: name.to_owned(),
            }),
        }
    }

    pub(super) fn named(
        &mut self,
        avro_type: &str,
        json: &Json<'_>,
        namespace: &str,
        depth: usize,
    ) -> Parsed {
        let Some(name) = json.get("name").and_then(Json::as_str) else {
            return Err(self.attribute("name", "a type's name"));
        };
        let namespace = json
            .get("namespace")
            .and_then(Json::as_str)
            .unwrap_or(namespace);
        let full = full_name(name, namespace);
        let namespace = full.rsplit_once('.').map_or("", |(space, _)| space);
        if self.names.insert(full.clone(), None).is_some() {
            let path = self.path();
            return Err(InvalidSchema::Duplicate { path, name: full });
        }
        let before = self.nodes;
        let mut schema = match avro_type {
            "enum" => self.enumeration(&full, json)?,
            "fixed" => self.fixed(&full, json)?,
            _ => self.record(json, namespace, depth)?,
        };
        self.annotate(&mut schema, json)?;
        if schema.name.is_none() && !full.starts_with(DEFAULT_NAME) {
            schema.name = Some(full.clone());
        }
        let nodes = self.nodes - before + weight(&schema) / NODE_BYTES;
        let definition = Definition {
            schema: schema.clone(),
            nodes: nodes.min(SCHEMA_NODES_MAX),
        };
        self.names.insert(full, Some(definition));
        Ok(schema)
    }

    fn record(&mut self, json: &Json<'_>, namespace: &str, depth: usize) -> Parsed {
        let Some(list) = json.get("fields").and_then(Json::as_array) else {
            return Err(self.attribute("fields", "a list"));
        };
        let mut fields: Vec<Field> = Vec::with_capacity(list.len());
        let mut names = BTreeSet::new();
        for item in list {
            let field = self.field(item, namespace, depth)?;
            if !names.insert(field.name.clone()) {
                return Err(InvalidSchema::Duplicate {
                    path: self.path(),
                    name: field.name,
                });
            }
            fields.push(field);
        }
        Ok(Schema::new(Kind::Struct(fields.into())))
    }

    fn enumeration(&mut self, full: &str, json: &Json<'_>) -> Parsed {
        let symbols = json.get("symbols").and_then(Json::as_array);
        let symbols: Option<Arc<[String]>> = symbols.and_then(|symbols| {
            let names = symbols.iter().map(|s| s.as_str().map(ToOwned::to_owned));
            names.collect()
        });
        let Some(symbols) = symbols else {
            return Err(self.attribute("symbols", "a list of names"));
        };
        self.count(symbols.len())?;
        let mut schema = Schema::new(Kind::Enum {
            name: full.to_owned(),
            symbols: Arc::clone(&symbols),
        });
        schema
            .parameters
            .push((ENUM_PARAMETER.to_owned(), full.to_owned()));
        let mut seen = BTreeSet::new();
        for symbol in symbols.iter() {
            if !seen.insert(symbol) {
                let (path, name) = (self.path(), symbol.clone());
                return Err(InvalidSchema::Duplicate { path, name });
            }
            let parameter = format!("{ENUM_PARAMETER}.{symbol}");
            schema.parameters.push((parameter, symbol.clone()));
        }
        Ok(schema)
    }

    fn fixed(&mut self, full: &str, json: &Json<'_>) -> Parsed {
        let size = json.get("size").and_then(Json::as_i64);
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else {
            return Err(self.attribute("size", "a number of bytes"));
        };
        let mut schema = Schema::new(Kind::Fixed {
            name: full.to_owned(),
            size,
        });
        let is_decimal = json.get("logicalType").and_then(Json::as_str) == Some("decimal");
        if is_decimal {
            schema.name = Some(DECIMAL.to_owned());
        }
        schema.set_parameter(FIXED_SIZE_PARAMETER, &format!("{size}"));
        Ok(schema)
    }
}

/// The bytes that a copy of the schema takes beside what it shares.
fn weight(schema: &Schema) -> usize {
    let parameters = schema
        .parameters
        .iter()
        .map(|(name, value)| name.len() + value.len());
    let mut default = String::new();
    if let Some(value) = &schema.default {
        defaults::write(&mut default, schema, value);
    }
    let texts = schema.name.iter().chain(&schema.doc).map(String::len);
    parameters.sum::<usize>() + texts.sum::<usize>() + default.len()
}
