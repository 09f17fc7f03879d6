//! Exact moments by cell: customers, sums, sums of products and of cubes, as integers of one unit. Those of disjoint customers add up, in
//! any order and to the same bits.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_buffer::i256;

use super::buffer::{Buffer, Integers};
use super::fixed_point::{DECIMALS, power_of_ten, to_f64};
use super::values::{Expression, Filter, Transform};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::simd::widest;
use crate::num::wide::centred;

/// A cell: positions of the group, the stratum and the segment of its customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub group: u16,
    pub stratum: u16,
    pub segment: u16,
}

/// The columns whose moments are taken together, of the customers that a filter takes.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct MomentSet {
    pub filter: Filter,
    pub columns: Vec<Expression>,
    /// Pairs of columns, the first not after the second.
    pub pairs: Vec<(usize, usize)>,
    /// Columns whose cubes are summed.
    pub cubes: Vec<usize>,
}

impl MomentSet {
    /// The position of a column, which is added if it is new.
    pub(super) fn column(&mut self, expression: Expression) -> usize {
        self.columns.iter().position(|&known| known == expression).unwrap_or_else(|| {
            self.columns.push(expression);
            self.columns.len() - 1
        })
    }

    /// The same columns without caps.
    pub(super) fn without_caps(&self) -> Self {
        let uncapped = |column: &Expression| match column.transform {
            Transform::Capped(_) => Expression::value(column.column),
            _ => *column,
        };
        Self { columns: self.columns.iter().map(uncapped).collect(), ..self.clone() }
    }

    /// Adds a pair of columns, if it is new.
    pub(super) fn pair(&mut self, a: usize, b: usize) {
        let pair = (a.min(b), a.max(b));
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair);
        }
    }

    /// Adds the cubes of a column, if they are new.
    pub(super) fn cube(&mut self, column: usize) {
        if !self.cubes.contains(&column) {
            self.cubes.push(column);
        }
    }
}

/// The sums of the customers of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    pub n: u64,
    /// By column, in units of 10^-12.
    pub(super) sums: Vec<i256>,
    /// By pair, in units of 10^-24.
    pub(super) products: Vec<i256>,
    /// By column of cubes, in units of 10^-36; `None` beyond 256 bits.
    pub(super) cubes: Vec<Option<i256>>,
}

/// The moments of a set, by cell.
pub(super) type CellSums = BTreeMap<Cell, Sums>;

impl Sums {
    /// No customers.
    pub(super) fn new(set: &MomentSet) -> Self {
        let zeros = |n: usize| vec![i256::ZERO; n];
        Self { n: 0, sums: zeros(set.columns.len()), products: zeros(set.pairs.len()), cubes: vec![Some(i256::ZERO); set.cubes.len()] }
    }

