//! The sink: appends, flushes, and cuts back.

use std::collections::BTreeMap;

use longshore_sdk::{
    Assignment, AssignmentChange, Batch, ConfigMap, Ctx, Fault, FaultClass, File, Problem, Row,
    RowFault, Sink, TaskContext, TopicPosition,
};

use crate::config::FileSinkConfig;
use crate::sidecar::{Partition, Place, Sidecar};
use crate::value::Lines;

/// Records to the lines of a file.
pub struct FileSink {
    path: String,
    file: File,
    /// As it stands on disk.
    sidecar: Sidecar,
    /// What is in the file by now, synced or not.
    written: Sidecar,
    /// Ids of the assigned topics.
    topic_ids: BTreeMap<String, String>,
    /// Whether an append failed, so that part of it may be in the file.
    torn: bool,
    lines: Lines,
}

impl Sink for FileSink {
    type Config = FileSinkConfig;

    async fn validate(ctx: &Ctx, config: FileSinkConfig) -> Vec<Problem> {
        match ctx.files().stat(&config.file).await {
            Ok(_) => Vec::new(),
            Err(fault) => vec![Problem::from(fault.with("key", "file"))],
        }
    }

    /// One file has one writer.
    async fn plan(
        _ctx: &Ctx,
        _config: FileSinkConfig,
        submitted: ConfigMap,
        _tasks_max: u32,
    ) -> Result<Vec<ConfigMap>, Fault> {
        Ok(vec![submitted])
    }

    async fn open(
        ctx: &Ctx,
        task: TaskContext,
        config: FileSinkConfig,
        assigned: Vec<Assignment>,
    ) -> Result<(Self, Vec<TopicPosition>), Fault> {
        let path = config.file;
        let stored = Sidecar::load(ctx, &path).await?;
        if let Some(stored) = &stored {
            check_generation(&path, stored.generation, task.generation)?;
            stored.check_history(&path, &assigned)?;
        }
        let file = ctx.files().create(&path).await?;
        let size = file.stat().await?.size;
        let mut sidecar = match stored {
            Some(stored) if size < stored.length => return Err(too_short(&path, size, &stored)),
            Some(stored) => stored,
            // What stands there already is not ours to cut.
            None => Sidecar {
                length: size,
                ..Sidecar::default()
            },
        };
        if size > sidecar.length {
            file.truncate(sidecar.length).await?;
        }
        // Also where nothing was written: from here on a crash knows what to cut, and a task of an
        // older generation is rejected.
        sidecar.generation = task.generation;
        sidecar.store(ctx, &path).await?;
        let start = sidecar.start_of(&assigned);
        let mut sink = Self {
            path,
            file,
            written: sidecar.clone(),
            sidecar,
            topic_ids: BTreeMap::new(),
            torn: false,
            lines: Lines::default(),
        };
        sink.assign(assigned);
        Ok((sink, start))
    }

    async fn partitions_changed(
        &mut self,
        ctx: &Ctx,
        change: AssignmentChange,
    ) -> Result<Vec<TopicPosition>, Fault> {
        check_generation(&self.path, self.written.generation, change.generation)?;
        self.written.check_history(&self.path, &change.assigned)?;
        self.written.generation = change.generation;
        self.flush(ctx).await?;
        let start = self.written.start_of(&change.assigned);
        self.assign(change.assigned);
        Ok(start)
    }

    async fn put(
        &mut self,
        ctx: &Ctx,
        generation: u64,
        batch: Batch<Vec<u8>>,
    ) -> Result<Vec<RowFault>, Fault> {
        check_generation(&self.path, self.written.generation, generation)?;
        self.mend_torn_append().await?;
        let mut next = self.written.places.clone();
        let mut text = Vec::with_capacity(batch.buffer().len());
        let mut failed = Vec::new();
        for (row, record) in (0u32..).zip(batch.rows()) {
            let (partition, offset) = self.place_of(&record)?;
            let stored = self.written.places.get(&partition);
            if stored.is_some_and(|stored| offset < stored.offset) {
                // In the file already: a batch may come twice.
                continue;
            }
            let topic_id = &self.topic_ids[&partition.0];
            let place = next.entry(partition).or_insert_with(|| Place {
                topic_id: topic_id.clone(),
                offset: 0,
            });
            // Transforms may have made several rows of one record, which all have its offset.
            place.offset = place.offset.max(offset + 1);
            if let Err(fault) = self.lines.write(ctx, &mut text, record.value()) {
                failed.push(RowFault { row, fault });
            }
        }
        if !text.is_empty() {
            self.append(text).await?;
        }
        self.written.places = next;
        Ok(failed)
    }

