//! Customers and money of each stage at several dates, and the moves from date to date.
//!
//! What was known on a past day are the day records up to that day, unless orders wait for lines: then one pass over the records
//! serves all dates. Otherwise the base is looked at as of each date.

use super::prospects::Prospects;
use super::rhythm::OwnGaps;
use super::stages::{Rules, STAGES, Stage};
use super::standings::{standings, view_of};
use crate::analysis::moves::{MoveCounts, NO_SEGMENT, by_code};
use crate::analysis::purchase_days::{Buyer, fold_buyers};
use crate::base::CustomerBase;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::Report;

/// Customers and money in units of each stage.
pub(super) type StageSums = [(u64, i128); STAGES];

/// The course of customers through the stages.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// Of each date.
    pub sums: Vec<StageSums>,
    /// From each date to the next.
    pub moves: Vec<MoveCounts>,
    /// Listed prospects who are buyers by each date.
    listed: Vec<u64>,
}

/// One thread's part of a course.
struct Walk {
    course: Course,
    gaps: OwnGaps,
}

impl Course {
    fn new(dates: usize) -> Self {
        let moves = vec![MoveCounts::new(STAGES); dates.saturating_sub(1)];
        Self { sums: vec![StageSums::default(); dates], moves, listed: vec![0; dates] }
    }

    fn merge(&mut self, other: &Self) {
        for (own, more) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            *own = (own.0 + more.0, own.1 + more.1);
        }
        self.moves.iter_mut().zip(&other.moves).for_each(|(own, more)| own.merge(more));
        self.listed.iter_mut().zip(&other.listed).for_each(|(own, more)| *own += more);
    }

    fn count(&mut self, date: usize, stage: Stage, units: i128, is_listed: bool) {
        let sum = &mut self.sums[date][stage as usize];
        *sum = (sum.0 + 1, sum.1 + units);
        self.listed[date] += u64::from(is_listed);
    }
}

impl Walk {
    /// Adds a customer at all dates.
    fn add(&mut self, rules: &Rules, dates: &[i32], buyer: &Buyer<'_>, is_listed: bool) {
        let prior = rules.windows.prior();
        let (mut bought, mut orders, mut seen, mut units) = (0, 0, 0, 0);
        let (mut typical, mut before) = (prior.map_or(0.0, |prior| f64::from(prior.days)), NO_SEGMENT);
        self.gaps.clear();
        for (at, &date) in dates.iter().enumerate() {
            while seen < buyer.all_days.len() && buyer.all_days[seen] <= date {
                units += buyer.all_units[seen];
                seen += 1;
            }
            let bought_before = bought;
            while bought < buyer.days.len() && buyer.days[bought] <= date {
                orders += buyer.orders[bought];
                if prior.is_some() && bought > 0 {
                    self.gaps.push(buyer.days[bought] - buyer.days[bought - 1]);
                }
                bought += 1;
            }
            if bought == 0 {
                continue;
            }
            if let Some(prior) = prior.filter(|_| bought > bought_before) {
                typical = self.gaps.typical(prior);
            }
            let stage = rules.stage_of(date - buyer.days[bought - 1], orders, typical);
            self.course.count(at, stage, units, is_listed);
            if at > 0 {
                self.course.moves[at - 1].add_one(before, stage as u16, units);
            }
            before = stage as u16;
        }
    }
}

/// The course of the customers of a base at ascending days. Listed prospects are counted as long as they have no purchase. The report
/// is that of the last day.
pub(super) fn course(
    base: &CustomerBase,
    dates: &[i32],
    rules: &Rules,
    prospects: Option<&Prospects>,
    context: &Context,
) -> Result<(Course, Report)> {
    let (mut whole, mut report) = (Course::new(dates.len()), None::<Report>);
    base.by_ranges(context, |part| {
        let (more, found) = if part.days_are_final() {
            in_one_pass(part, dates, rules, prospects, context)?
        } else {
            by_date(part, dates, rules, prospects, context)?
        };
        whole.merge(&more);
        match &mut report {
            None => report = Some(found),
            Some(report) => report.join(&found),
        }
        Ok(())
    })?;
    if let Some(prospects) = prospects {
        for (sums, buyers) in whole.sums.iter_mut().zip(&whole.listed) {
            sums[Stage::Prospect as usize].0 = prospects.len() as u64 - buyers;
        }
    }
    Ok((whole, report.unwrap_or_default()))
}

fn in_one_pass(
    part: &CustomerBase,
    dates: &[i32],
    rules: &Rules,
    prospects: Option<&Prospects>,
    context: &Context,
) -> Result<(Course, Report)> {
    let view = part.view_with_days(dates.last().copied(), context)?;
    let listed = prospects.map_or_else(Vec::new, |prospects| prospects.listed(&view));
    let new = || Walk { course: Course::new(dates.len()), gaps: OwnGaps::default() };
    let parts = fold_buyers(&view, context, new, |walk, buyer| {
        walk.add(rules, dates, buyer, listed.get(buyer.code as usize).copied().unwrap_or(false));
    })?;
    let mut whole = Course::new(dates.len());
    parts.iter().for_each(|walk| whole.merge(&walk.course));
    Ok((whole, view.report()))
}

fn by_date(
    part: &CustomerBase,
    dates: &[i32],
    rules: &Rules,
    prospects: Option<&Prospects>,
    context: &Context,
) -> Result<(Course, Report)> {
    let (mut course, mut before, mut report) = (Course::new(dates.len()), Vec::new(), Report::default());
    for (at, &date) in dates.iter().enumerate() {
        context.check()?;
        let view = view_of(part, Some(date), context)?;
        let listed = prospects.map_or_else(Vec::new, |prospects| prospects.listed(&view));
        let buyers = standings(&view, rules, context)?;
        for buyer in &buyers {
            course.count(at, buyer.standing.stage, buyer.units, listed.get(buyer.code as usize).copied().unwrap_or(false));
        }
        let codes: Vec<u32> = buyers.iter().map(|buyer| buyer.code).collect();
        let stages: Vec<u16> = buyers.iter().map(|buyer| buyer.standing.stage as u16).collect();
        if let Some(moves) = at.checked_sub(1).map(|step| &mut course.moves[step]) {
            let units: Vec<i128> = buyers.iter().map(|buyer| buyer.units).collect();
            moves.add(&before, &codes, &stages, &units);
        }
        before = by_code(&codes, &stages, view.customers());
        report = view.report();
    }
    Ok((course, report))
}
