//! `derive(Config)`: what it reads and what it says.

use longshore_sdk::{Config, ConfigMap, FaultClass, Secret};

#[derive(Config, Debug, PartialEq)]
struct Everything {
    /// Text.
    #[config(not_empty)]
    text: String,
    /// May be left out.
    maybe: Option<String>,
    /// Whether.
    #[config(default = "true")]
    flag: bool,
    /// Small.
    #[config(default = "1")]
    small: i16,
    /// Middle.
    #[config(default = "-2")]
    middle: i32,
    /// Large.
    #[config(default = "3")]
    large: i64,
    /// Never negative.
    #[config(default = "4")]
    natural: u32,
    /// Never negative, and large.
    large_natural: Option<u64>,
    /// A fraction.
    #[config(default = "0.5")]
    fraction: f64,
    /// Several.
    #[config(default = "a, b")]
    list: Vec<String>,
    /// Not shown.
    #[config(name = "pass.word")]
    password: Option<Secret>,
}

fn given(pairs: &[(&str, &str)]) -> ConfigMap {
    let text = [("text", "x")];
    let pairs = text.iter().chain(pairs);
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn every_type_has_its_default_and_its_value() {
    let config = Everything::parse(&given(&[])).unwrap();
    assert_eq!(config.text, "x");
    assert_eq!((config.maybe, config.flag, config.small), (None, true, 1));
    assert_eq!((config.middle, config.large, config.natural), (-2, 3, 4));
    assert_eq!((config.large_natural, config.fraction), (None, 0.5));
    assert_eq!(
        (config.list, config.password),
        (vec!["a".to_owned(), "b".to_owned()], None)
    );

    let config = Everything::parse(&given(&[
        ("maybe", "y"),
        ("flag", "FALSE"),
        ("large.natural", "9223372036854775807"),
        ("natural", "4294967295"),
        ("pass.word", "handle-1"),
        ("not.ours", "skipped"),
    ]))
    .unwrap();
    assert_eq!((config.maybe.as_deref(), config.flag), (Some("y"), false));
    assert_eq!(
        (config.large_natural, config.natural),
        (Some(i64::MAX as u64), u32::MAX)
    );
    let password = config.password.unwrap();
    assert_eq!(
        (password.handle(), format!("{password:?}").as_str()),
        ("handle-1", "***")
    );
}

#[test]
fn what_is_wrong_names_its_key_in_kafkas_words() {
    let check = |pairs: &[(&str, &str)], key: &str, message: &str| {
        let fault = Everything::parse(&given(pairs)).unwrap_err();
        assert_eq!(
            (fault.class, fault.detail("key")),
            (FaultClass::Config, Some(key))
        );
        assert_eq!(fault.message, message);
    };
    check(
        &[("text", "")],
        "text",
        "Invalid value  for configuration text: String must be non-empty",
    );
    check(
        &[("small", "40000")],
        "small",
        "Invalid value 40000 for configuration small: Not a number of type SHORT",
    );
    check(
        &[("natural", "-1")],
        "natural",
        "Invalid value -1 for configuration natural: Value must be at least 0",
    );
    check(
        &[("natural", "4294967296")],
        "natural",
        "Invalid value 4294967296 for configuration natural: Value must be no more than 4294967295",
    );
    let fault = Everything::parse(&ConfigMap::new()).unwrap_err();
    assert_eq!(
        fault.message,
        "Missing required configuration \"text\" which has no default value."
    );
}
