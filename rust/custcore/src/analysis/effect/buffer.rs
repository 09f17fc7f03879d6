//! The values of a block as integers of few decimals, in the narrowest type that holds them.

use super::fixed_point::{DECIMALS, of_float, power_of_ten};
use crate::exec::simd::widest;

/// Values of some rows as integers; each is that many units of 10^-`decimals`.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub decimals: u8,
    pub values: Integers,
    /// Scratch memory.
    pub(super) units: Vec<i64>,
    gathered: Vec<i32>,
}

/// Integers in the narrowest type in which sums of products of a block cannot overflow.
#[derive(Debug)]
pub(super) enum Integers {
    /// Up to 2^25.
    Narrow(Vec<i32>),
    /// Up to 2^57.
    Wide(Vec<i64>),
    /// Up to 10^27.
    Huge(Vec<i128>),
}

impl Integers {
    /// The values, if they are narrow.
    pub(super) fn narrow(&self) -> Option<&[i32]> {
        if let Self::Narrow(values) = self { Some(values) } else { None }
    }
}

impl Default for Integers {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

const NARROW: i64 = 1 << 25;
const WIDE: i64 = 1 << 57;
/// Decimals in which floats are tried, and units in 1.
const SCALES: [(u8, f64); 3] = [(0, 1.0), (2, 1e2), (6, 1e6)];
/// Floats up to this size are multiplied by 10^6 and rounded without an error.
const EXACT: f64 = 2e9;
/// 1.5 * 2^52: adding it rounds to an integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
impl Buffer {
    /// Fills `n` narrow values.
    pub(super) fn narrow<T>(&mut self, decimals: u8, n: usize, fill: impl FnOnce(&mut [i32]) -> T) -> T {
        self.decimals = decimals;
        if !matches!(self.values, Integers::Narrow(_)) {
            self.values = Integers::Narrow(Vec::new());
        }
        match &mut self.values {
            Integers::Narrow(values) => {
                values.resize(n, 0);
                fill(values)
            }
            _ => fill(&mut []),
        }
    }

    /// Integers, which are narrowed or widened as they need.
    pub(super) fn fill_wide(&mut self, decimals: u8, values: &[i64]) {
        let largest = largest_integer(values);
        if largest <= NARROW as u64 {
            self.narrow(decimals, values.len(), |narrow| narrowed(values, narrow));
            return;
        }
        self.decimals = decimals;
        self.values = if largest <= WIDE as u64 {
            Integers::Wide(values.to_vec())
        } else {
            Integers::Huge(values.iter().copied().map(i128::from).collect())
        };
    }

    pub(super) fn fill_huge(&mut self, values: Vec<i128>) {
        // Money has two decimals or none, mostly.
        for decimals in [0, 2, 6] {
            let unit = power_of_ten(DECIMALS - decimals);
            if values.iter().all(|value| value % unit == 0 && (value / unit).abs() <= i128::from(WIDE)) {
                return self.fill_wide(decimals, &values.iter().map(|value| (value / unit) as i64).collect::<Vec<i64>>());
            }
        }
        self.decimals = DECIMALS;
        if values.iter().all(|value| value.abs() <= i128::from(WIDE)) {
            return self.fill_wide(DECIMALS, &values.iter().map(|&value| value as i64).collect::<Vec<i64>>());
        }
        self.values = Integers::Huge(values);
    }

    /// Floats that are whole units of few decimals, in those; which ones does not change a sum. The same as `of_float`: a float that is
    /// the nearest one to a number of few decimals is so to one of six.
    pub(super) fn fill_floats(&mut self, values: &[f64]) {
        // What fitted the block before mostly fits this one.
        let last = self.decimals;
        for &(decimals, scale) in SCALES.iter().filter(|(decimals, _)| *decimals == last).chain(&SCALES) {
            if self.narrow(decimals, values.len(), |units| narrow_units(values, scale, units)) {
                return;
            }
        }
        let mut units = std::mem::take(&mut self.units);
        units.resize(values.len(), 0);
        let whole = SCALES.iter().find(|(_, scale)| whole_units(values, *scale, &mut units));
        match whole {
            Some(&(decimals, _)) => self.fill_wide(decimals, &units),
            None => self.fill_huge(values.iter().copied().map(of_float).collect()),
        }
        self.units = units;
    }

    /// Keeps the values at these places, in this order.
    pub(super) fn gather(&mut self, places: &[u16]) {
        fn gathered<T: Copy>(values: &mut Vec<T>, scratch: &mut Vec<T>, places: &[u16]) {
            scratch.clear();
            scratch.extend(places.iter().map(|&place| values[usize::from(place)]));
            std::mem::swap(values, scratch);
        }
        match &mut self.values {
            Integers::Narrow(values) => gathered(values, &mut self.gathered, places),
            Integers::Wide(values) => gathered(values, &mut Vec::new(), places),
            Integers::Huge(values) => gathered(values, &mut Vec::new(), places),
        }
    }
}

widest! {
    fn largest_integer(values: &[i64]) -> u64 {
        values.iter().fold(0, |largest, value| largest.max(value.unsigned_abs()))
    }
}

widest! {
    fn narrowed(values: &[i64], narrow: &mut [i32]) {
        narrow.iter_mut().zip(values).for_each(|(narrow, &value)| *narrow = value as i32);
    }
}

widest! {
    pub(super) fn flags_at_least(values: &[i64], least: i64, flags: &mut [i32]) {
        flags.iter_mut().zip(values).for_each(|(flag, &value)| *flag = i32::from(value >= least));
    }
}

widest! {
    pub(super) fn flags_below(values: &[i64], least: i64, flags: &mut [i32]) {
        flags.iter_mut().zip(values).for_each(|(flag, &value)| *flag = i32::from(value < least));
    }
}

widest! {
    /// Floats in narrow units of 1 / `scale`; whether all are so many units, to the nearest float.
    fn narrow_units(values: &[f64], scale: f64, units: &mut [i32]) -> bool {
        let mut are_whole = true;
        for (units, &value) in units.iter_mut().zip(values) {
            let shifted = value * scale + ROUND;
            let whole = shifted - ROUND;
            are_whole &= ((whole / scale).to_bits() == (value + 0.0).to_bits()) & (whole.abs() <= NARROW as f64);
            // The low bits of the sum are the integer.
            *units = shifted.to_bits() as i32;
        }
        are_whole
    }
}

widest! {
    /// Floats in units of 1 / `scale`; whether all are so many units, to the nearest float.
    fn whole_units(values: &[f64], scale: f64, units: &mut [i64]) -> bool {
        let mut are_whole = true;
        for (units, &value) in units.iter_mut().zip(values) {
            let shifted = value * scale + ROUND;
            are_whole &= (((shifted - ROUND) / scale).to_bits() == (value + 0.0).to_bits()) & (value.abs() <= EXACT);
            *units = (shifted.to_bits() as i64) - (ROUND.to_bits() as i64);
        }
        are_whole
    }
}