    async fn flush(&mut self, ctx: &Ctx) -> Result<Vec<TopicPosition>, Fault> {
        self.mend_torn_append().await?;
        if self.written != self.sidecar {
            self.file.sync().await?;
            self.written.store(ctx, &self.path).await?;
            self.sidecar = self.written.clone();
        }
        let assigned = self.sidecar.places.iter();
        let assigned = assigned.filter(|((topic, _), _)| self.topic_ids.contains_key(topic));
        let position = |((topic, partition), place): (&Partition, &Place)| TopicPosition {
            topic: topic.clone(),
            partition: *partition,
            offset: place.offset,
        };
        Ok(assigned.map(position).collect())
    }

    /// The sidecar's offsets beat the group's, so they are changed with them.
    async fn alter_offsets(
        ctx: &Ctx,
        config: FileSinkConfig,
        positions: Vec<TopicPosition>,
    ) -> Result<bool, Fault> {
        let Some(mut sidecar) = Sidecar::load(ctx, &config.file).await? else {
            return Ok(true);
        };
        for position in positions {
            let partition = (position.topic, position.partition);
            if position.offset < 0 {
                sidecar.places.remove(&partition);
            } else if let Some(place) = sidecar.places.get_mut(&partition) {
                place.offset = position.offset;
            }
        }
        sidecar.store(ctx, &config.file).await?;
        Ok(true)
    }
}

impl FileSink {
    fn assign(&mut self, assigned: Vec<Assignment>) {
        let id = |assignment: Assignment| (assignment.topic, assignment.topic_id);
        self.topic_ids = assigned.into_iter().map(id).collect();
    }

    fn place_of(&self, record: &Row<'_, Vec<u8>>) -> Result<(Partition, i64), Fault> {
        let place = (record.topic(), record.partition(), record.offset());
        match place {
            (Some(topic), Some(partition), Some(offset)) if self.topic_ids.contains_key(topic) => {
                Ok(((topic.to_owned(), partition), offset))
            }
            _ => Err(Fault::new(
                FaultClass::Fatal,
                "record-not-assigned",
                "a record came without topic, partition and offset, or of a topic that is not assigned",
            )),
        }
    }

    /// Appends all of it, or leaves the file as it was.
    async fn append(&mut self, text: Vec<u8>) -> Result<(), Fault> {
        let expected = self.written.length + text.len() as u64;
        self.torn = true;
        let size = self.file.append(text).await?;
        if size != expected {
            let message = format!(
                "{} has {size} bytes after an append and should have {expected}: something else \
                 writes to it",
                self.path
            );
            let fault = Fault::new(FaultClass::Fatal, "file-changed", message);
            return Err(fault.with("file", &self.path));
        }
        self.torn = false;
        self.written.length = size;
        Ok(())
    }

    async fn mend_torn_append(&mut self) -> Result<(), Fault> {
        if self.torn {
            let size = self.file.stat().await?.size;
            if size < self.written.length {
                return Err(too_short(&self.path, size, &self.written));
            }
            self.file.truncate(self.written.length).await?;
            self.torn = false;
        }
        Ok(())
    }
}

/// An older generation than the stored one belongs to a task that was replaced.
fn check_generation(file: &str, stored: u64, generation: u64) -> Result<(), Fault> {
    if generation >= stored {
        return Ok(());
    }
    let message = format!(
        "generation {generation} of this task may not write to {file} any more: generation {stored} \
         has taken over"
    );
    Err(Fault::new(FaultClass::Fatal, "stale-generation", message).with("file", file))
}

fn too_short(path: &str, size: u64, sidecar: &Sidecar) -> Fault {
    let length = sidecar.length;
    let message = format!(
        "{path} has {size} bytes, and {length} were written and synced: something cut it off; \
         restore it, or remove its sidecar to append behind what is left"
    );
    Fault::new(FaultClass::Fatal, "file-cut-off", message)
        .with("file", path)
        .with("size", size.to_string())
        .with("length", length.to_string())
}
