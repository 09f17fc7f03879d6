//! Merge of cells, whose categories and owners have other codes.

use super::Cells;
use super::run::Cell;
use crate::error::Result;
use crate::group::interner::NO_CODE;
use crate::state::accumulator::Level;

/// Few customers of many are merged one by one: this many cells for each.
const FEW: usize = 64;

/// Marks a value whose code is not mapped yet.
const NOT_YET: u32 = NO_CODE - 1;

impl Cells {
    /// Merges by whole owners, if codes of owners and categories keep their order. Returns whether they do.
    pub(super) fn merge_in_order(&mut self, level: Level, other: &Self, keys: &[(u32, u32)]) -> Result<bool> {
        if !keys.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1) || keys.len() < other.levels[level as usize].len() / FEW {
            return Ok(false);
        }
        let runs = other.levels[level as usize].all();
        let mut is_used = vec![false; other.values.len()];
        for &code in runs.iter().flat_map(|run| run.categories()).filter(|code| **code != NO_CODE) {
            is_used[code as usize] = true;
        }
        let mut codes = vec![NO_CODE; is_used.len()];
        for (code, _) in (0..).zip(&is_used).filter(|(_, used)| **used) {
            codes[code as usize] = self.values.intern_from(other.values.keys(), code)?;
        }
        if !codes.iter().zip(&is_used).filter(|(_, used)| **used).is_sorted_by(|a, b| a.0 < b.0) {
            return Ok(false);
        }
        for run in runs {
            let (mut builder, mut next) = (self.levels[level as usize].builder(), 0);
            for &(from, to) in keys {
                if let Some(at) = run.find(from, &mut next) {
                    builder.append_mapped(to, (&run, at), |code| if code == NO_CODE { code } else { codes[code as usize] });
                }
            }
            self.levels[level as usize].push(builder.finish());
        }
        Ok(true)
    }

    /// Merges in any order of codes.
    pub(super) fn merge_one_by_one(&mut self, level: Level, other: &Self, keys: &[(u32, u32)]) -> Result<()> {
        let mut codes = vec![NOT_YET; other.values.len()];
        let mut reader = other.levels[level as usize].reader();
        for &(from, to) in keys {
            for cell in reader.cells(from) {
                let mut category = cell.category;
                if category != NO_CODE {
                    let code = &mut codes[category as usize];
                    if *code == NOT_YET {
                        *code = self.values.intern_from(other.values.keys(), category)?;
                    }
                    category = *code;
                }
                self.levels[level as usize].add(to, Cell { category, ..*cell });
            }
        }
        Ok(())
    }
}
