//! The capture as a whole: connects, decides by the stored place what comes next, and mends what is lost.
//!
//! A lost connection is mended here, with back-off, because the place in memory is further than the stored one. What a
//! poll returned counts as told: the host stores it, or ends the task.

use longshore_sdk::postgres::{Replication, Session};
use longshore_sdk::{
    ConfigMap, Ctx, Fault, FaultClass, Level, PollLimits, Polled, Problem, Source, SourcePosition,
    TaskContext,
};

use serde_json::Value;

use crate::backoff::Backoff;
use crate::catalog;
use crate::config::{PostgresConfig, SnapshotMode};
use crate::heartbeat::Heartbeat;
use crate::lsn::Lsn;
use crate::position::{History, Phase, Place, StreamPlace};
use crate::progress::Progress;
use crate::snapshot::{self, Snapshot, borrowed};
use crate::stream::{self, Stream};
use crate::work::{Filling, Work};
use crate::{check, setup};

/// How long a slot that is in use is waited for before it is dropped.
const DROP_TIMEOUT_MS: u64 = 10_000;
/// Nothing is due: the host wakes us when it has something to say.
const IDLE_MS: u64 = 60_000;

/// Captures the changes of a PostgreSQL database.
pub struct PostgresSource {
    work: Work,
    partition: String,
    /// The last place that was returned.
    place: Option<Place>,
    state: State,
    /// Whether this is the task's first connection.
    is_start: bool,
    /// Offsets that have to be stored before anything else happens.
    awaited: Option<String>,
    backoff: Backoff,
    heartbeat: Heartbeat,
    progress: Progress,
}

enum State {
    Connecting,
    /// An intent is stored: the slot is made.
    Making(History),
    Reading(Box<Snapshot>),
    Streaming(Box<Stream>),
    /// Everything was read and nothing is streamed: the slot goes.
    Leaving,
    Finished,
}

impl Source for PostgresSource {
    type Config = PostgresConfig;

    async fn validate(ctx: &Ctx, config: PostgresConfig) -> Vec<Problem> {
        check::findings(ctx, &config).await
    }

    /// One slot is one stream is one task.
    async fn plan(
        _ctx: &Ctx,
        _config: PostgresConfig,
        submitted: ConfigMap,
        _tasks_max: u32,
    ) -> Result<Vec<ConfigMap>, Fault> {
        Ok(vec![submitted])
    }

    async fn open(
        ctx: &Ctx,
        _task: TaskContext,
        config: PostgresConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        if let Some(problem) = config.refused.first() {
            return Err(problem.fault.clone());
        }
        let partition = config.partition();
        let ours: Value = serde_json::from_str(&partition).expect("it was just written");
        let stored = positions
            .iter()
            .find(|stored| serde_json::from_str(&stored.partition).is_ok_and(|p: Value| p == ours));
        // Set from outside it may be spelled otherwise; what is stored is the partition.
        let partition = stored.map_or(partition, |stored| stored.partition.clone());
        let place = stored.map(Place::parse).transpose()?;
        Ok(Self {
            partition,
            place,
            state: State::Connecting,
            is_start: true,
            awaited: None,
            backoff: Backoff::default(),
            heartbeat: Heartbeat::new(ctx, &config.keys)?,
            progress: Progress::default(),
            work: Work::new(config),
        })
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        if self.awaited.is_some() {
            ctx.wait(IDLE_MS).await;
            return Ok(Polled::default());
        }
        match self.advance(ctx, limits).await {
            Err(fault) if self.may_pass(&fault) => {
                self.state = State::Connecting;
                let delay_ms = self.backoff.next_ms();
                self.progress.retrying(ctx, &fault, delay_ms);
                ctx.wait(delay_ms).await;
                Ok(Polled::default())
            }
            advanced => advanced,
        }
    }

    async fn commit(&mut self, _ctx: &Ctx, positions: Vec<SourcePosition>) {
        let stored = |offset: &mut String| {
            let of_it = |stored: &SourcePosition| stored.position.offset == *offset;
            positions.iter().any(of_it)
        };
        self.awaited.take_if(stored);
    }

    async fn alter_offsets(
        _ctx: &Ctx,
        _config: PostgresConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<bool, Fault> {
        for position in &positions {
            Place::parse(position)?;
        }
        // The slot keeps its own idea of what is needed.
        Ok(false)
    }
}

impl PostgresSource {
    /// Whether waiting may help. Once a capture is under way, a sender that is missing is our own old one, on its way out.
    fn may_pass(&self, fault: &Fault) -> bool {
        let is_under_way = self.place.is_some();
        fault.class == FaultClass::Retriable
            || (is_under_way && fault.code == "postgres-senders-in-use")
    }

