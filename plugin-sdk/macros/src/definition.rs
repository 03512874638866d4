//! A field as a key of the manifest's JSON.

use crate::field::{Field, Rule};
use crate::json::{array, object, text};

pub(crate) fn key(field: &Field) -> String {
    let mut members = vec![
        ("name", text(&field.name)),
        ("type", text(field.kind.name)),
        ("importance", text(&field.importance)),
        ("width", text(&field.width)),
        ("doc", text(&field.doc)),
        ("required", field.required().to_string()),
    ];
    let optional = [
        ("default", &field.default),
        ("group", &field.group),
        ("display_name", &field.display),
    ];
    for (name, value) in optional {
        members.extend(value.as_ref().map(|value| (name, text(value))));
    }
    members.extend(
        field
            .rule
            .as_ref()
            .map(|rule| ("validator", validator(rule))),
    );
    object(&members)
}

fn validator(rule: &Rule) -> String {
    match rule {
        Rule::Range { min, max } => {
            let mut members = vec![("kind", text("range"))];
            members.extend(min.map(|min| ("min", min.to_string())));
            members.extend(max.map(|max| ("max", max.to_string())));
            object(&members)
        }
        Rule::OneOf(values) => object(&[
            ("kind", text("one-of")),
            ("values", array(values.iter().map(|value| text(value)))),
        ]),
        Rule::NotEmpty => object(&[("kind", text("not-empty"))]),
        Rule::Topic => object(&[("kind", text("topic"))]),
    }
}
