//! Faults, configs, positions, partitions and batches.

use bytes::Bytes;
use longshore_model::batch::Batch;
use longshore_model::{
    Fault, FaultClass, Order, Position, SourcePosition, TopicName, TopicPartition, Watermark,
};
use longshore_pipeline::port::{self, Assignment, Problem, RowFault, Severity, TopicOffset};

use crate::bindings::v0_1::exports::longshore::connect::cleanup::Leftover;
use crate::bindings::v0_1::longshore::connect::types;
use crate::voice::cut;

/// Limits of the contract on what a guest says.
const CODE_BYTES_MAX: usize = 64;
const MESSAGE_BYTES_MAX: usize = 4 << 10;
const DETAILS_MAX: usize = 32;

/// A batch that a guest returned, checked once.
pub(crate) fn batch_in(bytes: Vec<u8>) -> Result<Batch<Bytes>, Fault> {
    Batch::parse(Bytes::from(bytes)).map_err(|malformed| {
        let message = format!("the plugin returned a malformed batch: {malformed}");
        Fault::new(FaultClass::Fatal, "malformed-batch", message)
    })
}

/// The bytes as a guest takes them; copied only where somebody else holds them too.
pub(crate) fn batch_out(batch: Bytes) -> Vec<u8> {
    Vec::from(batch)
}

pub(crate) fn fault_in(fault: types::Fault) -> Fault {
    let cut = |text: String, bytes_max| match text.len() <= bytes_max {
        true => text,
        false => cut(&text, bytes_max).to_owned(),
    };
    let details = fault.details.into_iter().take(DETAILS_MAX);
    let details =
        details.map(|(name, fact)| (cut(name, CODE_BYTES_MAX), cut(fact, MESSAGE_BYTES_MAX)));
    Fault {
        class: match fault.class {
            types::FaultClass::Retriable => FaultClass::Retriable,
            types::FaultClass::BadRecord => FaultClass::BadRecord,
            types::FaultClass::Config => FaultClass::Config,
            types::FaultClass::Denied => FaultClass::Denied,
            types::FaultClass::Fatal => FaultClass::Fatal,
            types::FaultClass::Stopping => FaultClass::Stopping,
        },
        code: cut(fault.code, CODE_BYTES_MAX),
        message: cut(fault.message, MESSAGE_BYTES_MAX),
        details: details.collect(),
    }
}

pub(crate) fn fault_out(fault: Fault) -> types::Fault {
    types::Fault {
        class: match fault.class {
            FaultClass::Retriable => types::FaultClass::Retriable,
            FaultClass::BadRecord => types::FaultClass::BadRecord,
            FaultClass::Config => types::FaultClass::Config,
            FaultClass::Denied => types::FaultClass::Denied,
            FaultClass::Fatal => types::FaultClass::Fatal,
            FaultClass::Stopping => types::FaultClass::Stopping,
        },
        code: fault.code,
        message: fault.message,
        details: fault.details,
    }
}

pub(crate) fn problem_in(problem: types::Problem) -> Problem {
    let severity = match problem.severity {
        types::Severity::Refusal => Severity::Refusal,
        types::Severity::Warning => Severity::Warning,
    };
    Problem {
        key: problem.key,
        severity,
        fault: fault_in(problem.fault),
    }
}

pub(crate) fn leftover_in(leftover: Leftover) -> port::Leftover {
    port::Leftover {
        kind: leftover.kind,
        name: leftover.name,
        bytes: leftover.bytes,
        command: leftover.command,
    }
}

pub(crate) fn watermark_in(watermark: &types::Watermark) -> Watermark {
    Watermark {
        stream: watermark.stream,
        value: watermark.value,
    }
}

pub(crate) fn position_out(position: &SourcePosition) -> types::SourcePosition {
    let SourcePosition {
        partition,
        position: Position { offset, order },
    } = position;
    types::SourcePosition {
        partition: partition.clone(),
        offset: offset.clone(),
        order: order.map(order_out),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "each half is 64 bits of the number"
)]
fn order_out(Order(order): Order) -> types::U128 {
    types::U128 {
        high: (order >> 64) as u64,
        low: order as u64,
    }
}

pub(crate) fn assignment_out(assignment: &Assignment) -> types::Assignment {
    types::Assignment {
        topic: assignment.partition.topic.to_string(),
        topic_id: assignment.topic_id.to_string(),
        partition: assignment.partition.partition,
        committed: assignment.committed,
    }
}

pub(crate) fn offset_out(offset: &TopicOffset) -> types::TopicPosition {
    types::TopicPosition {
        topic: offset.partition.topic.to_string(),
        partition: offset.partition.partition,
        offset: offset.offset,
    }
}

/// Offsets that a sink returned.
pub(crate) fn offsets_in(offsets: Vec<types::TopicPosition>) -> Result<Vec<TopicOffset>, Fault> {
    let one = |offset: types::TopicPosition| {
        let topic = TopicName::parse(&offset.topic).map_err(|e| {
            let message = format!("the plugin returned an offset of no topic: {e}");
            Fault::new(FaultClass::Fatal, "plugin-bad-offset", message)
        })?;
        let partition = offset.partition;
        Ok(TopicOffset {
            partition: TopicPartition { topic, partition },
            offset: offset.offset,
        })
    };
    offsets.into_iter().map(one).collect()
}

pub(crate) fn row_fault_in(fault: types::RowFault) -> RowFault {
    RowFault {
        row: fault.row,
        fault: fault_in(fault.fault),
    }
}
