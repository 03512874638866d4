//! A captured table in one shape: its topic, its schemas, its key, and what tells its rows apart.

use longshore_sdk::{Ctx, Fault, FaultClass};

use crate::catalog::{Described, Description, Table, UniqueIndex};
use crate::config::PostgresConfig;
use crate::envelope::{Cell, Shape};
use crate::key_order::KeyOrder;
use crate::pg_type::Types;
use crate::pgoutput::{Identity, RelationMessage};
use crate::schema::{Column, Names, legal};
use crate::select::{Selection, TableName};

/// A table, ready to be written.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) oid: u32,
    pub(crate) name: TableName,
    pub(crate) topic: String,
    pub(crate) shape: Shape,
    /// Handle of the key's schema; absent where the table has no key.
    pub(crate) key_schema: Option<u32>,
    pub(crate) value_schema: u32,
    /// The columns of the message's key.
    pub(crate) key: Vec<usize>,
    /// What tells rows apart, in an order that we know.
    pub(crate) row_key: Option<RowKey>,
    pub(crate) columns: Vec<String>,
    /// Which columns an old row brings when it does not bring all.
    pub(crate) in_identity: Vec<bool>,
    /// Columns of enums, and the labels that the schema allows.
    enums: Vec<(usize, Vec<String>)>,
}

/// Columns that are never null and unique together, and how their values are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowKey {
    pub(crate) columns: Vec<usize>,
    pub(crate) orders: Vec<KeyOrder>,
    /// Names and types of the columns, for marks.
    pub(crate) made_of: String,
}

impl RowKey {
    /// The key as text; none where a column was not sent.
    pub(crate) fn of<'a>(&self, cells: &[Cell<'a>]) -> Option<Vec<&'a str>> {
        let text = |at: &usize| match cells.get(*at)? {
            Cell::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        };
        self.columns.iter().map(text).collect()
    }
}

impl Captured {
    pub(crate) fn has_enums(&self) -> bool {
        !self.enums.is_empty()
    }

    /// A label of a row that its enum did not have when the schema was made.
    pub(crate) fn new_label<'a>(&self, row: &[Cell<'a>]) -> Option<&'a [u8]> {
        self.enums
            .iter()
            .find_map(|(at, labels)| match row.get(*at) {
                Some(Cell::Text(text)) => {
                    let is_known = labels.iter().any(|label| label.as_bytes() == *text);
                    (!is_known).then_some(*text)
                }
                _ => None,
            })
    }

    /// Whether a snapshot has to read a column: for the value, for the key, or to know where it is.
    pub(crate) fn is_read(&self, at: usize, selection: &Selection) -> bool {
        let in_row_key = self
            .row_key
            .as_ref()
            .is_some_and(|key| key.columns.contains(&at));
        in_row_key
            || self.key.contains(&at)
            || selection.takes_column(&self.name, &self.columns[at])
    }
}

/// What a shape is made from.
pub(crate) struct Making<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) config: &'a PostgresConfig,
    pub(crate) types: &'a Types,
}

