//! Texts and what they become, in Kafka's words.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use super::{ConfigKey, Importance, KeyType, Validator, Width, parse_value};

fn key(key_type: KeyType) -> ConfigKey {
    ConfigKey {
        name: "k".to_owned(),
        key_type,
        default: None,
        required: false,
        importance: Importance::Medium,
        doc: String::new(),
        group: None,
        width: Width::None,
        display_name: "k".to_owned(),
        validator: None,
    }
}

fn shown(key: &ConfigKey, text: Option<&str>) -> String {
    match parse_value(key, text) {
        Ok(value) => format!("{value:?}"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn texts_become_values_or_kafkas_complaint() {
    use KeyType::{Boolean, Class, Double, Int, List, Long, Password, Short};
    let invalid = |text: &str, expected: &str| {
        format!("Invalid value {text} for configuration k: {expected}")
    };
    let cases = [
        (Boolean, " TRUE ", "Some(Boolean(true))".to_owned()),
        (Boolean, "false", "Some(Boolean(false))".to_owned()),
        (
            Boolean,
            "yes",
            invalid("yes", "Expected value to be either true or false"),
        ),
        (
            KeyType::String,
            " padded ",
            "Some(String(\"padded\"))".to_owned(),
        ),
        (KeyType::String, "", "Some(String(\"\"))".to_owned()),
        (Class, " a.B ", "Some(String(\"a.B\"))".to_owned()),
        (Password, " kept ", "Some(String(\" kept \"))".to_owned()),
        (Short, "32767", "Some(Long(32767))".to_owned()),
        (
            Short,
            "32768",
            invalid("32768", "Not a number of type SHORT"),
        ),
        (Int, " -5 ", "Some(Long(-5))".to_owned()),
        (
            Int,
            "2147483648",
            invalid("2147483648", "Not a number of type INT"),
        ),
        (
            Long,
            "9223372036854775807",
            "Some(Long(9223372036854775807))".to_owned(),
        ),
        (Long, "1.5", invalid("1.5", "Not a number of type LONG")),
        (Long, "", invalid("", "Not a number of type LONG")),
        (Double, "1.5", "Some(Double(1.5))".to_owned()),
        (Double, "x", invalid("x", "Not a number of type DOUBLE")),
        (
            List,
            " a , b,c ",
            "Some(List([\"a\", \"b\", \"c\"]))".to_owned(),
        ),
        (List, "", "Some(List([]))".to_owned()),
    ];
    for (key_type, text, expected) in cases {
        assert_eq!(
            shown(&key(key_type), Some(text)),
            expected,
            "{key_type:?} {text:?}"
        );
    }
}

#[test]
fn a_missing_text_is_the_default_or_nothing_or_wrong() {
    let mut key = key(KeyType::Int);
    assert_eq!(shown(&key, None), "None");
    key.default = Some("7".to_owned());
    assert_eq!(shown(&key, None), "Some(Long(7))");
    assert_eq!(shown(&key, Some("8")), "Some(Long(8))");
    key.default = None;
    key.required = true;
    let expected = "Missing required configuration \"k\" which has no default value.";
    assert_eq!(shown(&key, None), expected);
}

#[test]
fn rules_are_checked_after_the_type() {
    let check = |key_type, validator: Validator, text: &str, expected: &str| {
        let key = ConfigKey {
            validator: Some(validator),
            ..key(key_type)
        };
        let complaint = parse_value(&key, Some(text)).err().map(|e| e.to_string());
        let said = format!("Invalid value {text} for configuration k: ");
        let rule = complaint.unwrap_or_default().replace(&said, "");
        assert_eq!(rule, expected, "{text}");
    };
    let range = Validator::Range {
        min: Some(1),
        max: Some(9),
    };
    check(KeyType::Int, range.clone(), "0", "Value must be at least 1");
    check(
        KeyType::Int,
        range.clone(),
        "10",
        "Value must be no more than 9",
    );
    check(KeyType::Int, range, "9", "");
    check(
        KeyType::Long,
        Validator::Range {
            min: None,
            max: None,
        },
        "-1",
        "",
    );
    let one_of = Validator::OneOf(vec!["a".to_owned(), "b".to_owned()]);
    check(
        KeyType::String,
        one_of.clone(),
        "c",
        "String must be one of: a, b",
    );
    check(KeyType::String, one_of, "b", "");
    check(
        KeyType::String,
        Validator::NotEmpty,
        "",
        "String must be non-empty",
    );
    check(
        KeyType::List,
        Validator::NotEmpty,
        "",
        "List must be non-empty",
    );
    check(KeyType::String, Validator::Topic, "orders.v1", "");
    let key = ConfigKey {
        validator: Some(Validator::Topic),
        ..key(KeyType::String)
    };
    assert!(shown(&key, Some("or ders")).contains("topic name \"or ders\""));
}

#[test]
fn a_password_is_never_shown() {
    let key = ConfigKey {
        validator: Some(Validator::OneOf(vec!["known".to_owned()])),
        ..key(KeyType::Password)
    };
    let complaint = shown(&key, Some("secret"));
    assert!(
        complaint.contains("[hidden]") && !complaint.contains("secret"),
        "{complaint}"
    );
}
