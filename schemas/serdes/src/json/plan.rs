//! A schema, compiled: what stands between values is rendered once, and how each is read is decided once.

use longshore_model::Value;
use longshore_model::avro;
use longshore_model::json::write_string;
use longshore_model::schema::{DECIMAL, Field, Kind, Schema, Type};

use super::encode::Encoder;
use super::last::{LAST_BYTES_MAX, Last};
use super::{DecimalFormat, JsonFormat, schema_out};
use crate::SerdeError;

/// How data of a schema become JSON.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    schema: Schema,
    /// What stands before a datum up to the payload, where the schema is written too.
    head: Option<Result<Box<[u8]>, SerdeError>>,
    root: Node,
    last: Last,
}

/// What is written of one schema of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) form: Form,
    /// Which branch of Avro's union null is, where there is one.
    pub(super) null_at: Option<usize>,
    pub(super) null: Null,
}

/// What stands for null.
#[derive(Clone, Debug)]
pub(super) enum Null {
    Literal(&'static str),
    /// A datum of the node itself, or why the default is none.
    Default(Result<Box<[u8]>, SerdeError>),
}

/// How a value that is there is read and written.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Text,
    /// The symbols with their quotes.
    Enum(Box<[Box<[u8]>]>),
    /// Of a fixed length, or behind their length.
    Bytes(Option<usize>),
    /// The same as a number of that scale.
    Decimal(Option<usize>, Option<i32>),
    Array(Box<Node>),
    /// A map whose keys are text.
    Object(Box<[Node; 2]>),
    /// A map, as a list of pairs.
    Pairs(Box<[Node; 2]>),
    /// Its members, those of structs that always stand in it among them, and what closes it.
    Struct(Box<[Member]>, Box<[u8]>),
    Union(Box<[Member]>),
}

/// A field of a struct, or a branch of a union.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// With those of the structs that it stands in.
    pub(super) name: Box<str>,
    /// What stands before the value: braces and names of structs that end or begin, the comma, the name in its quotes and
    /// the colon.
    pub(super) head: Box<[u8]>,
    /// Structs that begin with it.
    pub(super) opens: usize,
    pub(super) node: Node,
}

impl Plan {
    pub(super) fn new(format: &JsonFormat, schema: &Schema) -> Self {
        Self {
            head: format.schemas_enable.then(|| head(format, schema)),
            root: Node::new(format, schema),
            last: Last::default(),
            schema: schema.clone(),
        }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// About the memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let head = match &self.head {
            Some(Ok(head)) => head.len(),
            _ => 0,
        };
        size_of::<Self>() + head + self.root.bytes() + LAST_BYTES_MAX
    }

    /// Writes a datum. What stands in `out` when it fails is to be thrown away.
    pub(crate) fn write(&mut self, datum: &[u8], out: &mut Vec<u8>) -> Result<(), SerdeError> {
        self.try_write(datum, out).map_err(|error| {
            // That the datum is none goes before anything else that is wrong with it.
            let malformed = avro::read(&self.schema, datum).err();
            malformed.map_or(error, SerdeError::Datum)
        })
    }

    fn try_write(&mut self, datum: &[u8], out: &mut Vec<u8>) -> Result<(), SerdeError> {
        let mut encoder = Encoder::new(out);
        match &self.head {
            None => encoder.next_datum(&self.root, datum, &mut self.last),
            Some(head) => {
                let head = head.as_ref().map_err(Clone::clone)?;
                encoder.out.extend_from_slice(head);
                encoder.next_datum(&self.root, datum, &mut self.last)?;
                encoder.out.push(b'}');
                Ok(())
            }
        }
    }
}

fn head(format: &JsonFormat, schema: &Schema) -> Result<Box<[u8]>, SerdeError> {
    let mut head = Vec::new();
    schema_out::open_envelope(format, schema, &mut head)?;
    Ok(head.into())
}

impl Node {
    pub(super) fn new(format: &JsonFormat, schema: &Schema) -> Self {
        let form = Form::new(format, schema);
        let null_last = match &form {
            Form::Union(branches) => branches.len(),
            _ => 1,
        };
        let null_at = if schema.null_last { null_last } else { 0 };
        let null = match &schema.default {
            Some(default) if format.replace_null_with_default && *default != Value::Null => {
                Null::Default(as_datum(schema, default))
            }
            _ => Null::Literal("null"),
        };
        Self {
            form,
            null_at: schema.optional.then_some(null_at),
            null,
        }
    }

    /// A text as a map's key; null is as Java has it.
    fn key(format: &JsonFormat, schema: &Schema) -> Self {
        Self {
            null: Null::Literal("\"null\""),
            ..Self::new(format, schema)
        }
    }

