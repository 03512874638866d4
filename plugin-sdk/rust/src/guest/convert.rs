//! Generated types to the author's, and back. Nothing else.

use longshore_model::{Fault, FaultClass, Order, Position, SourcePosition, Watermark};

use super::bindings::imports::longshore::connect::types as wit;
use crate::{
    Assignment, ConfigMap, FileEntry, FileStat, Problem, RowFault, Severity, TaskContext,
    TopicPosition,
};

pub(crate) fn fault_in(fault: wit::Fault) -> Fault {
    let class = match fault.class {
        wit::FaultClass::Retriable => FaultClass::Retriable,
        wit::FaultClass::BadRecord => FaultClass::BadRecord,
        wit::FaultClass::Config => FaultClass::Config,
        wit::FaultClass::Denied => FaultClass::Denied,
        wit::FaultClass::Fatal => FaultClass::Fatal,
        wit::FaultClass::Stopping => FaultClass::Stopping,
    };
    Fault {
        class,
        code: fault.code,
        message: fault.message,
        details: fault.details,
    }
}

pub(crate) fn fault_out(fault: Fault) -> wit::Fault {
    let class = match fault.class {
        FaultClass::Retriable => wit::FaultClass::Retriable,
        FaultClass::BadRecord => wit::FaultClass::BadRecord,
        FaultClass::Config => wit::FaultClass::Config,
        FaultClass::Denied => wit::FaultClass::Denied,
        FaultClass::Fatal => wit::FaultClass::Fatal,
        FaultClass::Stopping => wit::FaultClass::Stopping,
    };
    wit::Fault {
        class,
        code: fault.code,
        message: fault.message,
        details: fault.details,
    }
}

pub(super) fn config_in(config: wit::Config) -> ConfigMap {
    config.into_iter().collect()
}

pub(super) fn config_out(config: ConfigMap) -> wit::Config {
    config.into_iter().collect()
}

pub(super) fn problem_out(problem: Problem) -> wit::Problem {
    let severity = match problem.severity {
        Severity::Refusal => wit::Severity::Refusal,
        Severity::Warning => wit::Severity::Warning,
    };
    wit::Problem {
        key: problem.key,
        severity,
        fault: fault_out(problem.fault),
    }
}

pub(super) fn task_in(task: wit::TaskContext) -> TaskContext {
    TaskContext {
        connector: task.connector,
        task: task.task,
        generation: task.generation,
        extra: task.extra,
    }
}

pub(super) fn positions_in(positions: Vec<wit::SourcePosition>) -> Vec<SourcePosition> {
    positions.into_iter().map(position_in).collect()
}

fn position_in(position: wit::SourcePosition) -> SourcePosition {
    let order = position
        .order
        .map(|order| Order((u128::from(order.high) << 64) | u128::from(order.low)));
    SourcePosition {
        partition: position.partition,
        position: Position {
            offset: position.offset,
            order,
        },
    }
}

pub(super) fn watermark_out(watermark: Watermark) -> wit::Watermark {
    wit::Watermark {
        stream: watermark.stream,
        value: watermark.value,
    }
}

pub(super) fn assigned_in(assigned: Vec<wit::Assignment>) -> Vec<Assignment> {
    let one = |a: wit::Assignment| Assignment {
        topic: a.topic,
        topic_id: a.topic_id,
        partition: a.partition,
        committed: a.committed,
    };
    assigned.into_iter().map(one).collect()
}

pub(super) fn places_in(places: Vec<wit::TopicPosition>) -> Vec<TopicPosition> {
    let one = |p: wit::TopicPosition| TopicPosition {
        topic: p.topic,
        partition: p.partition,
        offset: p.offset,
    };
    places.into_iter().map(one).collect()
}

pub(super) fn places_out(places: Vec<TopicPosition>) -> Vec<wit::TopicPosition> {
    let one = |p: TopicPosition| wit::TopicPosition {
        topic: p.topic,
        partition: p.partition,
        offset: p.offset,
    };
    places.into_iter().map(one).collect()
}

pub(super) fn row_fault_out(row_fault: RowFault) -> wit::RowFault {
    wit::RowFault {
        row: row_fault.row,
        fault: fault_out(row_fault.fault),
    }
}

use super::bindings::imports::longshore::files::files as wit_files;

pub(crate) fn stat_in(stat: wit_files::FileStat) -> FileStat {
    FileStat {
        identity: stat.identity,
        size: stat.size,
        modified_ms: stat.modified_ms,
    }
}

pub(crate) fn entry_in(entry: wit_files::Entry) -> FileEntry {
    FileEntry {
        path: entry.path,
        stat: stat_in(entry.stat),
    }
}

pub(crate) fn entry_out(entry: &FileEntry) -> wit_files::Entry {
    wit_files::Entry {
        path: entry.path.clone(),
        stat: wit_files::FileStat {
            identity: entry.stat.identity.clone(),
            size: entry.stat.size,
            modified_ms: entry.stat.modified_ms,
        },
    }
}
