//! A column's default, as far as it can stand in a schema.
//!
//! A literal becomes the schema's default; what a function makes becomes the type's zero, as in
//! Debezium; any other expression becomes none. (Debezium takes the first quoted text of an expression
//! for its value; that would be untrue.)

use longshore_sdk::schema::Kind;
use longshore_sdk::{Value, avro};

use super::mapping::Mapped;
use crate::pg_type::{PgType, TypeKind};
use crate::value::Encoder;

/// The default of `pg_get_expr`'s text; `None` where there is none for the schema.
pub(super) fn parse(expression: &str, pg_type: &PgType, mapped: &Mapped) -> Option<Value> {
    // A struct cannot be a default in Connect (KAFKA-12694).
    if matches!(mapped.schema.kind, Kind::Struct(_)) {
        return None;
    }
    let text = match &pg_type.kind {
        TypeKind::Enum { .. } => {
            let literal = expression.strip_suffix(&format!("::{}", pg_type.name))?;
            match literal_of(literal)? {
                Literal::Quoted(label) => label,
                Literal::Bare(_) => return None,
            }
        }
        TypeKind::Base => base(expression.trim(), pg_type.known_name()?)?,
        _ => return None,
    };
    let text = match (&mapped.encoder, &*text) {
        (Encoder::Boolean, "true") => "t",
        (Encoder::Boolean, "false") => "f",
        (_, text) => text,
    };
    let mut datum = Vec::new();
    mapped.encoder.write(text.as_bytes(), &mut datum).ok()?;
    avro::read(&mapped.schema, &datum).ok()
}

fn base(expression: &str, name: &str) -> Option<String> {
    let generated = match name {
        "bit" | "varbit" | "int2" | "int4" | "int8" => "0",
        "numeric" | "float4" | "float8" => "0.0",
        "bool" => "false",
        "bpchar" | "varchar" | "text" | "xml" => "",
        "json" | "jsonb" => "{}",
        "uuid" => "00000000-0000-0000-0000-000000000000",
        "date" => "1970-01-01",
        "time" => "00:00:00",
        "timestamp" => "1970-01-01 00:00:00",
        "timestamptz" => "1970-01-01 00:00:00+00",
        "interval" => "00:00:00",
        _ => return None,
    };
    if is_generated(expression) {
        return Some(generated.to_owned());
    }
    match literal_of(expression)? {
        Literal::Quoted(text) => Some(text),
        // What is no number or boolean without quotes is an expression.
        Literal::Bare(text) => (generated.starts_with('0') || name == "bool").then_some(text),
    }
}

/// Whether it calls a function first.
fn is_generated(expression: &str) -> bool {
    const MOMENTS: [&str; 5] = [
        "current_timestamp",
        "current_time",
        "current_date",
        "localtime",
        "localtimestamp",
    ];
    if MOMENTS
        .iter()
        .any(|name| expression.eq_ignore_ascii_case(name))
    {
        return true;
    }
    let inner = expression.strip_prefix('(').unwrap_or(expression);
    let name = inner
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
        .count();
    name > 0 && inner[name..].starts_with('(') && inner[name..].contains(')')
}

enum Literal {
    Quoted(String),
    Bare(String),
}

/// `'text'::type`, `B'01'::"bit"`, `E'a\\b'::text` or a bare word such as `12` or `true`.
fn literal_of(expression: &str) -> Option<Literal> {
    let (escaped, rest) = match expression.strip_prefix('E') {
        Some(rest) if rest.starts_with('\'') => (true, rest),
        _ => (false, expression),
    };
    let rest = match rest.strip_prefix('B') {
        Some(bits) if bits.starts_with('\'') => bits,
        _ => rest,
    };
    let Some(rest) = rest.strip_prefix('\'') else {
        let bare = !rest.is_empty()
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'));
        return bare.then(|| Literal::Bare(rest.to_owned()));
    };
    let mut text = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if escaped => text.push(chars.next()?),
            '\'' if chars.as_str().starts_with('\'') => {
                chars.next();
                text.push('\'');
            }
            '\'' => return is_cast(chars.as_str()).then_some(Literal::Quoted(text)),
            _ => text.push(c),
        }
    }
    None
}

/// Whether nothing but a cast follows.
fn is_cast(rest: &str) -> bool {
    let Some(type_name) = rest.strip_prefix("::") else {
        return rest.is_empty();
    };
    type_name
        .chars()
        .all(|c| c.is_alphanumeric() || "_ .\"(),[]".contains(c))
}
