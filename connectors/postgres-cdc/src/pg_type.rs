//! PostgreSQL's types by oid: the built-in ones from the start, others as the catalog tells them.
//!
//! *Must not know*: how a type is mapped. *Invariant*: resolving ends, whatever the catalog says.

use std::collections::BTreeMap;

/// Deepest chain of domains and arrays that is followed.
const DEPTH_MAX: usize = 32;
/// The first oid that is no built-in type's.
pub(crate) const FIRST_NORMAL_OID: u32 = 16_384;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PgType {
    pub(crate) oid: u32,
    /// The schema that it lives in.
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) kind: TypeKind,
}

/// What a type is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypeKind {
    Base,
    /// With its labels in their order.
    Enum {
        labels: Vec<String>,
    },
    /// The modifier is the base's, -1 for none.
    Domain {
        base: u32,
        modifier: i32,
    },
    Array {
        element: u32,
    },
    Range,
    Multirange,
    Composite,
    Pseudo,
}

impl PgType {
    /// The name by which the mapping knows it; `None` of a type that only looks like a built-in one.
    pub(crate) fn known_name(&self) -> Option<&str> {
        let extension = matches!(&*self.name, "citext" | "hstore" | "ltree");
        (self.oid < FIRST_NORMAL_OID || extension).then_some(&*self.name)
    }

    /// The name as a person writes it.
    pub(crate) fn full_name(&self) -> String {
        match &*self.schema {
            "pg_catalog" | "public" => self.name.clone(),
            schema => format!("{schema}.{}", self.name),
        }
    }
}

/// The types that are known so far.
#[derive(Clone, Debug)]
pub(crate) struct Types {
    by_oid: BTreeMap<u32, PgType>,
    /// Whether the catalog was asked for all enums and domains at once: a database may have thousands.
    pub(crate) has_asked_for_all: bool,
}

impl Default for Types {
    fn default() -> Self {
        let mut types = Self {
            by_oid: BTreeMap::new(),
            has_asked_for_all: false,
        };
        for (oid, array, name) in BASE {
            types.built_in(*oid, (*name).to_owned(), TypeKind::Base);
            types.built_in(
                *array,
                format!("_{name}"),
                TypeKind::Array { element: *oid },
            );
        }
        for (oid, array, name) in RANGE {
            types.built_in(*oid, (*name).to_owned(), TypeKind::Range);
            types.built_in(
                *array,
                format!("_{name}"),
                TypeKind::Array { element: *oid },
            );
        }
        types
    }
}

impl Types {
    fn built_in(&mut self, oid: u32, name: String, kind: TypeKind) {
        let schema = "pg_catalog".to_owned();
        self.insert(PgType {
            oid,
            schema,
            name,
            kind,
        });
    }

    /// Adds a type, or puts what the catalog says now in its place.
    pub(crate) fn insert(&mut self, pg_type: PgType) {
        self.by_oid.insert(pg_type.oid, pg_type);
    }

    /// Forgets an enum that a type is or is made of, so that the catalog is asked for its labels again.
    pub(crate) fn forget_enum(&mut self, oid: u32) {
        let mut oid = oid;
        for _ in 0..DEPTH_MAX {
            match self.get(oid).map(|t| &t.kind) {
                Some(TypeKind::Enum { .. }) => {
                    self.by_oid.remove(&oid);
                    return;
                }
                Some(TypeKind::Domain { base, .. }) => oid = *base,
                Some(TypeKind::Array { element }) => oid = *element,
                _ => return,
            }
        }
    }

    /// The labels of an enum, beneath domains.
    pub(crate) fn labels(&self, oid: u32) -> Option<&[String]> {
        match &self.beneath_domains(oid, -1)?.0.kind {
            TypeKind::Enum { labels } => Some(labels),
            _ => None,
        }
    }

    pub(crate) fn get(&self, oid: u32) -> Option<&PgType> {
        self.by_oid.get(&oid)
    }

    /// Whether the catalog must be asked before a column of that type can be mapped: for the type, or
    /// for one that it is made of.
    pub(crate) fn missing(&self, oid: u32) -> bool {
        let mut oid = oid;
        for _ in 0..DEPTH_MAX {
            match self.get(oid).map(|t| &t.kind) {
                None => return true,
                Some(TypeKind::Domain { base, .. }) => oid = *base,
                Some(TypeKind::Array { element }) => oid = *element,
                Some(_) => return false,
            }
        }
        false
    }

    /// The type beneath all domains, and the modifier that holds for it: the column's own, or that of
    /// the domain nearest to the column.
    pub(crate) fn beneath_domains(&self, oid: u32, modifier: i32) -> Option<(&PgType, i32)> {
        let (mut oid, mut modifier) = (oid, modifier);
        for _ in 0..DEPTH_MAX {
            let pg_type = self.get(oid)?;
            match pg_type.kind {
                TypeKind::Domain { base, modifier: m } => {
                    oid = base;
                    modifier = if modifier == -1 { m } else { modifier };
                }
                _ => return Some((pg_type, modifier)),
            }
        }
        None
    }
}

/// Oid, oid of the array, name.
const BASE: &[(u32, u32, &str)] = &[
    (16, 1000, "bool"),
    (17, 1001, "bytea"),
    (18, 1002, "char"),
    (19, 1003, "name"),
    (20, 1016, "int8"),
    (21, 1005, "int2"),
    (23, 1007, "int4"),
    (25, 1009, "text"),
    (26, 1028, "oid"),
    (114, 199, "json"),
    (142, 143, "xml"),
    (600, 1017, "point"),
    (650, 651, "cidr"),
    (700, 1021, "float4"),
    (701, 1022, "float8"),
    (774, 775, "macaddr8"),
    (790, 791, "money"),
    (829, 1040, "macaddr"),
    (869, 1041, "inet"),
    (1042, 1014, "bpchar"),
    (1043, 1015, "varchar"),
    (1082, 1182, "date"),
    (1083, 1183, "time"),
    (1114, 1115, "timestamp"),
    (1184, 1185, "timestamptz"),
    (1186, 1187, "interval"),
    (1266, 1270, "timetz"),
    (1560, 1561, "bit"),
    (1562, 1563, "varbit"),
    (1700, 1231, "numeric"),
    (2950, 2951, "uuid"),
    (3614, 3643, "tsvector"),
    (3802, 3807, "jsonb"),
];

const RANGE: &[(u32, u32, &str)] = &[
    (3904, 3905, "int4range"),
    (3906, 3907, "numrange"),
    (3908, 3909, "tsrange"),
    (3910, 3911, "tstzrange"),
    (3912, 3913, "daterange"),
    (3926, 3927, "int8range"),
];