impl Making<'_> {
    /// The table as it is now; what a snapshot reads.
    pub(crate) fn described(
        &self,
        table: &Table,
        description: &Description,
    ) -> Result<Captured, Fault> {
        let published = table.columns.as_ref();
        let sent = |column: &&Described| {
            let listed = published.is_none_or(|published| published.contains(&column.name));
            !column.is_generated && listed
        };
        let columns = description
            .columns
            .iter()
            .filter(sent)
            .map(|column| Column {
                name: column.name.clone(),
                type_oid: column.type_oid,
                modifier: column.modifier,
                not_null: column.not_null,
                default: column.default.clone(),
            });
        let columns: Vec<_> = columns.collect();
        let identity_columns = identity_columns(table.identity, description);
        let in_identity = columns
            .iter()
            .map(|c| identity_columns.contains(&c.name))
            .collect();
        let of = (table.oid, &table.name, table.identity);
        self.make(of, columns, in_identity, description)
    }

    /// The table as the stream says that it is from here on. What the stream does not say, which is what may be null and
    /// what is the default, is taken from the table as it is now, where the column is still the same.
    pub(crate) fn streamed(
        &self,
        relation: &RelationMessage<'_>,
        description: &Description,
    ) -> Result<Captured, Fault> {
        let columns = relation.columns.iter().map(|column| {
            let same =
                |known: &&Described| known.name == column.name && known.type_oid == column.type_oid;
            let known = description.columns.iter().find(same);
            Column {
                name: column.name.to_owned(),
                type_oid: column.type_oid,
                modifier: column.modifier,
                not_null: known.is_some_and(|known| known.not_null),
                default: known.and_then(|known| known.default.clone()),
            }
        });
        let columns = columns.collect();
        let in_identity = relation.columns.iter().map(|c| c.in_identity).collect();
        let name = TableName::new(relation.schema, relation.table);
        let then = as_of(relation, description);
        let of = (relation.id, &name, relation.identity);
        self.make(of, columns, in_identity, &then)
    }

    fn make(
        &self,
        (oid, name, identity): (u32, &TableName, Identity),
        columns: Vec<Column>,
        in_identity: Vec<bool>,
        description: &Description,
    ) -> Result<Captured, Fault> {
        let place = |column: &String| columns.iter().position(|known| known.name == *column);
        let places = |names: &[String]| names.iter().map(place).collect::<Option<Vec<_>>>();
        let key = match self.config.selection.key_of(name) {
            Some(names) => places(names).ok_or_else(|| no_key_column(name, names, &columns))?,
            None => (description.indexes.first())
                .and_then(|index| places(&index.columns))
                .unwrap_or_default(),
        };
        let row_key = row_key(identity, description, &places);
        let selection = &self.config.selection;
        let captured: Vec<bool> = columns
            .iter()
            .map(|column| selection.takes_column(name, &column.name))
            .collect();
        let keys = &self.config.keys;
        let names = Names {
            prefix: &keys.topic_prefix,
            database: &keys.database,
            schema: &name.schema,
            table: &name.table,
        };
        let values = &self.config.values;
        let shape = Shape::compile(&names, &columns, &key, &captured, self.types, values)?;
        let key_schema = shape
            .key_schema()
            .map(|schema| self.ctx.declare_schema(schema));
        let labels = |(at, column): (usize, &Column)| {
            let labels = self.types.labels(column.type_oid)?;
            Some((at, labels.to_vec()))
        };
        Ok(Captured {
            oid,
            enums: columns.iter().enumerate().filter_map(labels).collect(),
            name: name.clone(),
            topic: topic(&keys.topic_prefix, name),
            key_schema: key_schema.transpose()?,
            value_schema: self.ctx.declare_schema(shape.value_schema())?,
            shape,
            key,
            row_key,
            columns: columns.into_iter().map(|column| column.name).collect(),
            in_identity,
        })
    }
}

/// The table's keys as of the relation, which tells the primary key of then wherever that is the identity.
fn as_of(relation: &RelationMessage<'_>, now: &Description) -> Description {
    let mut then = now.clone();
    for column in &mut then.columns {
        let told = relation
            .columns
            .iter()
            .find(|told| told.name == column.name);
        column.type_oid = told.map_or(column.type_oid, |told| told.type_oid);
    }
    if relation.identity != Identity::Default {
        return then;
    }
    let flagged = relation.columns.iter().filter(|column| column.in_identity);
    let flagged: Vec<String> = flagged.map(|column| column.name.to_owned()).collect();
    let is_same = |index: &UniqueIndex| {
        index.is_primary
            && index.columns.len() == flagged.len()
            && flagged.iter().all(|column| index.columns.contains(column))
    };
    if now.indexes.first().is_some_and(is_same) {
        return then;
    }
    then.indexes.retain(|index| !index.is_primary);
    if !flagged.is_empty() {
        let primary = UniqueIndex {
            is_primary: true,
            is_identity: false,
            columns: flagged,
        };
        then.indexes.insert(0, primary);
    }
    then
}

/// The columns that an old row brings.
fn identity_columns(identity: Identity, description: &Description) -> Vec<String> {
    let mut indexes = description.indexes.iter();
    let index = match identity {
        Identity::Default => indexes.find(|index| index.is_primary),
        Identity::Index => indexes.find(|index| index.is_identity),
        Identity::Nothing => None,
        Identity::Full => {
            let names = description.columns.iter().map(|column| column.name.clone());
            return names.collect();
        }
    };
    index.map(|index| index.columns.clone()).unwrap_or_default()
}

/// The first unique index that old rows bring whole, that is never null, and whose order can be computed.
fn row_key(
    identity: Identity,
    description: &Description,
    places: &impl Fn(&[String]) -> Option<Vec<usize>>,
) -> Option<RowKey> {
    let brought = |name: &String, is_primary: bool, is_identity: bool| match identity {
        // Without an identity the server lets nobody change a row.
        Identity::Full | Identity::Nothing => description.columns.iter().any(|c| c.name == *name),
        Identity::Default => is_primary,
        Identity::Index => is_identity,
    };
    description.indexes.iter().find_map(|index| {
        let order = |name: &String| {
            let column = description
                .columns
                .iter()
                .find(|column| column.name == *name)?;
            let usable = column.not_null && brought(name, index.is_primary, index.is_identity);
            usable.then(|| KeyOrder::of(column.type_oid, column.collation_is_c))?
        };
        let orders = index
            .columns
            .iter()
            .map(order)
            .collect::<Option<Vec<_>>>()?;
        let columns = places(&index.columns)?;
        let made_of = index.columns.iter().filter_map(|name| {
            let column = description
                .columns
                .iter()
                .find(|column| column.name == *name)?;
            Some(format!("{name} {}", column.type_oid))
        });
        let made_of = made_of.collect::<Vec<_>>().join(", ");
        (!columns.is_empty()).then_some(RowKey {
            columns,
            orders,
            made_of,
        })
    })
}

