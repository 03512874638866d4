//! A field with its `#[config(...)]`, checked.

use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, ExprLit, GenericArgument, Ident, Lit, LitInt, LitStr, PathArguments,
    Result, Token, Type, parenthesized,
};

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) doc: String,
    pub(crate) default: Option<String>,
    pub(crate) importance: String,
    pub(crate) width: String,
    pub(crate) group: Option<String>,
    pub(crate) display: Option<String>,
    pub(crate) rule: Option<Rule>,
}

/// What a field's type means: Kafka's name of it, and the bounds of the Rust type where they are
/// narrower than Kafka's.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    bounds: Option<(i64, Option<i64>)>,
    optional: bool,
}

pub(crate) enum Rule {
    Range { min: Option<i64>, max: Option<i64> },
    OneOf(Vec<String>),
    NotEmpty,
    Topic,
}

impl Field {
    pub(crate) fn parse(field: &syn::Field) -> Result<Self> {
        let ident = field
            .ident
            .clone()
            .expect("the caller has named fields only");
        let mut parsed = Self {
            name: ident.to_string().replace('_', "."),
            kind: Kind::of(&field.ty)?,
            doc: doc(&field.attrs),
            default: None,
            importance: "MEDIUM".to_owned(),
            width: "NONE".to_owned(),
            group: None,
            display: None,
            rule: None,
            ident,
        };
        if parsed.doc.is_empty() {
            return Err(Error::new_spanned(
                field,
                "a config's field is documented by a doc comment",
            ));
        }
        for attr in field.attrs.iter().filter(|a| a.path().is_ident("config")) {
            attr.parse_nested_meta(|meta| parsed.attribute(&meta))?;
        }
        parsed.bind(field)?;
        Ok(parsed)
    }

    pub(crate) fn required(&self) -> bool {
        !self.kind.optional && self.default.is_none()
    }

    fn attribute(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string);
        match name.as_deref().unwrap_or_default() {
            "name" => self.name = string(meta)?,
            "default" => self.default = Some(string(meta)?),
            "group" => self.group = Some(string(meta)?),
            "display" => self.display = Some(string(meta)?),
            "importance" => self.importance = one_of(meta, &["high", "medium", "low"])?,
            "width" => self.width = one_of(meta, &["short", "medium", "long"])?,
            "range" => self.rule(meta, range)?,
            "one_of" => self.rule(meta, listed)?,
            "not_empty" => self.rule(meta, |_| Ok(Rule::NotEmpty))?,
            "topic" => self.rule(meta, |_| Ok(Rule::Topic))?,
            _ => {
                return Err(meta.error(
                    "expected one of name, default, importance, group, width, display, range, \
                     one_of, not_empty, topic",
                ));
            }
        }
        Ok(())
    }

    fn rule(
        &mut self,
        meta: &ParseNestedMeta<'_>,
        parse: impl Fn(&ParseNestedMeta<'_>) -> Result<Rule>,
    ) -> Result<()> {
        if self.rule.replace(parse(meta)?).is_some() {
            return Err(meta.error("a key has one validator"));
        }
        Ok(())
    }

    /// Checks the parts against each other and adds the Rust type's own bounds.
    fn bind(&mut self, field: &syn::Field) -> Result<()> {
        if self.kind.optional && self.default.is_some() {
            let message = "a key with a default is always there: drop Option or the default";
            return Err(Error::new_spanned(&field.ty, message));
        }
        let fits = match self.rule {
            None => true,
            Some(Rule::Range { .. }) => matches!(self.kind.name, "SHORT" | "INT" | "LONG"),
            Some(Rule::OneOf(_) | Rule::Topic) => self.kind.name == "STRING",
            Some(Rule::NotEmpty) => matches!(self.kind.name, "STRING" | "LIST"),
        };
        if !fits {
            let message = format!("this validator does not apply to {}", self.kind.name);
            return Err(Error::new_spanned(&field.ty, message));
        }
        if let Some((least, most)) = self.kind.bounds {
            let (min, max) = match self.rule {
                Some(Rule::Range { min, max }) => (min, max),
                _ => (None, None),
            };
            self.rule = Some(Rule::Range {
                min: Some(min.map_or(least, |min| min.max(least))),
                max: max.map_or(most, |max| Some(most.map_or(max, |most| max.min(most)))),
            });
        }
        Ok(())
    }
}

impl Kind {
    fn of(ty: &Type) -> Result<Self> {
        let Some((name, argument)) = last_segment(ty) else {
            return Err(unknown(ty));
        };
        let kind = |name, bounds| {
            Ok(Self {
                name,
                bounds,
                optional: false,
            })
        };
        match (name.as_str(), argument) {
            ("bool", None) => kind("BOOLEAN", None),
            ("i16", None) => kind("SHORT", None),
            ("i32", None) => kind("INT", None),
            ("i64", None) => kind("LONG", None),
            ("u32", None) => kind("LONG", Some((0, Some(i64::from(u32::MAX))))),
            ("u64", None) => kind("LONG", Some((0, None))),
            ("f64", None) => kind("DOUBLE", None),
            ("String", None) => kind("STRING", None),
            ("Secret", None) => kind("PASSWORD", None),
            ("Vec", Some(item)) if last_segment(item).is_some_and(|(n, _)| n == "String") => {
                kind("LIST", None)
            }
            ("Option", Some(inner)) => match Self::of(inner)? {
                Self { optional: true, .. } => Err(unknown(ty)),
                inner => Ok(Self {
                    optional: true,
                    ..inner
                }),
            },
            _ => Err(unknown(ty)),
        }
    }
}

fn unknown(ty: &Type) -> Error {
    Error::new_spanned(
        ty,
        "a config's field is bool, i16, i32, i64, u32, u64, f64, String, Vec<String>, Secret, or an \
         Option of one of them",
    )
}

/// The name of a type without its path, and its one generic argument.
fn last_segment(ty: &Type) -> Option<(String, Option<&Type>)> {
    let Type::Path(path) = ty else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let argument = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty),
            _ => None,
        },
        _ => None,
    };
    Some((segment.ident.to_string(), argument))
}

fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| {
        let value = &attr.meta.require_name_value().ok()?.value;
        match value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) if attr.path().is_ident("doc") => Some(line.value().trim().to_owned()),
            _ => None,
        }
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn string(meta: &ParseNestedMeta<'_>) -> Result<String> {
    Ok(meta.value()?.parse::<LitStr>()?.value())
}

/// A choice, in the capitals of Kafka's names.
fn one_of(meta: &ParseNestedMeta<'_>, choices: &[&str]) -> Result<String> {
    let literal: LitStr = meta.value()?.parse()?;
    let value = literal.value();
    if choices.contains(&value.as_str()) {
        Ok(value.to_uppercase())
    } else {
        let message = format!("expected one of {}", choices.join(", "));
        Err(Error::new(literal.span(), message))
    }
}

fn range(meta: &ParseNestedMeta<'_>) -> Result<Rule> {
    let (mut min, mut max) = (None, None);
    meta.parse_nested_meta(|bound| {
        let place = if bound.path.is_ident("min") {
            &mut min
        } else if bound.path.is_ident("max") {
            &mut max
        } else {
            return Err(bound.error("expected min or max"));
        };
        *place = Some(bound.value()?.parse::<LitInt>()?.base10_parse()?);
        Ok(())
    })?;
    Ok(Rule::Range { min, max })
}

fn listed(meta: &ParseNestedMeta<'_>) -> Result<Rule> {
    let content;
    parenthesized!(content in meta.input);
    let values = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
    Ok(Rule::OneOf(values.iter().map(LitStr::value).collect()))
}
