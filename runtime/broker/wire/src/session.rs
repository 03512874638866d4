//! One connection: requests are read one after another and answered in the order they came.
//!
//! Only Produce requests overlap, because the log fixes their order when they are queued. Anything else begins when all
//! before it are answered, as Kafka itself does it.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;

use kafka_protocol::messages::ApiKey;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::api::{self, Context, produce};
use crate::error::Broken;
use crate::frame::FrameReader;
use crate::request::{Answer, Request};

/// Produce requests of one connection that wait for the log at a time.
const OVERLAP_MAX: usize = 32;

type Acknowledgement = Pin<Box<dyn Future<Output = Result<Option<Answer>, Broken>> + Send>>;

pub(crate) struct Session<R, W> {
    context: Context,
    reader: FrameReader<R>,
    writer: W,
    unanswered: VecDeque<Acknowledgement>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Session<R, W> {
    pub(crate) fn new(context: Context, reader: R, writer: W) -> Self {
        let broker = &context.broker;
        Self {
            reader: FrameReader::new(reader, &broker.config, broker.requests.clone()),
            context,
            writer,
            unanswered: VecDeque::new(),
        }
    }

    /// Serves until the client goes or the broker stops; what was begun is answered first.
    pub(crate) async fn run(mut self) -> Result<(), Broken> {
        let shutdown = self.context.broker.shutdown.clone();
        loop {
            let room = self.unanswered.len() < OVERLAP_MAX;
            let frame = tokio::select! {
                answer = next_answer(&mut self.unanswered) => {
                    self.send(answer?).await?;
                    continue;
                }
                frame = self.reader.next(), if room => frame?,
                () = shutdown.cancelled() => None,
            };
            let Some(frame) = frame else {
                return self.send_unanswered().await;
            };
            let request = Request::new(frame)?;
            if request.key == ApiKey::Produce as i16 {
                let acknowledgement = produce::begin(&self.context, request).await?;
                self.unanswered.push_back(Box::pin(acknowledgement));
            } else {
                self.send_unanswered().await?;
                let answer = api::answer(&self.context, &request).await?;
                drop(request);
                self.send(Some(answer)).await?;
            }
        }
    }

    async fn send_unanswered(&mut self) -> Result<(), Broken> {
        while !self.unanswered.is_empty() {
            let answer = next_answer(&mut self.unanswered).await?;
            self.send(answer).await?;
        }
        Ok(())
    }

    async fn send(&mut self, answer: Option<Answer>) -> Result<(), Broken> {
        let Some(answer) = answer else {
            return Ok(());
        };
        let patience = self.context.broker.config.patience(answer.frame.len());
        let written = timeout(patience, self.writer.write_all(&answer.frame)).await;
        written.map_err(|_| Broken::NotTaken)??;
        drop(answer.memory);
        Ok(())
    }
}

/// The answer to the oldest request; never where there is none. Cancel-safe.
async fn next_answer(unanswered: &mut VecDeque<Acknowledgement>) -> Result<Option<Answer>, Broken> {
    let Some(oldest) = unanswered.front_mut() else {
        return pending().await;
    };
    let answer = oldest.await;
    unanswered.pop_front();
    answer
}
