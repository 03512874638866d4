//! From Avro's JSON, by the rules of Confluent's `AvroData`.

mod named;
mod properties;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use self::named::Names;
use super::{Entry, Field, InvalidSchema, Kind, MAP_ENTRY, SCHEMA_DEPTH_MAX, Schema, UNION};
use super::{SCHEMA_NODES_MAX, defaults};
use crate::json::{Json, parse};

impl Schema {
    /// Reads an Avro schema.
    ///
    /// # Errors
    /// When the text is not one, or holds what this model does not.
    pub fn parse(json: &str) -> Result<Self, InvalidSchema> {
        let json = parse(json.as_bytes())?;
        Parser::default().schema(&json, "", 0)
    }
}

#[derive(Debug, Default)]
struct Parser {
    names: Names,
    nodes: usize,
    path: Vec<String>,
}

type Parsed = Result<Schema, InvalidSchema>;

impl Parser {
    fn schema(&mut self, json: &Json<'_>, namespace: &str, depth: usize) -> Parsed {
        if depth > SCHEMA_DEPTH_MAX {
            return Err(InvalidSchema::Depth { path: self.path() });
        }
        self.count(1)?;
        match json {
            Json::String(name) => match primitive(name) {
                Some(kind) => Ok(Schema::new(kind)),
                None => self.reference(name, namespace),
            },
            Json::Array(branches) => self.union(branches, namespace, depth),
            Json::Object(_) => match json.get("type") {
                Some(inner @ (Json::Object(_) | Json::Array(_))) => {
                    self.schema(inner, namespace, depth + 1)
                }
                Some(Json::String(name)) => self.annotated(name, json, namespace, depth),
                _ => Err(self.attribute("type", "a type")),
            },
            _ => Err(self.attribute("type", "a type")),
        }
    }

    /// A type with attributes beside it.
    fn annotated(&mut self, name: &str, json: &Json<'_>, namespace: &str, depth: usize) -> Parsed {
        let kind = match name {
            "record" | "error" | "enum" | "fixed" => {
                return self.named(name, json, namespace, depth);
            }
            "array" => self.array(json, namespace, depth)?,
            "map" => {
                let value = self.inner(json, "values", namespace, depth)?;
                let key = Schema::new(Kind::String);
                Kind::Map(Arc::new(Entry { key, value }))
            }
            _ => match primitive(name) {
                Some(kind) => kind,
                None => return self.reference(name, namespace),
            },
        };
        let mut schema = Schema::new(kind);
        self.annotate(&mut schema, json)?;
        Ok(schema)
    }

    /// An array, or a map that is written as one.
    fn array(
        &mut self,
        json: &Json<'_>,
        namespace: &str,
        depth: usize,
    ) -> Result<Kind, InvalidSchema> {
        let items = self.inner(json, "items", namespace, depth)?;
        let marked = json
            .get("items")
            .and_then(|items| items.get("connect.internal.type"))
            .and_then(Json::as_str)
            == Some("MapEntry");
        if items.optional || !(marked || items.name.as_deref() == Some(MAP_ENTRY)) {
            return Ok(Kind::Array(Arc::new(items)));
        }
        match &items.kind {
            Kind::Struct(fields) => match &**fields {
                [key, value] if key.name == "key" && value.name == "value" => {
                    Ok(Kind::Map(Arc::new(Entry {
                        key: key.schema.clone(),
                        value: value.schema.clone(),
                    })))
                }
                _ => Err(self.attribute("fields", "a key and a value, of a map's entry")),
            },
            _ => Ok(Kind::Array(Arc::new(items))),
        }
    }

    fn inner(
        &mut self,
        json: &Json<'_>,
        attribute: &'static str,
        namespace: &str,
        depth: usize,
    ) -> Parsed {
        let Some(inner) = json.get(attribute) else {
            return Err(self.attribute(attribute, "a type"));
        };
        self.path.push(attribute.to_owned());
        let schema = self.schema(inner, namespace, depth + 1)?;
        self.path.pop();
        Ok(schema)
    }