    fn bytes(&self) -> usize {
        let default = match &self.null {
            Null::Default(Ok(datum)) => datum.len(),
            _ => 0,
        };
        let members = |members: &[Member]| {
            let size =
                |m: &Member| size_of::<Member>() + m.name.len() + m.head.len() + m.node.bytes();
            members.iter().map(size).sum()
        };
        let form = match &self.form {
            Form::Enum(symbols) => symbols.iter().map(|s| size_of_val(s) + s.len()).sum(),
            Form::Array(items) => size_of::<Self>() + items.bytes(),
            Form::Object(entry) | Form::Pairs(entry) => {
                let sides = entry.iter().map(|side| size_of::<Self>() + side.bytes());
                sides.sum()
            }
            Form::Struct(fields, close) => members(fields) + close.len(),
            Form::Union(branches) => members(branches),
            _ => 0,
        };
        default + form
    }
}

impl Form {
    fn new(format: &JsonFormat, schema: &Schema) -> Self {
        match &schema.kind {
            Kind::Boolean => Self::Boolean,
            Kind::Int8 => Self::Int8,
            Kind::Int16 => Self::Int16,
            Kind::Int32 => Self::Int32,
            Kind::Int64 => Self::Int64,
            Kind::Float32 => Self::Float32,
            Kind::Float64 => Self::Float64,
            Kind::String => Self::Text,
            Kind::Enum { symbols, .. } => {
                let quoted = symbols.iter().map(|symbol| {
                    let mut quoted = Vec::new();
                    write_string(&mut quoted, symbol);
                    quoted.into()
                });
                Self::Enum(quoted.collect())
            }
            Kind::Bytes => Self::bytes(format, schema, None),
            Kind::Fixed { size, .. } => Self::bytes(format, schema, Some(*size)),
            Kind::Array(items) => Self::Array(Box::new(Node::new(format, items))),
            Kind::Map(entry) => {
                let value = Node::new(format, &entry.value);
                if entry.key.connect_type() == Type::String {
                    Self::Object(Box::new([Node::key(format, &entry.key), value]))
                } else {
                    Self::Pairs(Box::new([Node::new(format, &entry.key), value]))
                }
            }
            Kind::Struct(fields) => {
                let mut flat = Flat::default();
                flat.add(format, "", fields);
                Self::Struct(flat.members.into(), flat.head.into())
            }
            Kind::Union(branches) => Self::Union(members(format, branches)),
        }
    }

    fn bytes(format: &JsonFormat, schema: &Schema, size: Option<usize>) -> Self {
        let is_decimal = schema.name.as_deref() == Some(DECIMAL);
        if is_decimal && format.decimal == DecimalFormat::Numeric {
            return Self::Decimal(size, schema.decimal_scale());
        }
        Self::Bytes(size)
    }
}

/// The branches of a union, each behind what opens its object or goes on with it.
fn members(format: &JsonFormat, branches: &[Field]) -> Box<[Member]> {
    let members = branches.iter().enumerate().map(|(n, branch)| {
        let mut head = Vec::new();
        if n > 0 {
            head.push(b',');
        }
        put_name(&mut head, &branch.name);
        Member {
            name: branch.name.as_str().into(),
            head: head.into(),
            opens: 0,
            node: Node::new(format, &branch.schema),
        }
    });
    members.collect()
}

fn put_name(out: &mut Vec<u8>, name: &str) {
    write_string(out, name);
    out.push(b':');
}

/// A struct and those that always stand in it and have members, as one list of members.
#[derive(Default)]
struct Flat {
    members: Vec<Member>,
    /// What stands behind the last member.
    head: Vec<u8>,
    /// Structs that began behind it.
    opens: usize,
}

impl Flat {
    fn add(&mut self, format: &JsonFormat, path: &str, fields: &[Field]) {
        self.head.push(b'{');
        for (n, field) in fields.iter().enumerate() {
            if n > 0 {
                self.head.push(b',');
            }
            put_name(&mut self.head, &field.name);
            let name = match path {
                "" => field.name.clone(),
                path => format!("{path}.{}", field.name),
            };
            match &field.schema.kind {
                Kind::Struct(inner) if !field.schema.optional && !inner.is_empty() => {
                    self.opens += 1;
                    self.add(format, &name, inner);
                }
                _ => self.members.push(Member {
                    name: name.into(),
                    head: std::mem::take(&mut self.head).into(),
                    opens: std::mem::take(&mut self.opens),
                    node: Node::new(format, &field.schema),
                }),
            }
        }
        self.head.push(b'}');
    }
}

pub(super) fn as_datum(schema: &Schema, value: &Value) -> Result<Box<[u8]>, SerdeError> {
    let mut datum = Vec::new();
    avro::write(schema, value, &mut datum)?;
    Ok(datum.into())
}
