//! Strata with enough customers of each group.

use std::collections::BTreeMap;

use super::moments::{Cell, CellSums};

/// For each stratum, the stratum that its customers are analysed in.
///
/// A stratum with fewer than `least` customers of some group goes to the rest; if that is still short, it joins the smallest stratum that
/// is not (ties by name). `n_groups` groups are analysed.
pub(super) fn merged_strata(names: &[String], cells: &CellSums, n_groups: usize, least: u64) -> Vec<usize> {
    let least = least.max(1);
    let mut sizes = vec![vec![0_u64; n_groups]; names.len()];
    for (cell, sums) in cells {
        sizes[usize::from(cell.stratum)][usize::from(cell.group)] += sums.n;
    }
    let is_short = |sizes: &[u64]| sizes.iter().any(|&n| n < least);
    let (short, long): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|&at| is_short(&sizes[at]));
    let mut merged: Vec<usize> = (0..names.len()).collect();
    let Some(&rest) = short.first() else { return merged };
    let mut of_rest = vec![0; n_groups];
    short.iter().for_each(|&at| of_rest.iter_mut().zip(&sizes[at]).for_each(|(sum, n)| *sum += n));
    let smallest = long.into_iter().min_by_key(|&at| (sizes[at].iter().sum::<u64>(), &names[at]));
    let to = if is_short(&of_rest) { smallest.unwrap_or(rest) } else { rest };
    short.iter().for_each(|&at| merged[at] = to);
    merged
}

/// The cells with their strata merged.
pub(super) fn merge_strata(cells: &CellSums, merged: &[usize]) -> CellSums {
    let mut whole: BTreeMap<_, _> = CellSums::new();
    for (cell, sums) in cells {
        let cell = Cell { stratum: merged[usize::from(cell.stratum)] as u16, ..*cell };
        super::moments::add_cell(&mut whole, cell, sums);
    }
    whole
}