    /// Adds other customers.
    pub(super) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        let add = |to: &mut [i256], from: &[i256]| to.iter_mut().zip(from).for_each(|(to, from)| *to = to.wrapping_add(*from));
        add(&mut self.sums, &other.sums);
        add(&mut self.products, &other.products);
        let cubes = self.cubes.iter_mut().zip(&other.cubes);
        cubes.for_each(|(to, from)| *to = to.zip(*from).and_then(|(to, from)| to.checked_add(from)));
    }

    /// The sum of a column.
    pub(super) fn sum(&self, column: usize) -> f64 {
        to_f64(self.sums[column]) / 1e12
    }

    /// The sum of a column of counts, exactly.
    pub(super) fn count(&self, column: usize) -> u64 {
        let sum = self.sums[column].wrapping_div(i256::from_i128(power_of_ten(DECIMALS)));
        sum.to_i128().and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    }

    /// The mean of a column; NaN without customers.
    pub(super) fn mean(&self, column: usize) -> f64 {
        self.sum(column) / self.n as f64
    }

    /// The sum of products of deviations from the means of a pair: an exact difference, rounded once.
    pub(super) fn deviations(&self, set: &MomentSet, a: usize, b: usize) -> Result<f64> {
        let pair = (a.min(b), a.max(b));
        let at = set.pairs.iter().position(|&known| known == pair).ok_or_else(|| Error::internal("a pair without moments"))?;
        if self.n == 0 {
            return Ok(0.0);
        }
        let deviations = centred(self.n, self.products[at], self.sums[a], self.sums[b]).ok_or_else(beyond)?;
        Ok(deviations / 1e24)
    }

    /// The skewness of a column (the third standardised moment); `None` without variance, or beyond the range of exact sums.
    pub(super) fn skewness(&self, set: &MomentSet, column: usize) -> Option<f64> {
        let at = set.cubes.iter().position(|&known| known == column)?;
        let (n, mean) = (self.n as f64, self.mean(column));
        let variance = self.deviations(set, column, column).ok()? / n;
        let square = variance + mean * mean;
        let third = to_f64(self.cubes[at]?) / 1e36 / n - 3.0 * mean * square + 2.0 * mean * mean * mean;
        (variance > 0.0).then(|| third / (variance * variance.sqrt()))
    }

    /// Adds some rows of the buffers, one for each column.
    pub(super) fn add(&mut self, set: &MomentSet, buffers: &[Buffer], run: Range<usize>) {
        self.n += run.len() as u64;
        for (sum, buffer) in self.sums.iter_mut().zip(buffers) {
            let scale = power_of_ten(DECIMALS - buffer.decimals);
            *sum = sum.wrapping_add(scaled(sum_of(&buffer.values, run.clone()), scale));
        }
        for (product, &(a, b)) in self.products.iter_mut().zip(&set.pairs) {
            let (a, b) = (&buffers[a], &buffers[b]);
            let scale = power_of_ten(2 * DECIMALS - a.decimals - b.decimals);
            *product = product.wrapping_add(scaled(product_of(&a.values, &b.values, run.clone()), scale));
        }
        for (cube, &column) in self.cubes.iter_mut().zip(&set.cubes) {
            let buffer = &buffers[column];
            let scale = i256::from_i128(power_of_ten(3 * (DECIMALS - buffer.decimals)));
            let sum = cube_of(&buffer.values, run.clone()).and_then(|sum| sum.checked_mul(scale));
            *cube = cube.zip(sum).and_then(|(cube, sum)| cube.checked_add(sum));
        }
    }
}

fn beyond() -> Error {
    let message = "the sums of products of this table exceed 256 bits. Divide the columns by a power of ten";
    Error::new(ErrorKind::OutOfRange, message)
}

pub(super) fn scaled(sum: i256, scale: i128) -> i256 {
    if scale == 1 { sum } else { sum.wrapping_mul(i256::from_i128(scale)) }
}

fn sum_of(values: &Integers, run: Range<usize>) -> i256 {
    match values {
        Integers::Narrow(values) => i256::from_i128(narrow_sum(&values[run]).into()),
        Integers::Wide(values) => i256::from_i128(values[run].iter().map(|&value| i128::from(value)).sum()),
        Integers::Huge(values) => i256::from_i128(values[run].iter().sum()),
    }
}

widest! {
    /// Sum of a block.
    pub(super) fn narrow_sum(values: &[i32]) -> i64 {
        values.iter().map(|&value| i64::from(value)).sum()
    }
}

widest! {
    /// Sum of products, which fits 64 bits: each is below 2^50, and a block has 2^12.
    pub(super) fn narrow_product(a: &[i32], b: &[i32]) -> i64 {
        a.iter().zip(b).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
    }
}

/// Sum of cubes, below 2^75 each.
pub(super) fn narrow_cubes(values: &[i32]) -> i128 {
    values.iter().map(|&value| i128::from(i64::from(value) * i64::from(value)) * i128::from(value)).sum()
}

