//! What the index asks of a store of sorted bytes.

use std::fmt;

use crate::error::Error;

/// A key and its value as a store keeps them.
pub type StoredPair = (Vec<u8>, Vec<u8>);

/// A change that a checkpoint writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChange {
    /// The key.
    pub key: [u8; 12],
    /// The new value; none removes the key.
    pub value: Option<Vec<u8>>,
}

/// Sorted keys with values, and one summary that always belongs to them.
pub trait IndexStore: Send + Sync + fmt::Debug {
    /// The summary of the last write.
    fn summary(&self) -> Result<Option<Vec<u8>>, Error>;

    /// Applies changes and replaces the summary: all of it or nothing, durable on return.
    fn write(
        &self,
        changes: &mut dyn Iterator<Item = StoredChange>,
        summary: &[u8],
    ) -> Result<(), Error>;

    /// Forgets everything.
    fn clear(&self) -> Result<(), Error>;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The last pair from `first` to `last`, both included.
    fn last_in(&self, first: &[u8], last: &[u8]) -> Result<Option<StoredPair>, Error>;

    /// The first `limit` pairs from `first` on and before `end`.
    fn range(&self, first: &[u8], end: &[u8], limit: usize) -> Result<Vec<StoredPair>, Error>;
}
