//! A source connector behind the pipeline's port.

use std::rc::Rc;

use bytes::Bytes;
use longshore_cap_files::FilesClient;
use longshore_model::batch::Batch;
use longshore_model::{Fault, FaultClass, SourcePosition, Watermark};
use longshore_pipeline::delivery::Stored;
use longshore_pipeline::port::{Polled, SourcePlugin, TaskEnv};
use longshore_sdk::{Config, Ctx, PollLimits, Source};
use tokio::sync::mpsc;

use super::host::NativeHost;
use super::{Ask, Bell, NativePostgres, ask, config_map, gone, postgres, task_context};

enum Question {
    Poll(PollLimits),
    Commit(Stored),
    Close,
}

/// A source's instance: a local task and its mailbox. Dropped, the task ends at its next question.
#[derive(Debug)]
pub struct NativeSource {
    mailbox: mpsc::Sender<Ask<Question, Polled>>,
    bell: Bell,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Poll(_) => "poll",
            Self::Commit(_) => "commit",
            Self::Close => "close",
        })
    }
}

impl NativeSource {
    /// Opens the connector on the current `LocalSet`.
    ///
    /// # Errors
    /// The connector's own.
    pub async fn open<S: Source>(
        env: TaskEnv,
        files: FilesClient,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        Self::open_beside::<S>(env, files, None, Bell::default(), positions).await
    }

    /// Opens the connector beside a PostgreSQL server, whose calls hear the bell.
    ///
    /// # Errors
    /// The connector's own.
    pub async fn open_beside<S: Source>(
        env: TaskEnv,
        files: FilesClient,
        postgres: Option<Rc<dyn NativePostgres>>,
        bell: Bell,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        let config = <S::Config as Config>::parse(&config_map(&env))?;
        let task = task_context(&env);
        let host = NativeHost::new(env, files, postgres.clone(), bell.clone());
        let ctx = Ctx::new(Rc::new(host));
        let source = S::open(&ctx, task, config, positions).await?;
        let (mailbox, questions) = mpsc::channel(1);
        tokio::task::spawn_local(answer(source, ctx, postgres, questions));
        Ok(Self { mailbox, bell })
    }
}

async fn answer<S: Source>(
    mut source: S,
    ctx: Ctx,
    postgres: Option<Rc<dyn NativePostgres>>,
    mut questions: mpsc::Receiver<Ask<Question, Polled>>,
) {
    let checked = |polled: Polled| {
        postgres::check(postgres.as_deref(), &polled.watermarks)?;
        Ok(polled)
    };
    while let Some((question, mut reply)) = questions.recv().await {
        let nothing = || polled(longshore_sdk::Polled::default());
        let answer = match question {
            Question::Poll(limits) => tokio::select! {
                // Whoever asked is gone, and with it the task.
                () = reply.closed() => return,
                answer = source.poll(&ctx, limits) => answer.and_then(polled).and_then(checked),
            },
            Question::Commit(stored) => {
                // Invariant 1: records and positions are durable, or there would be no `Stored`.
                for Watermark { stream, value } in stored.watermarks() {
                    if let Some(server) = &postgres {
                        server.confirm(*stream, *value);
                    }
                }
                source.commit(&ctx, stored.positions().to_vec()).await;
                nothing()
            }
            Question::Close => {
                source.close(&ctx).await;
                reply.send(nothing()).ok();
                return;
            }
        };
        reply.send(answer).ok();
    }
}

fn polled(polled: longshore_sdk::Polled) -> Result<Polled, Fault> {
    let batch = Batch::parse(Bytes::from(polled.batch));
    Ok(Polled {
        batch: batch
            .map_err(|e| Fault::new(FaultClass::Fatal, "malformed-batch", e.to_string()))?,
        watermarks: polled.watermarks,
        store_now: polled.store_now,
    })
}

impl SourcePlugin for NativeSource {
    type Signal = Bell;

    fn signal(&self) -> Bell {
        self.bell.clone()
    }

    async fn poll(&mut self, records_max: u32, bytes_max: u32) -> Result<Polled, Fault> {
        self.bell.begin_call();
        let limits = PollLimits {
            records_max,
            bytes_max,
        };
        ask(&self.mailbox, Question::Poll(limits)).await
    }

    async fn commit(&mut self, stored: Stored) -> Result<(), Fault> {
        ask(&self.mailbox, Question::Commit(stored)).await?;
        Ok(())
    }

    async fn close(self) -> Result<(), Fault> {
        match ask(&self.mailbox, Question::Close).await {
            Err(fault) if fault != gone() => Err(fault),
            _ => Ok(()),
        }
    }
}
