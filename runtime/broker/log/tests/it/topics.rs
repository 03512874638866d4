//! Topic administration.

use longshore_disk::Loss;
use longshore_log::{Error, NewTopic};

use crate::rig::{Rig, small, topic};

fn new(name: &str, partitions: Option<u32>, configs: &[(&str, &str)]) -> NewTopic {
    let configs = configs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    NewTopic {
        name: topic(name),
        partitions,
        configs,
    }
}

#[test]
fn topics_are_created_described_and_deleted_durably() {
    let mut rig = Rig::new(1, small());
    let log = rig.log();
    let mut changed = log.topics_changed();
    let created = rig
        .drive(log.create_topic(new("b", Some(3), &[("retention.ms", "7")])))
        .unwrap();
    rig.drive(changed.changed()).unwrap();
    rig.drive(log.create_topic(new("a", None, &[]))).unwrap();
    assert!(matches!(
        rig.drive(log.create_topic(new("a", None, &[]))),
        Err(Error::TopicExists(_))
    ));
    rig.crash(Loss::Everything);
    rig.open().unwrap();
    let log = rig.log();
    assert_eq!(
        log.topics()
            .iter()
            .map(|topic| topic.name.to_string())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(log.topic_by_id(created.id), Some(created.clone()));
    assert_eq!(
        (created.n_partitions, created.settings.retention_ms),
        (3, Some(7))
    );
    rig.drive(log.delete_topic(&topic("b"))).unwrap();
    assert!(matches!(
        rig.drive(log.delete_topic(&topic("b"))),
        Err(Error::UnknownTopic(_))
    ));
    assert_eq!(log.topic(&topic("b")), None);
}

#[test]
fn all_topics_together_have_a_limit_of_partitions() {
    let mut rig = Rig::new(1, longshore_log::LogConfig::default());
    let log = rig.log();
    let many = Some(longshore_log::PARTITIONS_MAX);
    for i in 0..9 {
        rig.drive(log.create_topic(new(&format!("t{i}"), many, &[])))
            .unwrap();
    }
    rig.create("more", 1, &[]);
    let refused = [
        log.check_topic(&new("t9", many, &[])).unwrap_err(),
        rig.drive(log.create_topic(new("t9", many, &[])))
            .unwrap_err(),
    ];
    for refused in refused {
        assert_eq!(
            refused.to_string(),
            "10000 partitions beside 90001: all topics together have at most 100000"
        );
    }
    rig.drive(log.delete_topic(&topic("more"))).unwrap();
    rig.drive(log.create_topic(new("t9", many, &[]))).unwrap();
}

#[test]
fn settings_that_do_not_work_are_refused_by_name() {
    let mut rig = Rig::new(1, small());
    let log = rig.log();
    for (key, value) in [
        ("cleanup.policy", "compact"),
        ("retention.ms", "soon"),
        ("retention.bytes", "-2"),
        ("max.message.bytes", "1000000000"),
        ("message.timestamp.type", "LogAppendTime"),
        ("min.compaction.lag.ms", "5"),
    ] {
        let topic = new("t", None, &[(key, value)]);
        let refused =
            |error: Error| matches!(error, Error::TopicConfig { key: named, .. } if named == key);
        assert!(refused(log.check_topic(&topic).unwrap_err()), "{key}");
        assert!(
            refused(rig.drive(log.create_topic(topic)).unwrap_err()),
            "{key}"
        );
    }
    for partitions in [0, 10_001] {
        let topic = new("t", Some(partitions), &[]);
        assert!(matches!(
            rig.drive(log.create_topic(topic)),
            Err(Error::PartitionCount { .. })
        ));
    }
}

#[test]
fn internal_topics_are_compacted_have_one_partition_and_are_not_deleted() {
    let mut rig = Rig::new(1, small());
    let log = rig.log();
    let created = rig
        .drive(log.create_topic(new("_longshore_x", None, &[])))
        .unwrap();
    assert!(created.settings.compacted);
    assert!(matches!(
        rig.drive(log.create_topic(new("_schemas", Some(2), &[]))),
        Err(Error::PartitionCount { .. })
    ));
    assert!(matches!(
        rig.drive(log.delete_topic(&topic("_longshore_x"))),
        Err(Error::InternalTopic(_))
    ));
}

#[test]
fn settings_are_described_with_their_defaults() {
    let mut rig = Rig::new(1, small());
    let log = rig.log();
    let topic = rig
        .drive(log.create_topic(new("t", None, &[("retention.bytes", "5")])))
        .unwrap();
    let described = topic.settings.describe();
    assert_eq!(described[0], ("cleanup.policy", "delete".to_owned()));
    assert!(described.contains(&("retention.bytes", "5".to_owned())));
    assert!(described.contains(&("retention.ms", "604800000".to_owned())));
}
