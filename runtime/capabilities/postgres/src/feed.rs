//! The server's side of a replication stream: one task reads, frames, and tells the server where we
//! are.
//!
//! *Invariant*: `flush` and `apply` are what [`crate::WalStream::confirm`] said and nothing else
//! (invariant 1), and feedback flows while nobody reads: a blocked reader stops the socket from being
//! read, never the feedback.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use postgres_protocol::message::frontend;
use tokio::time::{Instant, sleep_until, timeout};

use crate::Error;
use crate::frame::Told;
use crate::silence::Silence;
use crate::stream::{Shared, WalStream};
use crate::wire::Wire;

/// A server that says nothing for so long, though it is asked to, is gone.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(60);
const FEEDBACK_INTERVAL_MAX: Duration = Duration::from_secs(10);
/// What was confirmed is told at most so often.
const CONFIRM_INTERVAL: Duration = Duration::from_secs(1);
/// The server sends every message by itself. To be woken for each, and to wake the reader, costs more
/// than the message; a look now and then finds many, and the first after a pause waits for none.
/// (Measured, 1 M messages of 150 bytes: 1.4 µs of CPU a message without it, 0.5 with it, most of them
/// the kernel's; pg_recvlogical 1.0 to 1.4.)
const READ_INTERVAL: Duration = Duration::from_millis(2);
/// The same where so much comes that a few milliseconds are not what it waits for, and less than the kernel's window
/// holds, which is megabytes. (Measured, 1 M rows that wait in a slot: half as many switches of threads and syncs of the
/// log as with the shorter interval.)
const BULK_INTERVAL: Duration = Duration::from_millis(6);
const BULK_BYTES: usize = 48 << 10;

/// A third of the time after which the server gives up, so that two may be lost.
pub(crate) fn feedback_interval(sender_timeout_ms: Option<u64>) -> Duration {
    sender_timeout_ms.map_or(FEEDBACK_INTERVAL_MAX, |timeout_ms| {
        (Duration::from_millis(timeout_ms) / 3).min(FEEDBACK_INTERVAL_MAX)
    })
}

/// The task of one stream.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    slot: String,
    feedback_interval: Duration,
    told: Told,
    /// When something last came, or could have come at the earliest.
    heard: Instant,
    /// When feedback was last sent, and what it confirmed.
    fed_back: Instant,
    fed_back_confirmed: u64,
}

impl Feed {
    pub(crate) fn new(slot: &str, id: u32, feedback_interval: Duration) -> (WalStream, Self) {
        let shared = Arc::new(Shared::default());
        let stream = WalStream::new(id, Arc::clone(&shared));
        let now = Instant::now();
        let feed = Self {
            shared,
            slot: slot.to_owned(),
            feedback_interval,
            told: Told::default(),
            heard: now,
            fed_back: now,
            fed_back_confirmed: 0,
        };
        (stream, feed)
    }

    /// Runs until the reader or the server ends it.
    pub(crate) async fn run(mut self, mut wire: Wire, silence: &Silence) {
        if let Err(error) = self.flow(&mut wire).await {
            if matches!(error, Error::Silent { .. }) {
                silence.found();
            }
            self.shared.buffer.end(Err(error.about_slot(&self.slot)));
            return;
        }
        let last_words = self.feedback(false);
        wire.close(|out| {
            out.extend_from_slice(&last_words);
            frontend::copy_done(out);
        })
        .await;
    }

    /// Returns when the reader is gone.
    async fn flow(&mut self, wire: &mut Wire) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let mut look_at = Instant::now();
        // Since the last rest.
        let mut came = 0;
        self.frame(wire).await?;
        loop {
            let full = shared.buffer.is_full();
            tokio::select! {
                biased;
                () = shared.closing.cancelled() => return Ok(()),
                () = sleep_until(self.feedback_due()) => self.tick(wire, full).await?,
                () = shared.has_confirmed.notified() => {}
                () = shared.buffer.room(), if full => self.heard = Instant::now(),
                received = look(wire, look_at), if !full => {
                    came += received.map_err(Error::lost)?;
                    self.heard = Instant::now();
                    if !wire.has_much() {
                        wire.rest().map_err(Error::lost)?;
                        let is_bulk = std::mem::take(&mut came) >= BULK_BYTES;
                        look_at = self.heard + if is_bulk { BULK_INTERVAL } else { READ_INTERVAL };
                    }
                    self.frame(wire).await?;
                }
            }
        }
    }

    /// Frames what has come, and answers where an answer is asked for.
    async fn frame(&mut self, wire: &mut Wire) -> Result<(), Error> {
        let told = &mut self.told;
        let (used, outcome) = self.shared.buffer.fill(|out| told.frame(wire.input(), out));
        wire.consume(used);
        outcome?;
        if std::mem::take(&mut self.told.asks) {
            self.feed_back(wire, false).await?;
        }
        Ok(())
    }

    fn feedback_due(&self) -> Instant {
        let interval = if self.shared.confirmed() > self.fed_back_confirmed {
            CONFIRM_INTERVAL.min(self.feedback_interval)
        } else {
            self.feedback_interval
        };
        self.fed_back + interval
    }

    async fn tick(&mut self, wire: &mut Wire, full: bool) -> Result<(), Error> {
        let silence = self.heard.elapsed();
        if !full && silence >= SILENCE_MAX {
            return Err(Error::Silent { silence });
        }
        let asks = !full && self.heard <= self.fed_back;
        self.feed_back(wire, asks).await
    }

    async fn feed_back(&mut self, wire: &mut Wire, asks: bool) -> Result<(), Error> {
        let feedback = self.feedback(asks);
        let sent = timeout(
            SILENCE_MAX,
            wire.send(|out| out.extend_from_slice(&feedback)),
        )
        .await;
        sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(Error::lost)
    }

    /// A standby status update: received, flushed, applied, the time, and whether we want an answer.
    fn feedback(&mut self, asks: bool) -> BytesMut {
        let confirmed = self.shared.confirmed();
        self.fed_back = Instant::now();
        self.fed_back_confirmed = confirmed;
        // The server's own clock, as far as we know it: only people look at it.
        let passed = i64::try_from(self.heard.elapsed().as_micros()).unwrap_or(i64::MAX);
        let mut out = BytesMut::with_capacity(39);
        out.put_u8(b'd');
        out.put_u32(38);
        out.put_u8(b'r');
        out.put_u64(self.told.lsn);
        out.put_u64(confirmed);
        out.put_u64(confirmed);
        out.put_i64(self.told.clock.saturating_add(passed));
        out.put_u8(u8::from(asks));
        out
    }
}

/// Waits for bytes, but not before `at`, and tells how many came. May be dropped at any moment.
async fn look(wire: &mut Wire, at: Instant) -> io::Result<usize> {
    sleep_until(at).await;
    wire.receive().await
}
