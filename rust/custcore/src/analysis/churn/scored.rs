//! The customers of a back-test as of one date, with what their scores are made of and whether they churned: compact columns, in the
//! order of ids.

use super::histories::{History, fold_dates};
use super::model::ChurnModel;
use super::spec::{Population, ScoreName};
use crate::analysis::lifecycle::rhythm::Prior;
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
        let order: Vec<usize> = codes.iter().map(|&code| rows[code as usize]).filter(|&row| row != NO_ROW).map(|row| row as usize).collect();
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
        let add = |(rows, gaps): &mut (Scored, Vec<i32>), at: usize, history: &History<'_>| add_row(rows, gaps, &scorings[at], history);
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

fn add_row(rows: &mut Scored, gaps: &mut Vec<i32>, scoring: &Scoring<'_>, history: &History<'_>) {
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
        rows.overdue.push(overdue(gap, history.days, gaps, prior));
    }
}

/// The gap over the typical gap: the median of the customer's own gaps, weighted with that of all customers. Both sides of the quotient
/// are exact, so equal ones are equal.
fn overdue(gap: i32, days: &[i32], gaps: &mut Vec<i32>, prior: Prior) -> f64 {
    gaps.clear();
    gaps.extend(days.windows(2).map(|pair| pair[1] - pair[0]));
    let n = gaps.len();
    let mut twice_the_median = 0;
    if n > 0 {
        let (below, &mut upper, _) = gaps.select_nth_unstable(n / 2);
        let lower = if n.is_multiple_of(2) { below.iter().copied().max().unwrap_or(upper) } else { upper };
        twice_the_median = i64::from(lower) + i64::from(upper);
    }
    let (n, prior_gaps) = (n as i64, prior.gaps as i64);
    (2 * (n + prior_gaps) * i64::from(gap)) as f64 / (n * twice_the_median + 2 * prior_gaps * i64::from(prior.days)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_gaps_by_hand() {
        let prior = Prior { days: 10, gaps: 3 };
        let of = |days: &[i32]| 24.0 / overdue(24, days, &mut Vec::new(), prior);
        assert_eq!((of(&[7]), of(&[0, 2]), of(&[0, 1, 6])), (10.0, 8.0, 36.0 / 5.0));
        assert_eq!(of(&[0, 9, 10, 13]), 39.0 / 6.0);
    }
}