    /// One step of whatever phase it is in.
    async fn advance(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        match &mut self.state {
            State::Connecting => self.connect(ctx).await,
            State::Making(history) => {
                let history = history.clone();
                self.make(ctx, history).await
            }
            State::Reading(_) => self.read(ctx, limits).await,
            State::Streaming(_) => self.stream(ctx, limits).await,
            State::Leaving => self.leave(ctx).await,
            State::Finished => {
                ctx.wait(IDLE_MS).await;
                Ok(Polled::default())
            }
        }
    }

    /// Decides by the stored place what comes next.
    async fn connect(&mut self, ctx: &Ctx) -> Result<Polled, Fault> {
        self.progress.phase(ctx, "connecting");
        if let Some(present) = self.work.config.present()? {
            self.work.switch(present);
        }
        let keys = &self.work.config.keys;
        let asking = ask(ctx, &self.work.config).await?;
        let server = catalog::server(&asking).await?;
        setup::check_server(&server)?;
        let replication = replicate(ctx).await?;
        let system = replication.identify().await?;
        let mut history = History {
            epoch: 0,
            system: system.identifier,
            timeline: system.timeline,
            database: system.database,
            slot: keys.slot.clone(),
        };
        let mode = self.work.config.snapshot_mode();
        let is_start = std::mem::take(&mut self.is_start);
        let at = Lsn(system.position);
        let Some(place) = self.place.clone() else {
            return self.begin(ctx, &asking, history, at).await;
        };
        history.epoch = place.history.epoch;
        match setup::check_history(&place.history, &history) {
            Err(fault) if mode == SnapshotMode::WhenNeeded => {
                ctx.log(Level::Warn, &fault.message, &[]);
                return self.begin_anew(&asking, history, at).await;
            }
            checked => checked?,
        }
        let is_intent = matches!(place.phase, Phase::Intent { .. });
        let is_finished = matches!(place.phase, Phase::Finished { .. });
        if is_start && mode == SnapshotMode::Always && !is_intent && !is_finished {
            return Ok(self.intend_anew(history, at));
        }
        let needed = match &place.phase {
            Phase::Intent { .. } => {
                self.state = State::Making(history);
                return Ok(Polled::default());
            }
            Phase::Finished { .. } if mode == SnapshotMode::InitialOnly => {
                self.state = State::Leaving;
                return Ok(Polled::default());
            }
            Phase::Finished { .. } => return self.begin_anew(&asking, history, at).await,
            Phase::Snapshot(place) => place.consistent,
            Phase::Stream(place) => place.confirmed,
        };
        setup::ensure_publication(&asking, &self.work.config).await?;
        let slot = catalog::slot(&asking, &keys.slot).await?;
        match setup::check_slot(&keys.slot, slot.as_ref(), &history.database, needed) {
            Err(fault) if mode == SnapshotMode::WhenNeeded && setup::needs_snapshot(&fault) => {
                ctx.log(Level::Warn, &fault.message, &[]);
                return Ok(self.intend_anew(history, at));
            }
            checked => checked?,
        }
        match place.phase {
            Phase::Snapshot(place) => {
                let mut snapshot = Snapshot::resume(ctx, &self.work, server.version, place).await?;
                snapshot.asking = Some(asking);
                self.state = State::Reading(Box::new(snapshot));
            }
            Phase::Stream(place) => self.start(ctx, asking, replication, place).await?,
            Phase::Intent { .. } | Phase::Finished { .. } => unreachable!("returned above"),
        }
        Ok(Polled::default())
    }

    /// Nothing is stored: a slot of that name is not ours.
    async fn begin(
        &mut self,
        ctx: &Ctx,
        asking: &Session,
        history: History,
        at: Lsn,
    ) -> Result<Polled, Fault> {
        let name = &self.work.config.keys.slot;
        let slot = catalog::slot(asking, name).await?;
        let no_data = self.work.config.snapshot_mode() == SnapshotMode::NoData;
        match slot {
            None => Ok(self.intend(history, at)),
            Some(slot) if no_data => {
                setup::is_ours(name, &slot, &history.database)?;
                setup::ensure_publication(asking, &self.work.config).await?;
                ctx.log(Level::Info, "the stream goes on where the slot stands", &[]);
                let place = StreamPlace::at(slot.confirmed, Default::default());
                let phase = Phase::Stream(place);
                Ok(self.settle(Place { history, phase }, State::Connecting))
            }
            Some(slot) => Err(setup::foreign(name, &slot)),
        }
    }

