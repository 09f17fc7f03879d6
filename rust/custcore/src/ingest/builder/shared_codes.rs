//! Codes of customers that the states of all threads share.

use std::sync::Arc;

use arrow_buffer::NullBuffer;

use crate::column::key::{KeyKind, PlainKeys};
use crate::group::id_ranks::IdRanks;
use crate::group::interner::{Interner, Keys};

/// Codes that the states of all threads share.
#[derive(Debug, Clone)]
pub(super) enum SharedCodes {
    /// Positions in a dictionary.
    Dictionary(Box<SharedDictionary>),
    /// Ranks of integer ids.
    Ranks(Arc<IdRanks>),
}

impl SharedCodes {
    /// An interner of these codes.
    pub(super) fn interner(&self, kind: KeyKind) -> Interner {
        match self {
            Self::Dictionary(shared) => Interner::of_dictionary(kind, shared.keys.clone(), shared.nulls.clone(), shared.ascending),
            Self::Ranks(ranks) => Interner::of_ranks(kind, ranks.clone()),
        }
    }

    /// Number of codes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Dictionary(shared) => shared.keys.len(),
            Self::Ranks(ranks) => ranks.len(),
        }
    }
}

/// The dictionary that all rows share, and its keys.
#[derive(Debug, Clone)]
pub(super) struct SharedDictionary {
    /// Keeps the dictionary alive, so that no other one can be allocated at its address.
    pub(super) values: Option<PlainKeys>,
    pub(super) keys: Arc<Keys>,
    pub(super) nulls: Option<NullBuffer>,
    /// Whether the values are strictly ascending, and so without duplicates.
    pub(super) ascending: bool,
}
