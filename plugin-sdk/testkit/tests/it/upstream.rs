//! A source over an upstream that forgets, right and wrong.

use longshore_sdk::{
    BatchWriter, Config, Ctx, Datum, Fault, FaultClass, NewRow, PollLimits, Polled, Position,
    Source, SourcePosition, TaskContext, Watermark,
};
use longshore_testkit::contract::{SourceContract, source};
use longshore_testkit::{FakeHost, FakeUpstream};

const STREAM: u32 = 1;
const PARTITION: &str = r#"{"stream":1}"#;

/// How a source may go wrong.
trait Manner: 'static {
    /// How far past its batch the watermark claims to be.
    const CLAIMS_TOO_MUCH: u64 = 0;
    /// Whether it begins behind the last record that it read, and not behind the stored one.
    const STORES_AHEAD: u64 = 0;
    /// Whether it drops what it had read when a call fails.
    const FORGETS_ON_FAULT: bool = false;
    /// Whether it takes notice of limits.
    const HEEDS_LIMITS: bool = true;
}

struct Right;
impl Manner for Right {}

struct ClaimsTooMuch;
impl Manner for ClaimsTooMuch {
    const CLAIMS_TOO_MUCH: u64 = 1;
}

struct StoresAhead;
impl Manner for StoresAhead {
    const STORES_AHEAD: u64 = 1;
}

struct ForgetsOnFault;
impl Manner for ForgetsOnFault {
    const FORGETS_ON_FAULT: bool = true;
}

struct HeedsNoLimit;
impl Manner for HeedsNoLimit {
    const HEEDS_LIMITS: bool = false;
}

struct Reader<M> {
    upstream: FakeUpstream,
    config: ReaderConfig,
    next: u64,
    manner: std::marker::PhantomData<M>,
}

#[derive(Config)]
struct ReaderConfig {
    /// The topic that items go to.
    #[config(topic)]
    topic: String,
    /// Items of a batch, at most.
    #[config(default = "2")]
    items: u32,
}

impl<M: Manner> Source for Reader<M> {
    type Config = ReaderConfig;

    async fn open(
        _ctx: &Ctx,
        _task: TaskContext,
        config: ReaderConfig,
        positions: Vec<SourcePosition>,
    ) -> Result<Self, Fault> {
        let stored = positions.first().and_then(|stored| stored.position.order);
        let upstream = FakeUpstream::of(STREAM).ok_or_else(|| {
            Fault::new(
                FaultClass::Fatal,
                "no-stream",
                "a test makes the stream first",
            )
        })?;
        Ok(Self {
            upstream,
            config,
            next: stored.map_or(0, |order| u64::try_from(order.0).unwrap_or(u64::MAX)),
            manner: std::marker::PhantomData,
        })
    }

    async fn poll(&mut self, ctx: &Ctx, limits: PollLimits) -> Result<Polled, Fault> {
        let mut batch = BatchWriter::default();
        let topic = Some(batch.topic(&self.config.topic)?);
        let source = batch.source(PARTITION)?;
        let mut at = self.next;
        let rows_max = match M::HEEDS_LIMITS {
            true => self.config.items.min(limits.records_max),
            false => self.config.items,
        };
        while batch.rows() < rows_max
            && let Some((number, item)) = self.upstream.after(at)
        {
            let full = batch.bytes() + item.len() > limits.bytes_max as usize;
            if M::HEEDS_LIMITS && full && batch.rows() > 0 {
                break;
            }
            let value = Datum::Text(&item);
            batch.push(&NewRow {
                topic,
                source: Some(source),
                value,
                ..NewRow::default()
            })?;
            at = number;
        }
        if batch.rows() == 0 {
            ctx.wait(1000).await;
            return Ok(Polled::default());
        }
        if M::FORGETS_ON_FAULT {
            self.next = at;
        }
        // A call of the host that may fail.
        ctx.files().stat("/state").await?;
        self.next = at;
        let stored = at + M::STORES_AHEAD;
        batch.position(
            source,
            Position::at(format!(r#"{{"at":{stored}}}"#), stored),
        );
        let mut polled = Polled::batch(batch)?;
        polled.watermarks.push(Watermark {
            stream: STREAM,
            value: at + M::CLAIMS_TOO_MUCH,
        });
        Ok(polled)
    }
}

fn run<M: Manner>() {
    let fill = |_: &FakeHost| {
        let upstream = FakeUpstream::make(STREAM);
        for item in ["one", "two", "three"] {
            upstream.add(item);
        }
    };
    let more = |_: &FakeHost| {
        let upstream = FakeUpstream::of(STREAM).expect("it was made");
        for item in ["four", "five"] {
            upstream.add(item);
        }
    };
    source::<Reader<M>>(&SourceContract {
        config: &[("topic", "t")],
        steps: &[&fill, &more],
        steps_while_down: true,
        expected: &["one", "two", "three", "four", "five"],
    });
    let upstream = FakeUpstream::of(STREAM).expect("it was made");
    assert_eq!(upstream.confirmed(), 5);
    assert_eq!(upstream.after(0), None);
}

#[test]
fn a_source_that_claims_what_it_delivered_passes() {
    run::<Right>();
}

#[test]
#[should_panic(expected = "left == right")]
fn a_source_that_claims_too_much_loses_records() {
    run::<ClaimsTooMuch>();
}

#[test]
#[should_panic(expected = "left == right")]
fn a_source_that_stores_a_position_ahead_loses_records() {
    run::<StoresAhead>();
}

#[test]
#[should_panic(expected = "left == right")]
fn a_source_that_goes_on_after_a_fault_loses_records() {
    run::<ForgetsOnFault>();
}

#[test]
#[should_panic(expected = "were asked for")]
fn a_source_that_heeds_no_limit_is_refused() {
    run::<HeedsNoLimit>();
}
