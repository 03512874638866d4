//! What the stream says of a table, and what the catalog adds.

use longshore_sdk::postgres::Session;
use longshore_sdk::{Ctx, Fault};

use crate::catalog;
use crate::pgoutput::RelationMessage;
use crate::select::TableName;
use crate::work::{Shared, Work};

/// A relation of the stream.
pub(super) enum Relation {
    Captured {
        id: u32,
        table: Shared,
    },
    /// Its rows are counted and nothing else.
    PassedOver {
        id: u32,
    },
}

impl Relation {
    /// Makes the shape that holds from this message on.
    pub(super) async fn learn(
        ctx: &Ctx,
        work: &mut Work,
        asking: &Session,
        message: &RelationMessage<'_>,
    ) -> Result<Self, Fault> {
        let id = message.id;
        let name = TableName::new(message.schema, message.table);
        if !work.config.selection.takes_table(&name) {
            return Ok(Self::PassedOver { id });
        }
        let description = work.describe(asking, id).await?;
        let oids = message.columns.iter().map(|column| column.type_oid);
        catalog::learn_types(asking, &mut work.types, oids).await?;
        let captured = work.making(ctx).streamed(message, &description)?;
        Ok(Self::Captured {
            id,
            table: Shared::new(captured),
        })
    }

    pub(super) fn id(&self) -> u32 {
        match self {
            Self::Captured { id, .. } | Self::PassedOver { id } => *id,
        }
    }

    pub(super) fn captured(&self) -> Option<Shared> {
        match self {
            Self::Captured { table, .. } => Some(Shared::clone(table)),
            Self::PassedOver { .. } => None,
        }
    }
}
