//! What both phases write with: the config, the types, the emitter, and the limits of the batch being filled.

use longshore_sdk::postgres::Session;
use longshore_sdk::{BATCH_BYTES_MAX, BatchWriter, Ctx, Fault, PollLimits, SourceIndex};

use crate::captured::{Captured, Making};
use crate::catalog::{self, Descriptions};
use crate::config::PostgresConfig;
use crate::emit::{Emitter, Out, RECORDS_PER_CHANGE, Runs};
use crate::pg_type::Types;

/// As many tables are described at once: a database with thousands is not asked for each, and each may have 1,600 columns.
pub(crate) const DESCRIBED_AT_ONCE: usize = 100;

/// Everything that outlives a phase.
pub(crate) struct Work {
    pub(crate) config: PostgresConfig,
    pub(crate) types: Types,
    pub(crate) emitter: Emitter,
}

impl Work {
    pub(crate) fn new(config: PostgresConfig) -> Self {
        Self {
            types: Types::default(),
            emitter: Emitter::new(&config),
            config,
        }
    }

    /// Goes on under another config.
    pub(crate) fn switch(&mut self, config: PostgresConfig) {
        self.emitter = Emitter::new(&config);
        self.config = config;
    }

    /// Tables as they are now but for their defaults, with all types that they need known.
    pub(crate) async fn describe(
        &mut self,
        session: &Session,
        tables: &[u32],
    ) -> Result<Descriptions, Fault> {
        let descriptions = catalog::describe(session, tables).await?;
        let columns = descriptions.values().flat_map(|table| &table.columns);
        let oids = columns.map(|column| column.type_oid);
        catalog::learn_types(session, &mut self.types, oids).await?;
        Ok(descriptions)
    }

    pub(crate) fn making<'a>(&'a self, ctx: &'a Ctx) -> Making<'a> {
        Making {
            ctx,
            config: &self.config,
            types: &self.types,
        }
    }
}

/// A row of more bytes begins a batch: what it comes to is within what a batch of many rows may be.
const LARGE_ROW_BYTES: usize = BATCH_BYTES_MAX / 16;

/// A batch being filled.
pub(crate) struct Filling {
    pub(crate) batch: BatchWriter,
    pub(crate) source: SourceIndex,
    runs: Runs,
    limits: PollLimits,
    now_us: i64,
}

impl Filling {
    pub(crate) fn new(ctx: &Ctx, partition: &str, limits: PollLimits) -> Result<Self, Fault> {
        let mut batch = BatchWriter::with_capacity(limits.bytes_max as usize);
        Ok(Self {
            source: batch.source(partition)?,
            batch,
            runs: Runs::default(),
            limits,
            now_us: ctx.now_us(),
        })
    }

    /// Something has come: records are made from here on.
    pub(crate) fn begin_now(&mut self, ctx: &Ctx) {
        self.now_us = ctx.now_us();
    }

    /// Whether another change still fits, whatever records it takes.
    pub(crate) fn has_room(&self) -> bool {
        let rows = self.batch.rows();
        let bytes = self.batch.bytes();
        let room = rows + RECORDS_PER_CHANGE <= self.limits.records_max
            && bytes < self.limits.bytes_max as usize;
        rows == 0 || room
    }

    /// Whether a row of so many bytes fits: a large one stands alone, because a batch of many is not large.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.batch.rows() == 0 || (self.has_room() && bytes <= LARGE_ROW_BYTES)
    }

    pub(crate) fn out(&mut self) -> Out<'_> {
        Out {
            batch: &mut self.batch,
            runs: &mut self.runs,
            source: self.source,
            now_us: self.now_us,
        }
    }
}

/// An emptied list of cells for texts that live elsewhere; it keeps its room.
pub(crate) fn recycle<'a>(
    mut cells: Vec<crate::envelope::Cell<'_>>,
) -> Vec<crate::envelope::Cell<'a>> {
    cells.clear();
    cells
        .into_iter()
        .map(|_| unreachable!("it is empty"))
        .collect()
}

/// A table that is read or streamed, shared by what refers to it.
pub(crate) type Shared = std::rc::Rc<Captured>;
