//! What the stream says of a table, and what the catalog adds.

use longshore_sdk::postgres::Session;
use longshore_sdk::{Ctx, Fault};

use crate::catalog;
use crate::pgoutput::{Message, RelationMessage};
use crate::select::TableName;
use crate::work::{Shared, Work};

/// A relation of the stream.
pub(super) enum Relation {
    Captured {
        id: u32,
        table: Shared,
        /// The message that told of it, for learning it again.
        body: Box<[u8]>,
    },
    /// Its rows are counted and nothing else.
    PassedOver { id: u32 },
}

impl Relation {
    /// Makes the shape that holds from this message on.
    pub(super) async fn learn(
        ctx: &Ctx,
        work: &mut Work,
        asking: &Session,
        message: &RelationMessage<'_>,
        body: &[u8],
    ) -> Result<Self, Fault> {
        let id = message.id;
        let name = TableName::new(message.schema, message.table);
        if !work.config.selection.takes_table(&name) {
            return Ok(Self::PassedOver { id });
        }
        let mut described = work.describe(asking, &[id]).await?;
        let mut description = described.remove(&id).unwrap_or_default();
        catalog::learn_defaults(asking, id, &mut description).await?;
        let oids = message.columns.iter().map(|column| column.type_oid);
        catalog::learn_types(asking, &mut work.types, oids).await?;
        let captured = work.making(ctx).streamed(message, &description)?;
        Ok(Self::Captured {
            id,
            table: Shared::new(captured),
            body: body.into(),
        })
    }

    /// Learns it again, with the labels that its enums have now.
    pub(super) async fn relearn(
        &self,
        ctx: &Ctx,
        work: &mut Work,
        asking: &Session,
    ) -> Result<Option<Self>, Fault> {
        let Self::Captured { body, .. } = self else {
            return Ok(None);
        };
        let Message::Relation(message) = Message::parse(body)? else {
            return Ok(None);
        };
        for column in &message.columns {
            work.types.forget_enum(column.type_oid);
        }
        Self::learn(ctx, work, asking, &message, body)
            .await
            .map(Some)
    }

    pub(super) fn id(&self) -> u32 {
        match self {
            Self::Captured { id, .. } | Self::PassedOver { id } => *id,
        }
    }

    pub(super) fn captured(&self) -> Option<&Shared> {
        match self {
            Self::Captured { table, .. } => Some(table),
            Self::PassedOver { .. } => None,
        }
    }
}
