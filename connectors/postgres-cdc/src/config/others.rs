//! Debezium's keys that do not work here, and why.

/// What a key that does not work means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not there yet: refused, but for values that ask for nothing.
    Later {
        /// Values that ask for nothing.
        idle: &'static [&'static str],
    },
    /// Tunes something that is not here, or is retired: one warning.
    Idle {
        /// Why it changes nothing.
        because: &'static str,
    },
}

macro_rules! others {
    (
        later { $($later:literal: [$($idle:literal),*],)* }
        idle { $($key:literal: $because:literal,)* }
    ) => {
        /// Every such key.
        pub(crate) const OTHERS: &[(&str, Standing)] = &[
            $(($later, Standing::Later { idle: &[$($idle),*] }),)*
            $(($key, Standing::Idle { because: $because }),)*
        ];

        /// Their definitions, each behind a comma, to stand behind those of the keys that work.
        pub(crate) const DEFINITIONS: &str = concat!(
            $(definition!($later, "Debezium's; not there yet, see docs/guides/postgres.md."),)*
            $(definition!($key, "Debezium's; changes nothing here."),)*
        );
    };
}

macro_rules! definition {
    ($name:literal, $doc:literal) => {
        concat!(
            ",{\"name\":\"",
            $name,
            "\",\"type\":\"STRING\",\"required\":false,\"importance\":\"LOW\",\"doc\":\"",
            $doc,
            "\",\"group\":\"Not here\",\"width\":\"NONE\",\"display_name\":\"",
            $name,
            "\"}"
        )
    };
}

others! {
    later {
        "slot.drop.on.stop": ["false"],
        "slot.stream.params": [""],
        "slot.failover": ["false"],
        "replica.identity.autoset.values": [""],
        "include.unknown.datatypes": ["false"],
        "skip.messages.without.change": ["false"],
        "schema.name.adjustment.mode": ["none"],
        "field.name.adjustment.mode": ["none"],
        "column.propagate.source.type": [""],
        "datatype.propagate.source.type": [""],
        "converters": [""],
        "post.processors": [""],
        "read.only": ["false"],
        "signal.data.collection": [""],
        "signal.enabled.channels": ["source"],
        "notification.enabled.channels": [""],
        "incremental.snapshot.chunk.size": ["1024"],
        "incremental.snapshot.allow.schema.changes": ["false"],
        "signal.file": ["file-signals.txt"],
        "signal.kafka.topic": [""],
        "signal.kafka.groupId": ["kafka-signal"],
        "signal.kafka.bootstrap.servers": [""],
        "signal.kafka.poll.timeout.ms": ["100"],
        "notification.sink.topic.name": [""],
        "snapshot.include.collection.list": [""],
        "snapshot.select.statement.overrides": [""],
        "snapshot.locking.mode": ["none"],
        "snapshot.locking.mode.custom.name": [""],
        "snapshot.query.mode": ["select_all"],
        "snapshot.query.mode.custom.name": [""],
        "snapshot.mode.custom.name": [""],
        "snapshot.mode.configuration.based.snapshot.data": ["false"],
        "snapshot.mode.configuration.based.snapshot.schema": ["false"],
        "snapshot.mode.configuration.based.start.stream": ["false"],
        "snapshot.mode.configuration.based.snapshot.on.schema.error": ["false"],
        "snapshot.mode.configuration.based.snapshot.on.data.error": ["false"],
        "snapshot.tables.order.by.row.count": ["disabled"],
        "snapshot.isolation.mode": ["serializable", "repeatable_read"],
        "snapshot.delay.ms": ["0"],
        "streaming.delay.ms": ["0"],
        "message.prefix.include.list": [""],
        "message.prefix.exclude.list": [""],
        "event.processing.failure.handling.mode": ["fail"],
        "topic.naming.strategy": ["io.debezium.schema.SchemaTopicNamingStrategy"],
        "topic.delimiter": ["."],
        "sourceinfo.struct.maker": ["io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"],
        "guardrail.collections.max": ["0"],
        "xmin.fetch.interval.ms": ["0"],
        "database.initial.statements": [""],
        "database.sslpassword": [""],
        "database.sslfactory": [""],
        "connection.factory.class": [""],
        "custom.retriable.exception": [""],
        "provide.transaction.metadata": ["false"],
    }
    idle {
        "snapshot.fetch.size": "tables are copied out as a stream",
        "incremental.snapshot.watermarking.strategy": "there are no incremental snapshots yet",
        "max.batch.size": "batches grow and shrink by themselves",
        "max.queue.size": "there is no queue: what is not asked for is not read",
        "max.queue.size.in.bytes": "there is no queue: what is not asked for is not read",
        "poll.interval.ms": "changes are waited for, not polled",
        "signal.poll.interval.ms": "there are no signals yet",
        "topic.cache.size": "names of topics are made once for each table",
        "advanced.metrics.enable": "metrics are always there",
        "status.update.interval.ms": "the server is answered by its own timeout",
        "lsn.flush.mode": "positions are confirmed once they are stored",
        "lsn.flush.timeout.ms": "positions are confirmed once they are stored",
        "lsn.flush.timeout.action": "positions are confirmed once they are stored",
        "slot.max.retries": "a slot in use is waited for",
        "slot.retry.delay.ms": "a slot in use is waited for",
        "errors.max.retries": "lost connections are made again for ever",
        "retriable.restart.connector.wait.ms": "lost connections are made again with back-off",
        "offset.mismatch.strategy": "a slot that is ahead of the stored position is always an error",
        "schema.refresh.mode": "tables are looked up when the server says that they changed",
        "schema.history.internal.store.only.captured.tables.ddl": "there is no schema history",
        "snapshot.lock.timeout.ms": "no locks are taken",
        "executor.shutdown.timeout.ms": "there is no executor",
        "connection.validation.timeout.ms": "connections time out after 10 seconds",
        "custom.metric.tags": "metrics carry connector and task",
        "guardrail.collections.limit.action": "there is no such limit",
        "openlineage.integration.enabled": "there is no such integration",
        "database.history.store.only.captured.tables.ddl": "there is no schema history",
        "topic.transaction": "transaction metadata is not written",
        "transaction.metadata.factory": "transaction metadata is not written",
        "slot.seek.to.known.offset.on.start": "a slot is always started where the stored position ends",
    }
}

/// What keys begin with whose names say lengths and algorithms. They have no definitions: each would be one of many.
const FAMILIES: [&str; 2] = ["column.mask.", "column.truncate.to."];

/// What the key's standing is, where it does not work.
pub(crate) fn standing(key: &str) -> Option<Standing> {
    if FAMILIES.iter().any(|family| key.starts_with(family)) {
        return Some(Standing::Later { idle: &[] });
    }
    let found = OTHERS.iter().find(|(name, _)| *name == key);
    found.map(|(_, standing)| *standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_whose_names_say_more_are_refused_by_their_beginning() {
        for key in [
            "column.mask.with.10.chars",
            "column.mask.hash.v2.SHA-256.with.salt.x",
            "column.truncate.to.20.chars",
        ] {
            assert_eq!(standing(key), Some(Standing::Later { idle: &[] }), "{key}");
        }
        assert_eq!(standing("column.include.list"), None);
    }

    #[test]
    fn no_key_is_named_twice() {
        let mut names: Vec<&str> = OTHERS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