    fn union(&mut self, branches: &[Json<'_>], namespace: &str, depth: usize) -> Parsed {
        let nulls = branches.iter().filter(|branch| is_null(branch)).count();
        if nulls > 1 {
            return Err(self.unsupported("a union has null twice"));
        }
        match branches {
            [only] if nulls == 0 => self.schema(only, namespace, depth + 1),
            [first, second] if nulls == 1 => {
                let null_last = is_null(second);
                let inner = if null_last { first } else { second };
                let mut schema = self.schema(inner, namespace, depth + 1)?;
                if schema.optional {
                    return Err(self.unsupported("a union stands in a union"));
                }
                schema.optional = true;
                schema.null_last = null_last;
                Ok(schema)
            }
            [] | [_] => Err(self.unsupported("null alone is no type of Connect")),
            _ => self.wide_union(branches, namespace, depth),
        }
    }

    /// A struct with a field for each branch. Null must be the first or the last one, as Connect
    /// writes it.
    fn wide_union(&mut self, branches: &[Json<'_>], namespace: &str, depth: usize) -> Parsed {
        let mut fields: Vec<Field> = Vec::with_capacity(branches.len());
        let mut null_at = None;
        for (at, branch) in branches.iter().enumerate() {
            if is_null(branch) {
                null_at = Some(at);
                continue;
            }
            let schema = self.schema(branch, namespace, depth + 1)?;
            if schema.optional || matches!(schema.kind, Kind::Union(_)) {
                return Err(self.unsupported("a union stands in a union"));
            }
            let name = branch_name(&schema);
            if fields.iter().any(|field| field.name == name) {
                let path = self.path();
                return Err(InvalidSchema::Duplicate { path, name });
            }
            fields.push(Field {
                name,
                schema: schema.optional(),
            });
        }
        let mut schema = Schema::new(Kind::Union(fields.into()));
        schema.name = Some(UNION.to_owned());
        schema.optional = null_at.is_some();
        schema.null_last = null_at == Some(branches.len() - 1);
        if null_at.is_some_and(|at| at > 0 && !schema.null_last) {
            return Err(self.unsupported("null stands amid a union"));
        }
        Ok(schema)
    }

    /// A field of a record. Its default becomes the type's.
    fn field(
        &mut self,
        json: &Json<'_>,
        namespace: &str,
        depth: usize,
    ) -> Result<Field, InvalidSchema> {
        let Some(name) = json.get("name").and_then(Json::as_str) else {
            return Err(self.attribute("name", "a field's name"));
        };
        let Some(inner) = json.get("type") else {
            return Err(self.attribute("type", "a type"));
        };
        self.path.push(name.to_owned());
        let mut schema = self.schema(inner, namespace, depth + 1)?;
        if let Some(default) = json.get("default")
            && schema.default.is_none()
            && !(schema.optional && *default == Json::Null)
        {
            let Some(value) = defaults::read(&schema, default) else {
                return Err(InvalidSchema::Default { path: self.path() });
            };
            schema.default = Some(value);
        }
        self.path.pop();
        Ok(Field {
            name: name.to_owned(),
            schema,
        })
    }

    fn count(&mut self, nodes: usize) -> Result<(), InvalidSchema> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > SCHEMA_NODES_MAX {
            return Err(InvalidSchema::Nodes { path: self.path() });
        }
        Ok(())
    }

    fn path(&self) -> String {
        if self.path.is_empty() {
            return "the top".to_owned();
        }
        self.path.join(".")
    }

    fn attribute(&self, attribute: &'static str, expected: &'static str) -> InvalidSchema {
        InvalidSchema::Attribute {
            path: self.path(),
            attribute,
            expected,
        }
    }

    fn unsupported(&self, what: &'static str) -> InvalidSchema {
        InvalidSchema::Unsupported {
            path: self.path(),
            what,
        }
    }
}

fn is_null(json: &Json<'_>) -> bool {
    json.as_str() == Some("null") || json.get("type").and_then(Json::as_str) == Some("null")
}

fn primitive(name: &str) -> Option<Kind> {
    Some(match name {
        "boolean" => Kind::Boolean,
        "int" => Kind::Int32,
        "long" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        _ => return None,
    })
}

/// The name of a union's branch: of a named type its last part, else Avro's type.
fn branch_name(schema: &Schema) -> String {
    let name = match &schema.kind {
        Kind::Boolean => "boolean",
        Kind::Int8 | Kind::Int16 | Kind::Int32 => "int",
        Kind::Int64 => "long",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Array(_) => "array",
        Kind::Map(entry) if entry.has_text_keys() => "map",
        Kind::Map(_) => "array",
        Kind::Enum { name, .. } | Kind::Fixed { name, .. } => last_part(name),
        Kind::Struct(_) | Kind::Union(_) => last_part(schema.name.as_deref().unwrap_or("record")),
    };
    name.to_owned()
}

fn last_part(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}

/// A name in full: one without a dot stands in the namespace.
fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        return name.to_owned();
    }
    format!("{namespace}.{name}")
}