    /// Begins anew where a slot of that name cannot be ours.
    async fn begin_anew(
        &mut self,
        asking: &Session,
        history: History,
        at: Lsn,
    ) -> Result<Polled, Fault> {
        let name = &self.work.config.keys.slot;
        match catalog::slot(asking, name).await? {
            None => Ok(self.intend_anew(history, at)),
            Some(slot) => Err(setup::foreign(name, &slot)),
        }
    }

    /// Begins anew; the slot, where there is one, is ours.
    fn intend_anew(&mut self, mut history: History, at: Lsn) -> Polled {
        history.epoch = history.epoch.saturating_add(1);
        self.intend(history, at)
    }

    /// Says that a slot is about to be made. It is made once that is stored.
    fn intend(&mut self, history: History, at: Lsn) -> Polled {
        let next = State::Making(history.clone());
        let phase = Phase::Intent { at };
        self.settle(Place { history, phase }, next)
    }

    /// Goes on from a place once it is stored.
    fn settle(&mut self, place: Place, next: State) -> Polled {
        let position = place.to_position();
        self.awaited = Some(position.offset.clone());
        self.place = Some(place);
        self.state = next;
        let mut batch = longshore_sdk::BatchWriter::default();
        let source = batch.source(&self.partition).expect("it is the only one");
        batch.position(source, position);
        let mut polled = Polled::batch(batch).expect("a position is small");
        polled.store_now = true;
        polled
    }

    /// Makes publication and slot, in this order: a publication that is younger than the slot is not there for it.
    async fn make(&mut self, ctx: &Ctx, history: History) -> Result<Polled, Fault> {
        let config = &self.work.config;
        let keys = &config.keys;
        let asking = ask(ctx, config).await?;
        let server = catalog::server(&asking).await?;
        setup::ensure_publication(&asking, config).await?;
        let replication = replicate(ctx).await?;
        // With our intent and nothing later stored, a slot is one that we made and did not come to use.
        if let Some(slot) = catalog::slot(&asking, &keys.slot).await? {
            setup::is_ours(&keys.slot, &slot, &history.database)?;
            replication.drop_slot(&keys.slot, DROP_TIMEOUT_MS).await?;
        }
        self.progress.phase(ctx, "waiting for running transactions");
        let reads = config.snapshot_mode() != SnapshotMode::NoData;
        let timeout_ms = keys.slot_creation_timeout_ms;
        let created = replication
            .create_slot(&keys.slot, reads, timeout_ms)
            .await?;
        let Some(created) = created else {
            // A pause, for example: it is made when we are asked again.
            return Ok(Polled::default());
        };
        if reads {
            let mut snapshot =
                Snapshot::begin(ctx, &self.work, server.version, &created, replication).await?;
            snapshot.asking = Some(asking);
            self.state = State::Reading(Box::new(snapshot));
            return Ok(Polled::default());
        }
        let place = StreamPlace::at(Lsn(created.consistent_point), Default::default());
        let phase = Phase::Stream(place);
        Ok(self.settle(Place { history, phase }, State::Connecting))
    }

    async fn read(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        let State::Reading(snapshot) = &mut self.state else {
            unreachable!("the caller looked");
        };
        let mut filling = Filling::new(ctx, &self.partition, limits)?;
        let filled = snapshot.fill(ctx, &mut self.work, &mut filling).await?;
        self.backoff.reset();
        let slot = &self.work.config.keys.slot;
        self.progress.snapshot(ctx, snapshot, slot).await;
        let history = self.place.as_ref().map(|place| place.history.clone());
        let history = history.expect("an intent stands before every snapshot");
        let finished = filled == snapshot::Filled::Finished;
        let place = snapshot.place.clone();
        if !finished {
            if filling.batch.rows() == 0 {
                return Ok(Polled::default());
            }
            let phase = Phase::Snapshot(place);
            return self.returned(filling, Place { history, phase });
        }
        let only = self.work.config.snapshot_mode() == SnapshotMode::InitialOnly;
        let (phase, next) = if only {
            let at = place.consistent;
            (Phase::Finished { at }, State::Leaving)
        } else {
            let place = StreamPlace::at(place.consistent, place.ranges);
            (Phase::Stream(place), State::Connecting)
        };
        let place = Place { history, phase };
        self.awaited = Some(place.to_position().offset);
        self.state = next;
        let mut polled = self.returned(filling, place)?;
        polled.store_now = true;
        Ok(polled)
    }

