//! As much JSON writing as a definition needs.

pub(crate) fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

pub(crate) fn object(members: &[(&str, String)]) -> String {
    let member = |(name, value): &(&str, String)| format!("{}:{value}", text(name));
    let members: Vec<_> = members.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

pub(crate) fn text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_json_forbids() {
        assert_eq!(text("a \"b\"\\\n\t"), r#""a \"b\"\\\n\u0009""#);
        assert_eq!(object(&[("a", text("b"))]), r#"{"a":"b"}"#);
        assert_eq!(array(["1".to_owned(), "2".to_owned()].into_iter()), "[1,2]");
    }
}
