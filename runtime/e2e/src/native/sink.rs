//! A sink connector behind the pipeline's port.

use std::rc::Rc;

use bytes::Bytes;
use longshore_cap_files::FilesClient;
use longshore_model::batch::Batch;
use longshore_model::{Fault, FaultClass, TopicName, TopicPartition};
use longshore_pipeline::port::{
    Assignment, Generation, RowFault, SinkPlugin, TaskEnv, TopicOffset,
};
use longshore_sdk::{AssignmentChange, Config, Ctx, Sink, TopicPosition};
use tokio::sync::mpsc;

use super::host::NativeHost;
use super::{Ask, Bell, ask, config_map, gone, task_context};

#[derive(Debug)]
enum Question {
    Open(Vec<longshore_sdk::Assignment>),
    PartitionsChanged(AssignmentChange),
    Put(u64, Bytes),
    Flush,
    Close,
}

#[derive(Debug)]
enum Answer {
    Positions(Vec<TopicPosition>),
    Faults(Vec<longshore_sdk::RowFault>),
    Closed,
}

/// A sink's instance: a local task and its mailbox.
#[derive(Debug)]
pub struct NativeSink {
    mailbox: mpsc::Sender<Ask<Question, Answer>>,
    bell: Bell,
}

impl NativeSink {
    /// Makes the connector's instance on the current `LocalSet`, to be opened.
    ///
    /// # Errors
    /// When the config is not the connector's.
    pub fn new<K: Sink>(env: TaskEnv, files: FilesClient) -> Result<Self, Fault> {
        let bell = Bell::default();
        <K::Config as Config>::parse(&config_map(&env))?;
        let (mailbox, questions) = mpsc::channel(1);
        tokio::task::spawn_local(answer::<K>(env, files, bell.clone(), questions));
        Ok(Self { mailbox, bell })
    }

    async fn positions(&self, question: Question) -> Result<Vec<TopicOffset>, Fault> {
        match ask(&self.mailbox, question).await? {
            Answer::Positions(positions) => positions.into_iter().map(topic_offset).collect(),
            _ => Err(gone()),
        }
    }
}

async fn answer<K: Sink>(
    env: TaskEnv,
    files: FilesClient,
    bell: Bell,
    mut questions: mpsc::Receiver<Ask<Question, Answer>>,
) {
    let task = task_context(&env);
    let submitted = config_map(&env);
    let ctx = Ctx::new(Rc::new(NativeHost::new(env, files, None, bell)));
    let mut sink: Option<K> = None;
    while let Some((question, reply)) = questions.recv().await {
        let answer = match (question, &mut sink) {
            (Question::Open(assigned), none) => {
                let config = <K::Config as Config>::parse(&submitted);
                let opened = match config {
                    Ok(config) => K::open(&ctx, task.clone(), config, assigned).await,
                    Err(fault) => Err(fault),
                };
                opened.map(|(opened, starts)| {
                    *none = Some(opened);
                    Answer::Positions(starts)
                })
            }
            (Question::Close, _) => {
                if let Some(sink) = sink.take() {
                    sink.close(&ctx).await;
                }
                reply.send(Ok(Answer::Closed)).ok();
                return;
            }
            (_, None) => Err(gone()),
            (Question::PartitionsChanged(change), Some(sink)) => {
                let starts = sink.partitions_changed(&ctx, change).await;
                starts.map(Answer::Positions)
            }
            (Question::Put(generation, batch), Some(sink)) => match Batch::parse(batch.to_vec()) {
                Ok(batch) => sink.put(&ctx, generation, batch).await.map(Answer::Faults),
                Err(e) => Err(Fault::new(
                    FaultClass::Fatal,
                    "malformed-batch",
                    e.to_string(),
                )),
            },
            (Question::Flush, Some(sink)) => sink.flush(&ctx).await.map(Answer::Positions),
        };
        reply.send(answer).ok();
    }
}

impl SinkPlugin for NativeSink {
    type Signal = Bell;

    fn signal(&self) -> Bell {
        self.bell.clone()
    }

    async fn open(&mut self, assigned: &[Assignment]) -> Result<Vec<TopicOffset>, Fault> {
        let assigned = assigned.iter().map(assignment).collect();
        self.positions(Question::Open(assigned)).await
    }

    async fn partitions_changed(
        &mut self,
        assigned: &[Assignment],
        revoked: &[TopicOffset],
        lost: &[TopicOffset],
        generation: Generation,
    ) -> Result<Vec<TopicOffset>, Fault> {
        let change = AssignmentChange {
            assigned: assigned.iter().map(assignment).collect(),
            revoked: revoked.iter().map(topic_position).collect(),
            lost: lost.iter().map(topic_position).collect(),
            generation: generation.0,
        };
        self.positions(Question::PartitionsChanged(change)).await
    }

    async fn put(&mut self, generation: Generation, batch: Bytes) -> Result<Vec<RowFault>, Fault> {
        self.bell.begin_call();
        match ask(&self.mailbox, Question::Put(generation.0, batch)).await? {
            Answer::Faults(faults) => Ok(faults
                .into_iter()
                .map(|failed| RowFault {
                    row: failed.row,
                    fault: failed.fault,
                })
                .collect()),
            _ => Err(gone()),
        }
    }

    async fn flush(&mut self) -> Result<Vec<TopicOffset>, Fault> {
        self.positions(Question::Flush).await
    }

    async fn close(self) -> Result<(), Fault> {
        ask(&self.mailbox, Question::Close).await?;
        Ok(())
    }
}

fn assignment(assignment: &Assignment) -> longshore_sdk::Assignment {
    longshore_sdk::Assignment {
        topic: assignment.partition.topic.to_string(),
        topic_id: assignment.topic_id.to_string(),
        partition: assignment.partition.partition,
        committed: assignment.committed,
    }
}

fn topic_position(offset: &TopicOffset) -> TopicPosition {
    TopicPosition {
        topic: offset.partition.topic.to_string(),
        partition: offset.partition.partition,
        offset: offset.offset,
    }
}

fn topic_offset(position: TopicPosition) -> Result<TopicOffset, Fault> {
    let topic = TopicName::parse(&position.topic)
        .map_err(|e| Fault::new(FaultClass::Fatal, "topic", e.to_string()))?;
    Ok(TopicOffset {
        partition: TopicPartition {
            topic,
            partition: position.partition,
        },
        offset: position.offset,
    })
}
