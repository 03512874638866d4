use expect_test::{Expect, expect};
use longshore_serdes::{Converter, HeaderConverter};

fn settings(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = settings
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    owned.collect()
}

#[test]
fn javas_names_and_their_aliases_are_found() {
    for class in [
        "org.apache.kafka.connect.json.JsonConverter",
        "JsonConverter",
        "Json",
        "json",
        "org.apache.kafka.connect.storage.StringConverter",
        "StringConverter",
        "string",
        "org.apache.kafka.connect.converters.ByteArrayConverter",
        "ByteArrayConverter",
        "ByteArray",
        "bytes",
    ] {
        assert!(Converter::configure(class, &[], true).is_ok(), "{class}");
        assert!(HeaderConverter::configure(class, &[]).is_ok(), "{class}");
    }
    let simple = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
    assert!(HeaderConverter::configure(simple, &[]).is_ok());
}

fn refused(class: &str, given: &[(&str, &str)], expected: &Expect) {
    let problem = Converter::configure(class, &settings(given), false).unwrap_err();
    expected.assert_eq(&problem.to_string());
}

#[test]
fn converters_that_do_not_work_are_refused_by_name() {
    refused(
        "io.confluent.connect.avro.AvroConverter",
        &[],
        &expect![
            ": io.confluent.connect.avro.AvroConverter does not work yet; those that work: JsonConverter, StringConverter, ByteArrayConverter"
        ],
    );
    refused(
        "LongConverter",
        &[],
        &expect![
            ": LongConverter does not work yet; those that work: JsonConverter, StringConverter, ByteArrayConverter"
        ],
    );
    refused(
        "SimpleHeaderConverter",
        &[],
        &expect![
            ": SimpleHeaderConverter converts headers only; those that work: JsonConverter, StringConverter, ByteArrayConverter"
        ],
    );
    refused(
        "com.example.JsonConverter",
        &[],
        &expect![
            ": com.example.JsonConverter is no converter; those that work: JsonConverter, StringConverter, ByteArrayConverter"
        ],
    );
}

#[test]
fn settings_that_are_wrong_or_unknown_are_refused_by_name() {
    refused(
        "json",
        &[("schemas.enable", "yes")],
        &expect!["schemas.enable: must be true or false"],
    );
    refused(
        "json",
        &[("decimal.format", "HEX")],
        &expect!["decimal.format: must be BASE64 or NUMERIC"],
    );
    refused(
        "json",
        &[("schemas.cache.size", "-1")],
        &expect!["schemas.cache.size: must be a number, at least 0"],
    );
    refused(
        "json",
        &[("schema.content", "{}")],
        &expect!["schema.content: is no setting of JsonConverter that works"],
    );
    refused(
        "string",
        &[("converter.encoding", "UTF-16")],
        &expect!["converter.encoding: the encoding UTF-16 does not work yet; UTF-8 does"],
    );
    refused(
        "bytes",
        &[("schemas.enable", "false")],
        &expect!["schemas.enable: is no setting of ByteArrayConverter that works"],
    );
    assert!(
        Converter::configure(
            "string",
            &settings(&[("converter.encoding", "utf8")]),
            false
        )
        .is_ok()
    );
}
