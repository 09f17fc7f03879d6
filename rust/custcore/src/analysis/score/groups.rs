//! The cells that rows are scored within: the group of the customer, refined by the preceding scores with nested binning.
//!
//! Only occupied cells are numbered, so there are at most as many cells as rows, whatever the number of bins.

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap};

use crate::column::key::{Key, OwnedKey};
use crate::column::value::ValueColumn;

/// A cell that was not present in the fit.
pub(crate) const UNSEEN: u32 = u32::MAX;
/// The cell of a row with a missing preceding score; the row gets no score.
pub(crate) const MISSING: u32 = u32::MAX - 1;

/// Groups by the values of a column, in order of first occurrence.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ScoreGroups {
    keys: Vec<OwnedKey>,
    positions: HashMap<OwnedKey, u32, RandomState>,
}

impl ScoreGroups {
    /// The groups of a column, and the group of each row.
    pub(crate) fn fit(column: &ValueColumn, rows: usize) -> (Self, Vec<u32>) {
        let mut groups = Self::default();
        let cells = (0..rows).map(|row| groups.add(column.key(row))).collect();
        (groups, cells)
    }

    fn add(&mut self, group: Key<'_>) -> u32 {
        let next = self.keys.len() as u32;
        let Self { keys, positions } = self;
        *positions.entry(group.to_owned()).or_insert_with_key(|key| {
            keys.push(key.clone());
            next
        })
    }

    /// Restores stored groups; `None` if there are duplicates.
    pub(crate) fn restore(keys: Vec<OwnedKey>) -> Option<Self> {
        let positions: HashMap<_, _, RandomState> = keys.iter().cloned().zip(0..).collect();
        (positions.len() == keys.len()).then_some(Self { keys, positions })
    }

    /// The groups in cell order.
    pub(crate) fn keys(&self) -> &[OwnedKey] {
        &self.keys
    }

    /// The cell of a group; `None` if it was not present in the fit.
    pub(crate) fn find(&self, group: Key<'_>) -> Option<u32> {
        self.positions.get(&group).copied()
    }
}

// Lookup without cloning the key. Both enums hash the same discriminant and contents.
impl Equivalent<OwnedKey> for Key<'_> {
    fn equivalent(&self, key: &OwnedKey) -> bool {
        key.borrow() == *self
    }
}

/// Cells refined by the scores of one dimension, in order of first occurrence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Nest {
    /// The parent cell and the score of each cell.
    parents: Vec<(u32, u8)>,
    positions: HashMap<(u32, u8), u32, RandomState>,
}

impl Nest {
    /// Refines the cells of rows by their scores, in place.
    pub fn fit(cells: &mut [u32], scores: &[u8]) -> Self {
        let mut nest = Self::default();
        for (cell, &score) in cells.iter_mut().zip(scores) {
            if *cell == MISSING || score == 0 {
                *cell = MISSING;
                continue;
            }
            let next = nest.parents.len() as u32;
            let part = (*cell, score);
            let Self { parents, positions } = &mut nest;
            *cell = *positions.entry(part).or_insert_with(|| {
                parents.push(part);
                next
            });
        }
        nest
    }

    /// Restores stored cells, which refine `cells` cells by scores up to `bins`; `None` if they are invalid.
    pub fn restore(parents: Vec<(u32, u8)>, cells: usize, bins: u8) -> Option<Self> {
        let sound = parents.iter().all(|&(cell, score)| (cell as usize) < cells && (1..=bins).contains(&score));
        let positions: HashMap<_, _, RandomState> = parents.iter().copied().zip(0..).collect();
        (sound && positions.len() == parents.len()).then_some(Self { parents, positions })
    }

    /// The parent cell and the score of each cell, in cell order.
    pub fn parents(&self) -> &[(u32, u8)] {
        &self.parents
    }

    /// The refined cell.
    #[inline]
    pub fn find(&self, cell: u32, score: u8) -> u32 {
        if cell == MISSING || score == 0 {
            return MISSING;
        }
        self.positions.get(&(cell, score)).copied().unwrap_or(UNSEEN)
    }

    /// The parent cell and the score of a cell.
    pub fn parent(&self, cell: usize) -> Option<(u32, u8)> {
        self.parents.get(cell).copied()
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }
}
