//! What a result excludes and why: counts, sums of money, first rows. Result and report together account for the whole
//! input, to the cent.

use std::borrow::Cow;

use crate::num::money::{Amount, Money};

/// A running count with its sum of money and first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Number of counted items.
    pub count: u64,
    /// Input rows of these items.
    pub rows: u64,
    /// Sum of money, in units.
    pub units: i128,
    /// The first row, counted from 0 over the whole input; `u64::MAX` if empty.
    pub first_row: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { count: 0, rows: 0, units: 0, first_row: u64::MAX }
    }
}

impl Tally {
    /// Counts one item of one row.
    #[inline]
    pub fn add(&mut self, units: i128, row: u64) {
        self.add_rows(1, units, row);
    }

    /// Counts one item of several rows.
    #[inline]
    pub fn add_rows(&mut self, rows: u64, units: i128, row: u64) {
        self.count += 1;
        self.rows += rows;
        self.units += units;
        self.first_row = self.first_row.min(row);
    }

    /// Counts rows whose number and sum are known, but not their positions.
    #[inline]
    pub fn add_many(&mut self, rows: u64, units: i128) {
        self.count += rows;
        self.rows += rows;
        self.units += units;
    }

    /// Adds another tally, whose rows follow `rows_before` earlier rows.
    pub fn merge(&mut self, other: &Self, rows_before: u64) {
        self.count += other.count;
        self.rows += other.rows;
        self.units += other.units;
        self.first_row = self.first_row.min(other.first_row.saturating_add(rows_before));
    }
}

/// Whether an entry describes excluded data or data in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// Its money is not in the result.
    LeftOut,
    /// Its money is in the result, or in another entry.
    Note,
}

/// What an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportUnit {
    /// Rows of the input.
    Rows,
    /// Orders.
    Orders,
    /// Customers.
    Customers,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportEntry {
    /// The name of the entry; every entry is present, with a count of 0 if nothing was counted.
    pub name: Cow<'static, str>,
    /// Excluded data, or a note.
    pub kind: EntryKind,
    /// The unit of `count`.
    pub unit: ReportUnit,
    /// Number of counted items.
    pub count: u64,
    /// Input rows of these items.
    pub rows: u64,
    /// Sum of money; `None` without an amount.
    pub sum: Option<Amount>,
    /// The first row, counted from 0 over the whole input.
    pub first_row: Option<u64>,
}

impl ReportEntry {
    /// The entry for a tally.
    pub fn new(name: &'static str, kind: EntryKind, unit: ReportUnit, tally: &Tally, money: Option<Money>) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind,
            unit,
            count: tally.count,
            rows: tally.rows,
            sum: money.map(|money| Amount { units: tally.units, money }),
            first_row: (tally.first_row != u64::MAX).then_some(tally.first_row),
        }
    }
}

/// The report of one result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The entries, in a fixed order.
    pub entries: Vec<ReportEntry>,
    /// Number of input rows.
    pub n_rows: u64,
    /// The reference day of the result.
    pub as_of: Option<i32>,
    /// Remarks: the zone used, segments that do not occur, empty bins.
    pub remarks: Vec<String>,
}

impl Report {
    /// Adds the report of other customers.
    pub fn join(&mut self, other: &Self) {
        for more in &other.entries {
            let Some(entry) = self.entries.iter_mut().find(|entry| entry.name == more.name) else {
                self.entries.push(more.clone());
                continue;
            };
            entry.count += more.count;
            entry.rows += more.rows;
            if let (Some(sum), Some(more)) = (&mut entry.sum, more.sum) {
                sum.units += more.units;
            }
            entry.first_row = [entry.first_row, more.first_row].into_iter().flatten().min();
        }
    }
}