    async fn start(
        &mut self,
        ctx: &Ctx,
        asking: Session,
        replication: Replication,
        mut place: StreamPlace,
    ) -> Result<(), Fault> {
        let now = std::rc::Rc::new(self.work.config.frozen());
        let under_old = place.open.is_some() && place.settings != now;
        if under_old {
            let text =
                "the config changed inside a transaction, which is finished under the old one";
            ctx.log(Level::Info, text, &[]);
            let config = self.work.config.thawed(&place.settings)?;
            self.work.switch(config);
        } else {
            place.settings = now;
        }
        let options = setup::options(&self.work.config);
        let options = options
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let slot = &self.work.config.keys.slot;
        let wal = replication.start(slot, place.confirmed.0, &options).await?;
        self.progress.phase(ctx, "streaming");
        self.state = State::Streaming(Box::new(Stream::new(wal, asking, place, under_old)));
        Ok(())
    }

    async fn stream(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        let State::Streaming(stream) = &mut self.state else {
            unreachable!("the caller looked");
        };
        let mut filling = Filling::new(ctx, &self.partition, limits)?;
        let timeout_ms = self
            .heartbeat
            .due_in_ms(ctx)
            .min(self.progress.due_in_ms(ctx));
        let filled = stream
            .fill(ctx, &mut self.work, &mut filling, timeout_ms)
            .await?;
        self.backoff.reset();
        if !stream.is_inside() {
            self.heartbeat
                .beat(ctx, &stream.asking, &mut filling)
                .await?;
        }
        self.progress
            .stream(ctx, stream, &self.work.config.keys.slot)
            .await?;
        let watermark = stream.watermark();
        let is_urgent = stream.is_urgent;
        let history = self.place.as_ref().map(|place| place.history.clone());
        let history = history.expect("a place stands before every stream");
        let phase = Phase::Stream(stream.place.clone());
        if filled == stream::Filled::Whole {
            self.state = State::Connecting;
        }
        let place = Place { history, phase };
        let is_news = filling.batch.rows() > 0 || watermark.is_some() || is_urgent;
        if !is_news && self.place.as_ref() == Some(&place) {
            return Ok(Polled::default());
        }
        let mut polled = self.returned(filling, place)?;
        polled.watermarks.extend(watermark);
        polled.store_now = is_urgent;
        Ok(polled)
    }

    /// Finishes a batch that leads to a place.
    fn returned(&mut self, mut filling: Filling, place: Place) -> Result<Polled, Fault> {
        filling.batch.position(filling.source, place.to_position());
        self.place = Some(place);
        Polled::batch(filling.batch)
    }

    /// Drops the slot that nobody needs any more; one that was moved since is somebody else's.
    async fn leave(&mut self, ctx: &Ctx) -> Result<Polled, Fault> {
        let config = &self.work.config;
        let at = self.place.as_ref().and_then(Place::finished_at);
        let asking = ask(ctx, config).await?;
        let slot = catalog::slot(&asking, &config.keys.slot).await?;
        let is_ours = |slot: &catalog::Slot| {
            let of_us = setup::is_ours(&config.keys.slot, slot, &config.keys.database);
            of_us.is_ok() && Some(slot.confirmed) == at
        };
        if slot.as_ref().is_some_and(is_ours) {
            let replication = replicate(ctx).await?;
            replication
                .drop_slot(&config.keys.slot, DROP_TIMEOUT_MS)
                .await?;
        }
        self.progress.phase(ctx, "finished");
        self.state = State::Finished;
        Ok(Polled::default())
    }
}

/// A session that asks the catalog.
pub(crate) async fn ask(ctx: &Ctx, config: &PostgresConfig) -> Result<Session, Fault> {
    ctx.postgres()
        .connect(&borrowed(&catalog::asking(&config.keys)))
        .await
}

pub(crate) async fn replicate(ctx: &Ctx) -> Result<Replication, Fault> {
    ctx.postgres()
        .replicate(&borrowed(&catalog::streaming()))
        .await
}
