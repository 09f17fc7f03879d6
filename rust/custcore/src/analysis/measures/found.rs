//! Measures by group and period, as they are counted, and the result that tables are built from.

use std::collections::BTreeMap;

use super::grouping::GroupColumn;
use super::kernel::MeasureSums;
use super::labels::Label;
use super::spec::MeasuresSpec;
use crate::analysis::movement::Sums;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::memory::check_room;
use crate::num::money::Money;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::time::calendar::date_text;
use crate::time::period::{Calendar, Period, shown};

/// Most rows of a result.
pub(super) const MOST_ROWS: usize = 50_000_000;
/// Upper bound of the bytes of a row, with its sums.
const ROW_BYTES: u64 = 400;

/// Measures by group and period index.
#[derive(Debug, Default)]
pub(super) struct CountedPeriods {
    groups: BTreeMap<Label, BTreeMap<i64, MeasureSums>>,
    /// Day of the first purchase.
    first_purchase: Option<i32>,
    /// Days of customers that hold purchases and refunds as one sum.
    pub mixed_days: u64,
}

impl CountedPeriods {
    /// Adds rows of groups: `number` periods of each from the index `first` on.
    pub(super) fn add(&mut self, labels: &[Label], sums: Sums<MeasureSums>, (first, number): (i64, usize)) {
        let mut add = |row: usize, more: MeasureSums| {
            if more == MeasureSums::default() {
                return;
            }
            let label = &labels[row / number];
            if !self.groups.contains_key(label) {
                self.groups.insert(label.clone(), BTreeMap::new());
            }
            if let Some(periods) = self.groups.get_mut(label) {
                *periods.entry(first + (row % number) as i64).or_default() += more;
            }
        };
        match sums {
            Sums::Dense(rows) => rows.into_iter().enumerate().for_each(|(row, more)| add(row, more)),
            Sums::Sparse(rows) => rows.into_iter().for_each(|(row, more)| add(row, more)),
        }
    }

    /// Notes the day of a first purchase.
    pub(super) fn note_purchase(&mut self, day: Option<i32>) {
        self.first_purchase = [self.first_purchase, day].into_iter().flatten().min();
    }

    /// The result: all periods from that of the first purchase to that of the last day.
    pub(super) fn finish(
        self,
        spec: &MeasuresSpec,
        (money, column): (Option<Money>, Option<GroupColumn>),
        last_day: Option<i32>,
        mut report: Report,
    ) -> Result<Measures> {
        let ends = self.first_purchase.zip(last_day);
        let (calendar, period) = spec.periods(ends.map_or(0, |(first, _)| first));
        let periods = match ends {
            Some(_) if spec.period.is_none() => 0..1,
            Some((first, last)) => calendar.index(first, period)..calendar.index(last, period) + 1,
            None => 0..0,
        };
        let number = usize::try_from(periods.end - periods.start).unwrap_or(0);
        check_rows(number, self.groups.len(), ends)?;
        let (mut labels, mut rows, mut before) = (Vec::new(), Vec::new(), Tally::default());
        for (label, sums) in self.groups {
            let first = rows.len();
            labels.push(label);
            rows.resize(first + number, MeasureSums::default());
            for (index, sums) in sums {
                if let Some(at) = usize::try_from(index - periods.start).ok().filter(|&at| at < number) {
                    rows[first + at] += sums;
                } else {
                    // Refunds in a period before that of the first purchase of all.
                    before.count += sums.refund_orders as u64;
                    before.units += sums.refunds;
                }
            }
        }
        before.rows = before.count;
        report.entries.push(ReportEntry::new("before_first_period", EntryKind::LeftOut, ReportUnit::Orders, &before, money));
        if self.mixed_days > 0 {
            report.remarks.push(format!(
                "on {} days of customers purchases and refunds are one sum, because an earlier version of custcore stored them: their \
                 refunds lower the gross amount instead of counting as refunds",
                self.mixed_days
            ));
        }
        let first_day = ends.map_or(0, |(first, _)| first);
        Ok(Measures {
            all_time: spec.period.is_none(),
            calendar,
            period,
            first: periods.start,
            number,
            first_day,
            last_day: last_day.unwrap_or(0),
            money,
            column,
            labels,
            rows,
            report,
        })
    }
}

/// An error if there are too many rows, or too many for the memory.
pub(super) fn check_rows(periods: usize, groups: usize, ends: Option<(i32, i32)>) -> Result<()> {
    let rows = periods.saturating_mul(groups);
    let what = || {
        let (first, last) = ends.map_or_else(Default::default, |(first, last)| (date_text(first), date_text(last)));
        format!(
            "the result would have {rows} rows, {periods} periods from {first} to {last} of {groups} groups. If a date is wrong, correct it; \
             otherwise choose a longer period"
        )
    };
    if rows > MOST_ROWS {
        return Err(Error::new(ErrorKind::OutOfRange, format!("{}; at most 50,000,000 are possible", what())));
    }
    check_room(rows as u64 * ROW_BYTES, what)
}

/// Measures of all groups and periods.
#[derive(Debug)]
pub struct Measures {
    pub(super) all_time: bool,
    calendar: Calendar,
    period: Period,
    /// The index of the first period.
    first: i64,
    /// Number of periods.
    pub(super) number: usize,
    first_day: i32,
    last_day: i32,
    pub(super) money: Option<Money>,
    /// The column of groups.
    pub(super) column: Option<GroupColumn>,
    /// The groups in order.
    pub(super) labels: Vec<Label>,
    /// The periods of each group in turn.
    pub(super) rows: Vec<MeasureSums>,
    pub(super) report: Report,
}

impl Measures {
    /// The first day of a period; of all time, the day of the first purchase.
    pub(super) fn start(&self, period: usize) -> i32 {
        match (self.all_time, period) {
            (true, 0) => self.first_day,
            (true, _) => shown(i64::from(self.last_day) + 1),
            _ => shown(self.calendar.start(self.first + period as i64, self.period)),
        }
    }

    /// Whether a period is over at the end of the last day.
    pub(super) fn is_complete(&self, period: usize) -> bool {
        self.all_time || self.calendar.start(self.first + period as i64 + 1, self.period) <= i64::from(self.last_day) + 1
    }
}
