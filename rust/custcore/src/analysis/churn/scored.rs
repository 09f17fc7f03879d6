//! The customers of a back-test as of one date, with what their scores are made of and whether they churned: compact columns, in the
//! order of ids.

use super::histories::{History, fold_dates};
use super::model::ChurnModel;
use super::spec::{Population, ScoreName};
use crate::analysis::lifecycle::rhythm::{OwnGaps, Prior};
use crate::base::CustomerBase;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;

/// Marks a code without a row.
const NO_ROW: u32 = u32::MAX;

/// What is scored at a date, and with what.
#[derive(Debug)]
pub(super) struct Scoring<'a> {
    /// The date.
    pub date: i32,
    /// The model fitted at the date.
    pub model: &'a ChurnModel,
    /// Customers with a longer gap are left out.
    pub longest: i32,
    /// The typical gap of all customers, if customers are scored by theirs.
    pub prior: Option<Prior>,
}

/// Customers by row.
#[derive(Debug, Default)]
pub(super) struct Scored {
    codes: Vec<u32>,
    gaps: Vec<i32>,
    strata: Vec<u8>,
    churned: Vec<bool>,
    /// Gap over the typical gap, if it is asked for.
    overdue: Vec<f64>,
}

impl Scored {
    /// Number of customers.
    pub(super) fn len(&self) -> usize {
        self.gaps.len()
    }

    /// A score and the label of each customer, as a number: the larger the score, the larger the number; the label is the lowest bit.
    pub(super) fn keys(&self, score: ScoreName, model: &ChurnModel, threads: Threads<'_>) -> Vec<u64> {
        threads.par_map(self.len(), |row| {
            let score = match score {
                ScoreName::Probability => model.probability(usize::from(self.strata[row]), self.gaps[row]),
                ScoreName::Recency => f64::from(self.gaps[row]),
                ScoreName::Overdue => self.overdue[row],
            };
            // The bits of floats that are not negative are in the order of their values, and the highest one is 0.
            score.to_bits() << 1 | u64::from(self.churned[row])
        })
    }

    fn append(&mut self, other: Self) {
        self.codes.extend(other.codes);
        self.gaps.extend(other.gaps);
        self.strata.extend(other.strata);
        self.churned.extend(other.churned);
        self.overdue.extend(other.overdue);
    }

    /// The rows of these codes, in their order.
    fn in_order(&self, codes: &[u32], customers: usize) -> Self {
        let mut rows = vec![NO_ROW; customers];
        for (row, &code) in (0..).zip(&self.codes) {
            rows[code as usize] = row;
        }
        let order: Vec<usize> =
            codes.iter().map(|&code| rows[code as usize]).filter(|&row| row != NO_ROW).map(|row| row as usize).collect();
        Self {
            codes: Vec::new(),
            gaps: order.iter().map(|&row| self.gaps[row]).collect(),
            strata: order.iter().map(|&row| self.strata[row]).collect(),
            churned: order.iter().map(|&row| self.churned[row]).collect(),
            overdue: if self.overdue.is_empty() { Vec::new() } else { order.iter().map(|&row| self.overdue[row]).collect() },
        }
    }
}

/// The largest gap of a population.
pub(super) fn longest(among: Population, model: &ChurnModel) -> Result<i32> {
    match among {
        Population::AtStake => model.loss_days(),
        Population::All => Ok(i32::MAX),
    }
}

/// The customers of each date, in the order of ids.
pub(super) fn score_dates(base: &CustomerBase, scorings: &[Scoring<'_>], context: &Context) -> Result<Vec<Scored>> {
    let dates: Vec<i32> = scorings.iter().map(|scoring| scoring.date).collect();
    let mut scored: Vec<Scored> = dates.iter().map(|_| Scored::default()).collect();
    base.by_ranges(context, |part| {
        let add = |(rows, gaps): &mut (Scored, OwnGaps), at: usize, history: &History<'_>| add_row(rows, gaps, &scorings[at], history);
        let parts = fold_dates(part, &dates, context, Default::default, add)?;
        let view = part.view_of_day(None)?;
        let mut order = None;
        for (scored, parts) in scored.iter_mut().zip(parts) {
            let mut rows = Scored::default();
            parts.into_iter().for_each(|(part, _)| rows.append(part));
            if !view.ids_ascend() {
                let codes = match &order {
                    Some(codes) => codes,
                    None => order.insert(view.codes_by_id(context)?),
                };
                rows = rows.in_order(codes, view.customers());
            }
            rows.codes = Vec::new();
            if scored.len() == 0 { *scored = rows } else { scored.append(rows) }
        }
        Ok(())
    })?;
    Ok(scored)
}

fn add_row(rows: &mut Scored, gaps: &mut OwnGaps, scoring: &Scoring<'_>, history: &History<'_>) {
    let Some(&last) = history.days.last() else { return };
    let gap = scoring.date - last;
    if gap > scoring.longest {
        return;
    }
    let spec = scoring.model.spec();
    rows.codes.push(history.code);
    rows.gaps.push(gap);
    rows.strata.push(spec.stratum(history.days.len()) as u8);
    rows.churned.push(history.next.is_none_or(|next| next > scoring.date + spec.horizon));
    if let Some(prior) = scoring.prior {
        gaps.clear();
        history.days.windows(2).for_each(|pair| gaps.push(pair[1] - pair[0]));
        rows.overdue.push(f64::from(gap) / gaps.typical(prior));
    }
}
