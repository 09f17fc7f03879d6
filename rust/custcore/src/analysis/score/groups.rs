//! The cells that a row is scored in: the group of its customer, refined with nested binning by the scores before.
//!
//! Only cells that somebody is in have a number, so their count is at most that of the rows, whatever the bins.

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap};

use crate::column::key::{Key, KeyColumn, OwnedKey};

/// A cell that the fit did not see.
pub const UNSEEN: u32 = u32::MAX;
/// The cell of a row that misses one of the scores before: it gets no score.
pub const MISSING: u32 = u32::MAX - 1;

/// Groups by the value of a column, in the order they were met.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Groups {
    keys: Vec<OwnedKey>,
    positions: HashMap<OwnedKey, u32, RandomState>,
}

impl Groups {
    /// The groups of a column, and each row's.
    pub fn fit(column: &KeyColumn, rows: usize) -> (Self, Vec<u32>) {
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

    /// The groups of a fit that was stored; none where two are the same.
    pub fn restore(keys: Vec<OwnedKey>) -> Option<Self> {
        let positions: HashMap<_, _, RandomState> = keys.iter().cloned().zip(0..).collect();
        (positions.len() == keys.len()).then_some(Self { keys, positions })
    }

    /// The groups in the order of their cells.
    pub fn keys(&self) -> &[OwnedKey] {
        &self.keys
    }

    /// The cell of a group that the fit saw.
    pub fn find(&self, group: Key<'_>) -> Option<u32> {
        self.positions.get(&group).copied()
    }
}

// A group is found without a copy of it: both hash as the same variants of the same contents.
impl Equivalent<OwnedKey> for Key<'_> {
    fn equivalent(&self, key: &OwnedKey) -> bool {
        key.borrow() == *self
    }
}

/// Cells refined by the scores of one dimension, in the order they were met.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Nest {
    /// The cell and the score that each was made of.
    parents: Vec<(u32, u8)>,
    positions: HashMap<(u32, u8), u32, RandomState>,
}

impl Nest {
    /// Refines the cells of some rows by their scores.
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

    /// The cells of a fit that was stored, which refine `cells` cells by scores up to `bins`; none where that cannot be.
    pub fn restore(parents: Vec<(u32, u8)>, cells: usize, bins: u8) -> Option<Self> {
        let sound = parents.iter().all(|&(cell, score)| (cell as usize) < cells && (1..=bins).contains(&score));
        let positions: HashMap<_, _, RandomState> = parents.iter().copied().zip(0..).collect();
        (sound && positions.len() == parents.len()).then_some(Self { parents, positions })
    }

    /// The cells and scores that its cells were made of, in their order.
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

    /// The cell and the score that a cell was made of.
    pub fn parent(&self, cell: usize) -> Option<(u32, u8)> {
        self.parents.get(cell).copied()
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }
}
