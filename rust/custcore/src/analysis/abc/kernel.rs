//! Kernel of value classes: positions in descending order of money, cumulative shares, classes. Positions are those of customers
//! ascending by id, so a stable order of them ends in the id.

use std::cmp::Reverse;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::spec::{ClassBy, ClassRule, ClassTies};
use crate::exec::par::Threads;
use crate::num::money::ratio;

/// The class of no customer.
pub(super) const NO_CLASS: u8 = u8::MAX;
/// Rows per task.
const PIECE: usize = 1 << 14;

/// Money of customers in units: 64 bits where all of it fits, else 128.
#[derive(Debug, Clone)]
pub(super) enum Units {
    /// All values fit 64 bits.
    Narrow(Vec<i64>),
    /// Any values.
    Wide(Vec<i128>),
}

impl Units {
    /// Number of customers.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Narrow(units) => units.len(),
            Self::Wide(units) => units.len(),
        }
    }

    /// The money of a customer.
    #[inline]
    pub(super) fn get(&self, at: usize) -> i128 {
        match self {
            Self::Narrow(units) => i128::from(units[at]),
            Self::Wide(units) => units[at],
        }
    }

    /// The rows of all customers as one group.
    pub(super) fn rows(&self) -> [Range<usize>; 1] {
        let all = 0..self.len();
        [all]
    }

    /// Adds other customers.
    pub(super) fn append(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Narrow(units), Self::Narrow(more)) => units.extend(more),
            (Self::Wide(units), more) => units.extend((0..more.len()).map(|at| more.get(at))),
            (Self::Narrow(units), more) => {
                let wide = units.iter().map(|&units| i128::from(units)).chain((0..more.len()).map(|at| more.get(at))).collect();
                *self = Self::Wide(wide);
            }
        }
    }

    /// The money of customers in this order.
    pub(super) fn in_order(&self, order: &[u32], threads: Threads<'_>) -> Self {
        let at = |row: usize| order[row] as usize;
        match self {
            Self::Narrow(units) => Self::Narrow(threads.par_map(order.len(), |row| units[at(row)])),
            Self::Wide(units) => Self::Wide(threads.par_map(order.len(), |row| units[at(row)])),
        }
    }

    /// Sorts the money in descending order.
    pub(super) fn sort_descending(&mut self, threads: Threads<'_>) {
        match self {
            Self::Narrow(units) => threads.if_large(units.len()).par_sort_unstable_by(units, |a, b| b.cmp(a)),
            Self::Wide(units) => threads.if_large(units.len()).par_sort_unstable_by(units, |a, b| b.cmp(a)),
        }
    }
}

/// The positions in descending order of money; equal money in the order of positions.
pub(super) fn by_value(units: &Units, threads: Threads<'_>) -> Vec<u32> {
    match units {
        Units::Narrow(units) => by_packed_value(units, threads).unwrap_or_else(|| by_pairs(units, threads)),
        Units::Wide(units) => by_pairs(units, threads),
    }
}

/// Sorts pairs of money and position.
fn by_pairs<U: Copy + Ord + Send + Sync>(units: &[U], threads: Threads<'_>) -> Vec<u32> {
    let mut keys = threads.par_map(units.len(), |at| (Reverse(units[at]), at as u32));
    threads.if_large(keys.len()).par_sort_unstable_by(&mut keys, Ord::cmp);
    threads.par_map(keys.len(), |row| keys[row].1)
}

/// Sorts numbers whose high bits are the distance from the most money, and whose low bits are the position. `None` if both do not
/// fit 64 bits.
fn by_packed_value(units: &[i64], threads: Threads<'_>) -> Option<Vec<u32>> {
    let ends = threads.par_chunks(units.len(), |run| units[run].iter().fold((i64::MAX, i64::MIN), |(a, b), &u| (a.min(u), b.max(u))));
    let (least, most) = ends.into_iter().fold((i64::MAX, i64::MIN), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    let bits = |number: u64| u64::BITS - number.leading_zeros();
    let positions = bits(units.len() as u64);
    if units.is_empty() || bits(most.abs_diff(least)) + positions > u64::BITS {
        return None;
    }
    let mut keys = threads.par_map(units.len(), |at| (most.abs_diff(units[at]) << positions) | at as u64);
    threads.if_large(keys.len()).par_sort_unstable_by(&mut keys, Ord::cmp);
    let mask = (1 << positions) - 1;
    Some(threads.par_map(keys.len(), |row| (keys[row] & mask) as u32))
}

/// Sorts positions by their group, keeping their order within a group. Returns the rows of each group.
pub(super) fn by_group(order: &mut Vec<u32>, group_of: &[u32], groups: usize) -> Vec<Range<usize>> {
    let mut starts = vec![0_usize; groups + 1];
    group_of.iter().for_each(|&group| starts[group as usize + 1] += 1);
    for group in 0..groups {
        starts[group + 1] += starts[group];
    }
    let rows = starts.windows(2).map(|ends| ends[0]..ends[1]).collect();
    let mut sorted = vec![0; order.len()];
    for &at in order.iter() {
        let place = &mut starts[group_of[at as usize] as usize];
        sorted[*place] = at;
        *place += 1;
    }
    *order = sorted;
    rows
}

/// How shares make classes.
#[derive(Debug)]
pub(super) struct Classing {
    pub by: ClassBy,
    pub rule: ClassRule,
    pub ties: ClassTies,
    pub thresholds: Vec<f64>,
}

impl Classing {
    /// The class of a share: the number of thresholds that it has passed.
    fn of_share(&self, share: f64) -> u8 {
        let passed = match self.rule {
            ClassRule::Before => self.thresholds.partition_point(|&threshold| threshold <= share),
            ClassRule::Upto => self.thresholds.partition_point(|&threshold| threshold < share),
        };
        passed as u8
    }
}

/// Ranks and classes of rows sorted by group and descending money.
#[derive(Debug)]
pub(super) struct Classed {
    /// Rank in the group, from 1.
    pub rank: Vec<i64>,
    /// Share of the value of the group, the row included; NaN where the value of the group is 0.
    pub cumulative_share: Vec<f64>,
    /// Position of the class among the names.
    pub class: Vec<u8>,
}

/// Rows of one group, and what comes before them in it.
#[derive(Debug, Clone)]
struct Piece {
    rows: Range<usize>,
    group: Range<usize>,
    before: i128,
    total: i128,
}

/// Uninitialised columns of a piece.
struct Columns<'a> {
    rank: &'a mut [MaybeUninit<i64>],
    cumulative_share: &'a mut [MaybeUninit<f64>],
    class: &'a mut [MaybeUninit<u8>],
}