/// `prefix.schema.table`, with what a topic's name may not hold replaced as Debezium does.
pub(crate) fn topic(prefix: &str, name: &TableName) -> String {
    legal(&format!("{prefix}.{name}"))
}

fn no_key_column(name: &TableName, names: &[String], columns: &[Column]) -> Fault {
    let missing = names
        .iter()
        .find(|name| !columns.iter().any(|c| c.name == **name));
    let message = format!(
        "message.key.columns names column {} of {name}, which has none of that name",
        missing.map_or("", String::as_str)
    );
    let fault = Fault::new(FaultClass::Config, "postgres-no-key-column", message);
    fault
        .with("key", "message.key.columns")
        .with("table", name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgoutput::RelationColumn;

    fn description(indexes: &[(&str, &str)]) -> Description {
        let column = |(name, type_oid, not_null): &(&str, u32, bool)| Described {
            name: (*name).to_owned(),
            type_oid: *type_oid,
            modifier: -1,
            not_null: *not_null,
            default: None,
            is_generated: false,
            collation_is_c: false,
        };
        let columns = [
            ("id", 23, true),
            ("n", 1700, true),
            ("v", 23, false),
            ("u", 2950, true),
        ];
        Description {
            columns: columns.iter().map(column).collect(),
            has_defaults: false,
            indexes: indexes
                .iter()
                .map(|(kind, columns)| UniqueIndex {
                    is_primary: *kind == "primary",
                    is_identity: *kind == "identity",
                    columns: columns.split(',').map(str::to_owned).collect(),
                })
                .collect(),
        }
    }

    fn found(identity: Identity, indexes: &[(&str, &str)]) -> Option<Vec<usize>> {
        let description = description(indexes);
        let names = ["id", "n", "v", "u"];
        let places = |columns: &[String]| {
            let place = |column: &String| names.iter().position(|name| name == column);
            columns.iter().map(place).collect()
        };
        row_key(identity, &description, &places).map(|key| key.columns)
    }

    #[test]
    fn rows_are_told_apart_by_what_old_rows_bring() {
        use Identity::{Default, Full, Index, Nothing};
        assert_eq!(found(Default, &[("primary", "id")]), Some(vec![0]));
        assert_eq!(found(Default, &[("unique", "id")]), None);
        assert_eq!(
            found(Index, &[("primary", "id"), ("identity", "u")]),
            Some(vec![3])
        );
        assert_eq!(found(Full, &[("unique", "u,id")]), Some(vec![3, 0]));
        assert_eq!(found(Nothing, &[("primary", "id")]), Some(vec![0]));
        assert_eq!(
            found(Default, &[("primary", "n")]),
            None,
            "numeric has no order here"
        );
        assert_eq!(
            found(Full, &[("unique", "v"), ("x", "u")]),
            Some(vec![3]),
            "null has none"
        );
    }

    #[test]
    fn the_primary_key_is_the_relations() {
        let relation = |flagged: &[&str]| RelationMessage {
            id: 1,
            schema: "public",
            table: "t",
            identity: Identity::Default,
            columns: ["id", "n", "u"]
                .map(|name| RelationColumn {
                    name,
                    type_oid: 23,
                    modifier: -1,
                    in_identity: flagged.contains(&name),
                })
                .to_vec(),
        };
        let now = description(&[("primary", "u,id"), ("unique", "n")]);
        let key = |flagged: &[&str]| {
            let then = as_of(&relation(flagged), &now);
            then.indexes.first().map(|index| index.columns.join(","))
        };
        assert_eq!(
            key(&["id", "u"]).as_deref(),
            Some("u,id"),
            "in the key's own order"
        );
        assert_eq!(key(&["id"]).as_deref(), Some("id"), "another one before");
        assert_eq!(key(&[]).as_deref(), Some("n"), "none yet");
    }

    #[test]
    fn topics_have_legal_names() {
        let name = TableName::new("public", "Mixed Case-é");
        assert_eq!(topic("p", &name), "p.public.Mixed_Case-_");
    }
}