fn product_of(a: &Integers, b: &Integers, run: Range<usize>) -> i256 {
    fn wide<A: Copy + Into<i128>, B: Copy + Into<i128>>(a: &[A], b: &[B]) -> i256 {
        i256::from_i128(a.iter().zip(b).map(|(&a, &b)| a.into() * b.into()).sum())
    }
    fn huge<A: Copy + Into<i128>>(a: &[A], b: &[i128]) -> i256 {
        let product = |(&a, &b): (&A, &i128)| i256::from_i128(a.into()).wrapping_mul(i256::from_i128(b));
        a.iter().zip(b).map(product).fold(i256::ZERO, i256::wrapping_add)
    }
    match (a, b) {
        (Integers::Narrow(a), Integers::Narrow(b)) => i256::from_i128(narrow_product(&a[run.clone()], &b[run]).into()),
        (Integers::Narrow(a), Integers::Wide(b)) | (Integers::Wide(b), Integers::Narrow(a)) => wide(&a[run.clone()], &b[run]),
        (Integers::Wide(a), Integers::Wide(b)) => wide(&a[run.clone()], &b[run]),
        (Integers::Narrow(a), Integers::Huge(b)) | (Integers::Huge(b), Integers::Narrow(a)) => huge(&a[run.clone()], &b[run]),
        (Integers::Wide(a), Integers::Huge(b)) | (Integers::Huge(b), Integers::Wide(a)) => huge(&a[run.clone()], &b[run]),
        (Integers::Huge(a), Integers::Huge(b)) => huge(&a[run.clone()], &b[run]),
    }
}

fn cube_of(values: &Integers, run: Range<usize>) -> Option<i256> {
    let cube = |value: i128| {
        let value = i256::from_i128(value);
        value.checked_mul(value)?.checked_mul(value)
    };
    match values {
        Integers::Narrow(values) => Some(i256::from_i128(narrow_cubes(&values[run]))),
        Integers::Wide(values) => values[run].iter().try_fold(i256::ZERO, |sum, &value| sum.checked_add(cube(value.into())?)),
        Integers::Huge(values) => values[run].iter().try_fold(i256::ZERO, |sum, &value| sum.checked_add(cube(value)?)),
    }
}

/// The cell of each row, as positions of group, stratum and segment.
#[derive(Debug)]
pub(super) struct CellsOfRows<'a> {
    /// By row; [`super::NO_GROUP`] is left out.
    pub groups: &'a [u16],
    /// By row, if there are strata.
    pub strata: Option<&'a [u16]>,
    /// By row, if there are segments.
    pub segments: Option<&'a [u16]>,
    /// Numbers of groups, strata and segments.
    pub sizes: [usize; 3],
}

impl CellsOfRows<'_> {
    /// The number of cells that may occur.
    pub(super) fn number(&self) -> Result<usize> {
        let [groups, strata, segments] = self.sizes;
        let number = groups.checked_mul(strata).and_then(|cells| cells.checked_mul(segments));
        number.filter(|&number| number < u32::MAX as usize).ok_or_else(|| {
            let message = format!("{groups} groups x {strata} strata x {segments} segments are too many cells; expected fewer than 2^32");
            Error::new(ErrorKind::OutOfRange, message)
        })
    }

    /// The cell of a number.
    pub(super) fn cell(&self, number: usize) -> Cell {
        let (rest, segment) = (number / self.sizes[2], number % self.sizes[2]);
        Cell { group: (rest / self.sizes[1]) as u16, stratum: (rest % self.sizes[1]) as u16, segment: segment as u16 }
    }
}

/// Adds the moments of other customers.
pub(super) fn merge_cells(whole: &mut CellSums, part: &CellSums) {
    part.iter().for_each(|(cell, sums)| add_cell(whole, *cell, sums));
}

/// Adds customers to a cell.
pub(super) fn add_cell(whole: &mut CellSums, cell: Cell, sums: &Sums) {
    match whole.get_mut(&cell) {
        Some(known) => known.merge(sums),
        None => _ = whole.insert(cell, sums.clone()),
    }
}