/// Ranks and classes; `units` are sorted by group and descending within each, whose rows are `groups`.
pub(super) fn classed(units: &Units, groups: &[Range<usize>], classing: &Classing, threads: Threads<'_>) -> Classed {
    let n = units.len();
    let (mut rank, mut share, mut class) = (Vec::with_capacity(n), Vec::with_capacity(n), Vec::with_capacity(n));
    let pieces = pieces(units, groups, threads);
    let (mut ranks, mut shares, mut classes): (&mut [_], &mut [_], &mut [_]) =
        (&mut rank.spare_capacity_mut()[..n], &mut share.spare_capacity_mut()[..n], &mut class.spare_capacity_mut()[..n]);
    let mut work = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (rank, share, class);
        (rank, ranks) = ranks.split_at_mut(piece.rows.len());
        (share, shares) = shares.split_at_mut(piece.rows.len());
        (class, classes) = classes.split_at_mut(piece.rows.len());
        work.push((piece, Columns { rank, cumulative_share: share, class }));
    }
    threads.if_large(n).par_batches(work, 1, |(piece, columns)| fill(units, &piece, classing, columns));
    // SAFETY: each column has capacity for `n` values; the pieces cover all rows in order, and `fill` writes each row of its piece.
    unsafe {
        rank.set_len(n);
        share.set_len(n);
        class.set_len(n);
    }
    Classed { rank, cumulative_share: share, class }
}

/// The groups, cut into pieces.
fn pieces(units: &Units, groups: &[Range<usize>], threads: Threads<'_>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = groups
        .iter()
        .flat_map(|group| {
            group.clone().step_by(PIECE).map(move |start| Piece {
                rows: start..group.end.min(start + PIECE),
                group: group.clone(),
                before: 0,
                total: 0,
            })
        })
        .collect();
    let value = |piece: &Piece| piece.rows.clone().map(|row| units.get(row).max(0)).sum::<i128>();
    let sums = threads.if_large(units.len()).par_tasks(&pieces, value);
    let mut first = 0;
    while first < pieces.len() {
        let group = pieces[first].group.clone();
        let end = first + pieces[first..].iter().take_while(|piece| piece.group == group).count();
        let total = sums[first..end].iter().sum();
        let mut before = 0;
        for (piece, sum) in pieces[first..end].iter_mut().zip(&sums[first..end]) {
            (piece.before, piece.total) = (before, total);
            before += sum;
        }
        first = end;
    }
    pieces
}

fn fill(units: &Units, piece: &Piece, classing: &Classing, columns: Columns<'_>) {
    let Piece { rows, group, before, total } = piece.clone();
    let size = group.len() as f64;
    let last = classing.thresholds.len() as u8;
    let share = |value: i128| if total > 0 { ratio(value, total) } else { f64::NAN };
    // The class of a row by the number of rows before it, their value, and the shares of value before and including the row.
    let class_of = |place: usize, (before, included): (f64, f64)| match (classing.by, classing.rule) {
        _ if total <= 0 => last,
        (ClassBy::Value, ClassRule::Before) => classing.of_share(before),
        (ClassBy::Value, ClassRule::Upto) => classing.of_share(included),
        (ClassBy::Customers, ClassRule::Before) => classing.of_share(place as f64 / size),
        (ClassBy::Customers, ClassRule::Upto) => classing.of_share((place + 1) as f64 / size),
    };
    let (mut sum, mut share_before) = (before, share(before));
    // The value and the class of the tied rows that the row is among.
    let mut tied: Option<(i128, u8)> = None;
    if classing.ties == ClassTies::Same && rows.start > group.start {
        // Rows of the same value may begin in an earlier piece.
        let value = units.get(rows.start).max(0);
        let first = first_of_value(units, group.start..rows.start, value);
        let before = sum - value * (rows.start - first) as i128;
        tied = Some((value, class_of(first - group.start, (share(before), share(before + value)))));
    }
    let Columns { rank, cumulative_share, class } = columns;
    for (i, row) in rows.enumerate() {
        let (value, place) = (units.get(row).max(0), row - group.start);
        sum += value;
        let included = share(sum);
        let own = match tied {
            Some((tied, class)) if tied == value && classing.ties == ClassTies::Same => class,
            _ => class_of(place, (share_before, included)),
        };
        tied = Some((value, own));
        rank[i].write(place as i64 + 1);
        cumulative_share[i].write(included);
        class[i].write(own);
        share_before = included;
    }
}

/// The first of the rows whose value is at most `value`; their end if there is none.
fn first_of_value(units: &Units, rows: Range<usize>, value: i128) -> usize {
    let (mut low, mut high) = (rows.start, rows.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if units.get(middle).max(0) > value { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
#[path = "kernel_tests.rs"]
mod tests;
