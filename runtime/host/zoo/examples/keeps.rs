//! Well-behaved sink: keeps how far it has come, and refuses records that say so.
#![cfg(target_family = "wasm")]

use longshore_sdk::{
    Assignment, AssignmentChange, Batch, Ctx, Datum, Fault, FaultClass, RowFault, Sink,
    TaskContext, TopicPosition, plugin,
};

struct Keeps {
    kept: Vec<TopicPosition>,
}

impl Keeps {
    fn from(assigned: Vec<Assignment>) -> Vec<TopicPosition> {
        let start = |assigned: Assignment| TopicPosition {
            topic: assigned.topic,
            partition: assigned.partition,
            offset: assigned.committed.unwrap_or(0),
        };
        assigned.into_iter().map(start).collect()
    }
}

impl Sink for Keeps {
    type Config = ();

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        _config: (),
        assigned: Vec<Assignment>,
    ) -> Result<(Self, Vec<TopicPosition>), Fault> {
        let kept = Self::from(assigned);
        Ok((Self { kept: kept.clone() }, kept))
    }

    async fn partitions_changed(
        &mut self,
        _ctx: &Ctx,
        change: AssignmentChange,
    ) -> Result<Vec<TopicPosition>, Fault> {
        self.kept = Self::from(change.assigned);
        Ok(self.kept.clone())
    }

    async fn put(
        &mut self,
        ctx: &Ctx,
        _generation: u64,
        batch: Batch<Vec<u8>>,
    ) -> Result<Vec<RowFault>, Fault> {
        let mut failed = Vec::new();
        for (row, record) in (0..).zip(batch.rows()) {
            if record.value() == Datum::Text("refuse me") {
                let fault = Fault::new(FaultClass::BadRecord, "refused", "it asked for it");
                failed.push(RowFault { row, fault });
            }
            let partition = record.partition().unwrap_or(0);
            for kept in &mut self.kept {
                if Some(kept.topic.as_str()) == record.topic() && kept.partition == partition {
                    kept.offset = record.offset().map_or(kept.offset, |offset| offset + 1);
                }
            }
        }
        ctx.count("kept", batch.len() as u64);
        Ok(failed)
    }

    async fn flush(&mut self, _ctx: &Ctx) -> Result<Vec<TopicPosition>, Fault> {
        Ok(self.kept.clone())
    }
}

plugin! { name: "keeps", sink: Keeps }
