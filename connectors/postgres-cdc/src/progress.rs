//! What the task's status shows, and when it is looked at again.

use longshore_sdk::{Ctx, Fault, Level};
use serde_json::{Value, json};

use crate::catalog;
use crate::snapshot;
use crate::stream::Stream;

/// How often the server is asked how far it is.
const LOOK_MS: i64 = 5_000;
/// How often a snapshot says how far it is.
const TELL_MS: i64 = 500;

/// When progress was told last.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    told_us: Option<i64>,
}

impl Progress {
    /// A phase without numbers.
    pub(crate) fn phase(&mut self, ctx: &Ctx, phase: &str) {
        self.told_us = None;
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

    /// How far the tables are read.
    pub(crate) fn snapshot(&mut self, ctx: &Ctx, now: &snapshot::Progress) {
        let now_us = ctx.now_us();
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
            }),
        );
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
        ctx.gauge(
            "retained_bytes",
            as_gauge(known.as_ref().map_or(0, |slot| slot.retained_bytes)),
        );
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

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn as_gauge(bytes: u64) -> f64 {
    bytes as f64
}

fn tell(ctx: &Ctx, progress: &Value) {
    ctx.progress(&progress.to_string());
}
