//! What the task's status shows, and when it is looked at again.

use longshore_sdk::{Ctx, Fault, Level};
use serde_json::{Value, json};

use crate::catalog;
use crate::lsn::Lsn;
use crate::snapshot::Snapshot;
use crate::stream::Stream;

/// How often the server is asked how far it is.
const LOOK_MS: i64 = 5_000;
/// How often a snapshot says how far it is.
const TELL_MS: i64 = 500;

/// When progress was told last.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    told_us: Option<i64>,
    /// While tables are read: when the slot was looked at, what it is, and the server's end.
    looked_us: Option<i64>,
    slot: Option<catalog::Slot>,
    end: Lsn,
}

impl Progress {
    /// A phase without numbers.
    pub(crate) fn phase(&mut self, ctx: &Ctx, phase: &str) {
        *self = Self::default();
        tell(ctx, &json!({ "phase": phase }));
    }

    /// A fault that may pass.
    pub(crate) fn retrying(&mut self, ctx: &Ctx, fault: &Fault, delay_ms: u64) {
        self.told_us = None;
        let text = fault.to_string();
        ctx.log(
            Level::Warn,
            "the capture is interrupted and tried again",
            &[("code", &fault.code), ("error", &text)],
        );
        ctx.count("reconnects", 1);
        tell(
            ctx,
            &json!({
                "phase": "interrupted", "error": text, "code": fault.code, "retry_in_ms": delay_ms,
            }),
        );
    }

    /// How far the tables are read, and what the server keeps meanwhile.
    pub(crate) async fn snapshot(&mut self, ctx: &Ctx, snapshot: &mut Snapshot, slot: &str) {
        let now_us = ctx.now_us();
        self.look(ctx, snapshot, slot).await;
        let now = &snapshot.progress;
        let finished = now.tables_done == now.tables;
        if !finished
            && self
                .told_us
                .is_some_and(|told| now_us - told < TELL_MS * 1000)
        {
            return;
        }
        self.told_us = Some(now_us);
        let estimated = now.rows_estimated.max(now.rows);
        let share = if finished {
            Some(1.0)
        } else {
            #[expect(clippy::cast_precision_loss, reason = "a share for people")]
            (now.rows_estimated > 0).then(|| now.rows as f64 / estimated as f64)
        };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a time for people"
        )]
        let eta_ms = share.filter(|share| *share > 0.0).map(|share| {
            let elapsed_ms = (now_us - now.since_us) as f64 / 1000.0;
            (elapsed_ms * (1.0 - share) / share) as i64
        });
        tell(
            ctx,
            &json!({
                "phase": "snapshot",
                "table": now.table.as_ref().map(ToString::to_string),
                "tables": now.tables,
                "tables_done": now.tables_done,
                "rows": now.rows,
                "rows_estimated": estimated,
                "percent": share.map(|share| (share * 1000.0).floor() / 10.0),
                "eta_ms": eta_ms,
                "lag_bytes": self.end.0.saturating_sub(snapshot.place.consistent.0),
                "slot": slot_json(slot, self.slot.as_ref()),
            }),
        );
    }

    /// Looks at the slot now and then. A snapshot does not end because nobody answers.
    async fn look(&mut self, ctx: &Ctx, snapshot: &mut Snapshot, slot: &str) {
        let now_us = ctx.now_us();
        let is_due = |looked_us| now_us - looked_us >= LOOK_MS * 1000;
        let Some(asking) = &snapshot.asking else {
            return;
        };
        if !self.looked_us.is_none_or(is_due) {
            return;
        }
        self.looked_us = Some(now_us);
        match catalog::slot_and_end(asking, slot).await {
            Ok((known, end)) => {
                ctx.gauge("retained_bytes", retained(known.as_ref()));
                (self.slot, self.end) = (known, end);
            }
            Err(fault) => {
                let fields = [("error", fault.message.as_str())];
                ctx.log(Level::Debug, "the slot is not looked at any more", &fields);
                snapshot.asking = None;
            }
        }
    }

    /// Milliseconds until the server is asked again.
    pub(crate) fn due_in_ms(&self, ctx: &Ctx) -> u64 {
        let Some(told_us) = self.told_us else {
            return 0;
        };
        let left_ms = LOOK_MS - (ctx.now_us() - told_us) / 1000;
        u64::try_from(left_ms).unwrap_or(0)
    }

    /// How far the stream is behind, and what the server keeps for it.
    pub(crate) async fn stream(
        &mut self,
        ctx: &Ctx,
        stream: &Stream,
        slot: &str,
    ) -> Result<(), Fault> {
        if self.due_in_ms(ctx) > 0 {
            return Ok(());
        }
        let now_us = ctx.now_us();
        self.told_us = Some(now_us);
        let (known, end) = catalog::slot_and_end(&stream.asking, slot).await?;
        let read = stream
            .place
            .open
            .map_or(stream.place.confirmed, |open| open.commit);
        let lag_bytes = end.0.saturating_sub(read.0);
        let lag_ms = match (lag_bytes, stream.committed_us) {
            (0, _) | (_, None) => 0,
            _ if !stream.is_inside() && !stream.has_more() => 0,
            (_, Some(committed_us)) => (now_us - committed_us).max(0) / 1000,
        };
        ctx.gauge("lag_bytes", as_gauge(lag_bytes));
        ctx.gauge("retained_bytes", retained(known.as_ref()));
        tell(
            ctx,
            &json!({
                "phase": "streaming",
                "lsn": stream.place.confirmed.to_string(),
                "lag_bytes": lag_bytes,
                "lag_ms": lag_ms,
                "slot": slot_json(slot, known.as_ref()),
            }),
        );
        Ok(())
    }
}

fn slot_json(name: &str, slot: Option<&catalog::Slot>) -> Value {
    json!({
        "name": name,
        "confirmed": slot.map(|slot| slot.confirmed.to_string()),
        "retained_bytes": slot.map(|slot| slot.retained_bytes),
        "lag_bytes": slot.map(|slot| slot.lag_bytes),
        "wal_status": slot.and_then(|slot| slot.wal_status.clone()),
    })
}

fn retained(slot: Option<&catalog::Slot>) -> f64 {
    as_gauge(slot.map_or(0, |slot| slot.retained_bytes))
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn as_gauge(bytes: u64) -> f64 {
    bytes as f64
}

fn tell(ctx: &Ctx, progress: &Value) {
    ctx.progress(&progress.to_string());
}
