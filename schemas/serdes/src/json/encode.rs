//! A datum to JSON by its plan, in one pass.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::avro::Cursor;
use longshore_model::json::{is_plain, write_f32, write_f64, write_short, write_string};

use super::DEFAULT_BYTES_MAX;
use super::last::Last;
use super::plan::{Form, Member, Node, Null};
use crate::{SerdeError, decimal};

pub(super) struct Encoder<'o> {
    pub(super) out: &'o mut Vec<u8>,
    /// Bytes that came from defaults.
    defaults: usize,
}

impl<'o> Encoder<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, defaults: 0 }
    }

    pub(super) fn defaults(&self) -> usize {
        self.defaults
    }

    pub(super) fn add_defaults(&mut self, bytes: usize) -> Result<(), SerdeError> {
        self.defaults += bytes;
        if self.defaults > DEFAULT_BYTES_MAX {
            let limit = DEFAULT_BYTES_MAX;
            return Err(SerdeError::TooLarge { limit });
        }
        Ok(())
    }

    pub(super) fn datum(&mut self, node: &Node, datum: &[u8]) -> Result<(), SerdeError> {
        let mut cursor = Cursor::new(datum);
        self.value(node, &mut cursor)?;
        Ok(cursor.end()?)
    }

    /// The same where another datum of the node came last.
    pub(super) fn next_datum(
        &mut self,
        node: &Node,
        datum: &[u8],
        last: &mut Last,
    ) -> Result<(), SerdeError> {
        let (members, close) = match (&node.form, node.null_at) {
            (Form::Struct(members, close), None) if Last::pays_for(members) => (members, close),
            _ => return self.datum(node, datum),
        };
        let mut cursor = Cursor::new(datum);
        cursor.spend(1)?;
        last.write(members, self, &mut cursor)?;
        self.out.extend_from_slice(close);
        Ok(cursor.end()?)
    }

    /// A member of a struct, and what stands before it.
    pub(super) fn member(
        &mut self,
        member: &Member,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), SerdeError> {
        cursor.spend(member.opens)?;
        self.out.extend_from_slice(&member.head);
        let written = self.value(&member.node, cursor);
        written.map_err(|e| e.within(&member.name))
    }

    fn value(&mut self, node: &Node, cursor: &mut Cursor<'_>) -> Result<(), SerdeError> {
        cursor.spend(1)?;
        if let Form::Union(branches) = &node.form {
            return self.union(node, branches, cursor);
        }
        if let Some(null) = node.null_at
            && cursor.choice(2)? == null
        {
            return self.null(node);
        }
        self.required(node, cursor)
    }

    /// A value that stands there for certain: the choice of a union is behind the cursor.
    fn required(&mut self, node: &Node, cursor: &mut Cursor<'_>) -> Result<(), SerdeError> {
        match &node.form {
            Form::Boolean => self.literal(if cursor.boolean()? { "true" } else { "false" }),
            Form::Int8 => self.integer(cursor.narrow::<i8>()?),
            Form::Int16 => self.integer(cursor.narrow::<i16>()?),
            Form::Int32 => self.integer(cursor.narrow::<i32>()?),
            Form::Int64 => self.integer(cursor.long()?),
            Form::Float32 => write_f32(self.out, f32::from_le_bytes(cursor.array()?)),
            Form::Float64 => write_f64(self.out, f64::from_le_bytes(cursor.array()?)),
            Form::Text => self.text(cursor)?,
            Form::Enum(symbols) => {
                let symbol = cursor.choice(symbols.len())?;
                self.out.extend_from_slice(&symbols[symbol]);
            }
            Form::Bytes(size) => write_bytes(self.out, bytes(*size, cursor)?),
            Form::Decimal(size, scale) => {
                let unscaled = bytes(*size, cursor)?;
                let text = scale.and_then(|scale| decimal::to_text(unscaled, scale));
                let text = text.ok_or_else(|| SerdeError::value("a Decimal with a scale"))?;
                self.literal(&text);
            }
            Form::Array(items) => self.list(b"[]", cursor, |encoder, cursor| {
                encoder.value(items, cursor).map_err(|e| e.within("[]"))
            })?,
            Form::Object(entry) => self.list(b"{}", cursor, |encoder, cursor| {
                encoder.entry(entry, b':', cursor)
            })?,
            Form::Pairs(entry) => self.list(b"[]", cursor, |encoder, cursor| {
                encoder.out.push(b'[');
                encoder.entry(entry, b',', cursor)?;
                encoder.out.push(b']');
                Ok(())
            })?,
            Form::Struct(members, close) => {
                for member in members {
                    self.member(member, cursor)?;
                }
                self.out.extend_from_slice(close);
            }
            Form::Union(branches) => return self.union(node, branches, cursor),
        }
        Ok(())
    }

    /// A struct of its branches of which one is set.
    fn union(
        &mut self,
        node: &Node,
        branches: &[Member],
        cursor: &mut Cursor<'_>,
    ) -> Result<(), SerdeError> {
        let choice = cursor.choice(branches.len() + usize::from(node.null_at.is_some()))?;
        if node.null_at == Some(choice) {
            return self.null(node);
        }
        let set = choice - usize::from(node.null_at == Some(0));
        cursor.spend(branches.len())?;
        self.out.push(b'{');
        for (n, branch) in branches.iter().enumerate() {
            self.out.extend_from_slice(&branch.head);
            let written = if n == set {
                self.required(&branch.node, cursor)
            } else {
                self.null(&branch.node)
            };
            written.map_err(|e| e.within(&branch.name))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn null(&mut self, node: &Node) -> Result<(), SerdeError> {
        match &node.null {
            Null::Literal(text) => self.literal(text),
            Null::Default(default) => {
                let datum = default.as_ref().map_err(Clone::clone)?;
                let before = self.out.len();
                self.datum(node, datum)?;
                self.add_defaults(self.out.len() - before)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        [key, value]: &[Node; 2],
        between: u8,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), SerdeError> {
        self.value(key, cursor).map_err(|e| e.within("[]"))?;
        self.out.push(between);
        self.value(value, cursor).map_err(|e| e.within("[]"))
    }

    /// Avro's blocks of items as one list.
    fn list<'a>(
        &mut self,
        [open, close]: &[u8; 2],
        cursor: &mut Cursor<'a>,
        mut item: impl FnMut(&mut Self, &mut Cursor<'a>) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        self.out.push(*open);
        let first = self.out.len();
        loop {
            let count = cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if self.out.len() > first {
                    self.out.push(b',');
                }
                item(self, cursor)?;
            }
        }
        self.out.push(*close);
        Ok(())
    }

    fn text(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SerdeError> {
        let text = cursor.bytes()?;
        if is_plain(text) {
            self.out.push(b'"');
            self.out.extend_from_slice(text);
            self.out.push(b'"');
        } else if !write_short(self.out, text) {
            write_string(self.out, cursor.as_text(text)?);
        }
        Ok(())
    }

    fn literal(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn integer(&mut self, number: impl itoa::Integer) {
        self.literal(itoa::Buffer::new().format(number));
    }
}

/// Bytes as base64 in quotes.
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let at = out.len();
    out.resize(at + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[at..]);
    written.expect("three bytes take four characters");
    out.push(b'"');
}

fn bytes<'a>(size: Option<usize>, cursor: &mut Cursor<'a>) -> Result<&'a [u8], SerdeError> {
    Ok(match size {
        Some(size) => cursor.take(size)?,
        None => cursor.bytes()?,
    })
}
