use std::path::Path;

use super::{FlushSetting, Settings};
use crate::config::{Layers, environment, file, set_options};
use crate::error::{Code, Failure};

fn set(options: &[&str]) -> Result<Settings, Failure> {
    let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    Settings::read(&Layers::merge([set_options(&options)?])?)
}

fn refused(options: &[&str], code: Code, message: &str) {
    let failure = set(options).expect_err("the setting is refused");
    assert_eq!((failure.code, failure.message.as_str()), (code, message));
}

#[test]
fn defaults_are_those_of_the_readme() {
    let settings = set(&[]).unwrap();
    assert_eq!(settings.data_dir, Path::new("./longshore-data"));
    assert_eq!(
        (settings.rest[0].host.as_str(), settings.rest[0].port),
        ("127.0.0.1", 8083)
    );
    assert_eq!(
        (settings.kafka[0].host.as_str(), settings.kafka[0].port),
        ("127.0.0.1", 9092)
    );
    assert_eq!(settings.flush, FlushSetting::Commit);
    assert!(settings.auto_create_topics && settings.warnings.is_empty());
    assert!(settings.table.is_empty());
}

#[test]
fn what_works_goes_on_to_the_rooms_that_read_it() {
    let settings = set(&[
        "value.converter.schemas.enable=true",
        "group.id=g",
        "broker=embedded",
    ])
    .unwrap();
    let keys: Vec<_> = settings.table.keys().map(String::as_str).collect();
    assert_eq!(keys, ["broker", "value.converter.schemas.enable"]);
}

#[test]
fn keys_that_decide_where_data_goes_are_refused_by_name() {
    for key in [
        "bootstrap.servers",
        "security.protocol",
        "offset.storage.topic",
        "producer.acks",
    ] {
        refused(
            &[&format!("{key}=x")],
            Code::ConfigRefused,
            &format!(
                "{key} (from --set) is about a Kafka cluster, and this worker keeps topics in its own log"
            ),
        );
    }
    let settings = set(&["bootstrap.servers=a:1", "group.id=g", "broker=embedded"]).unwrap();
    assert_eq!(settings.replaced, ["bootstrap.servers", "group.id"]);
}

#[test]
fn what_does_not_work_yet_is_refused_unless_it_is_what_happens() {
    assert!(set(&["topic.creation.enable=true"]).is_ok());
    refused(
        &["rest.extension.classes=org.example.Auth"],
        Code::ConfigRefused,
        "rest.extension.classes (from --set) does not work so far",
    );
    refused(
        &["broker=kafka"],
        Code::ConfigInvalid,
        "broker (from --set): only embedded works so far",
    );
}

#[test]
fn strangers_and_wrong_values_are_named_with_their_origin() {
    refused(
        &["data.dri=x"],
        Code::ConfigUnknownKey,
        "data.dri (from --set): no worker has this key",
    );
    refused(
        &["log.flush=often"],
        Code::ConfigInvalid,
        "log.flush (from --set): is neither commit nor interval",
    );
    refused(
        &["num.partitions=0"],
        Code::ConfigInvalid,
        "num.partitions (from --set): is not above 0",
    );
    refused(
        &["kafka.advertised.listeners=OUT://a:1"],
        Code::ConfigInvalid,
        "kafka.advertised.listeners (from --set): there is no listener OUT",
    );
}

#[test]
fn a_listener_off_loopback_needs_a_word_and_warns() {
    for key in ["listeners=http://0.0.0.0:8083", "kafka.listeners=:9092"] {
        assert_eq!(set(&[key]).expect_err("exposed").code, Code::ConfigInvalid);
        assert_eq!(
            set(&[key, "listeners.insecure=true"])
                .unwrap()
                .warnings
                .len(),
            1
        );
    }
}

#[test]
fn a_key_of_the_jvm_gets_one_warning() {
    let settings = set(&["plugin.discovery=only_scan"]).unwrap();
    assert_eq!(settings.warnings.len(), 1);
}

#[test]
fn layers_lie_over_each_other_and_keep_origins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worker.properties");
    std::fs::write(&path, "num.partitions=2\nlog.flush=interval\nkey.converter=a\nkey.converter.schemas.enable=true\n")
        .unwrap();
    let variables = [
        ("LONGSHORE_NUM_PARTITIONS", "3"),
        ("LONGSHORE_PORT", "tcp://x"),
        ("LONGSHORE_REST", "y"),
    ];
    let (environment, strangers) = environment(
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert_eq!(strangers, ["LONGSHORE_PORT"]);
    let options = set_options(&["data.dir=/tmp/x".to_owned()]).unwrap();
    let layers = Layers::merge([file(&path).unwrap(), environment, options]).unwrap();
    let origin = |key: &str| layers.entries[key].origin.clone();
    assert_eq!(
        origin("num.partitions"),
        "environment variable LONGSHORE_NUM_PARTITIONS"
    );
    assert_eq!(origin("log.flush"), format!("{}, line 2", path.display()));
    assert_eq!(origin("data.dir"), "--set");
    let settings = Settings::read(&layers).unwrap();
    assert_eq!(settings.num_partitions, 3);
    assert_eq!(settings.table["key.converter"], "a");
    assert_eq!(settings.table["key.converter.schemas.enable"], "true");
}

#[test]
fn a_toml_file_is_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("worker.toml");
    std::fs::write(&path, "\"num.partitions\" = 2\n[log.flush]\n\"interval.ms\" = 5\n[kafka]\nlisteners = [\"a:1\", \"B://c:2\"]\n")
        .unwrap();
    let layers = Layers::merge([file(&path).unwrap()]).unwrap();
    let values: Vec<_> = layers
        .entries
        .iter()
        .map(|(key, e)| (key.as_str(), e.value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("kafka.listeners", "a:1,B://c:2"),
            ("log.flush.interval.ms", "5"),
            ("num.partitions", "2"),
        ]
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let failure = file(Path::new("/nowhere/worker.properties")).expect_err("there is none");
    assert_eq!(failure.code, Code::ConfigFile);
    assert!(
        failure.message.starts_with("/nowhere/worker.properties: "),
        "{failure}"
    );
}
