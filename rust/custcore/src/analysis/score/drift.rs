//! Population drift since the fit: the population stability index (PSI) of each dimension.
//!
//! The bins are those of the fitted scorer. Each bin contributes (a - e) * ln(a / e), where e is the expected proportion of
//! customers (at the fit) and a the actual proportion (now), each floored at 1e-4.

use arrow_array::RecordBatch;

use super::scorer::{FittedDimension, Scorer};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;

/// Lower bound on proportions, so that an empty bin does not make the index infinite.
const FLOOR: f64 = 1e-4;

/// Customers per score of one dimension, starting at score 1, at the fit and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopulationDrift {
    /// The name of the dimension.
    pub dimension: String,
    /// Customers per score at the fit.
    pub fitted: Vec<u64>,
    /// Customers per score now.
    pub now: Vec<u64>,
}

impl PopulationDrift {
    /// The proportion of customers per score, at the fit and now, without the floor.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64)> {
        let (fitted, now) = (self.fitted.iter().sum::<u64>() as f64, self.now.iter().sum::<u64>() as f64);
        self.fitted.iter().zip(&self.now).map(move |(&f, &n)| (f as f64 / fitted, n as f64 / now))
    }
}

/// The contribution of a score with these proportions to the index.
pub(crate) fn psi(fitted: f64, now: f64) -> f64 {
    let (fitted, now) = (fitted.max(FLOOR), now.max(FLOOR));
    (now - fitted) * (now / fitted).ln()
}

/// Customers per score of each dimension, summed over groups and nested cells. Null values are ignored.
pub fn population_drift(scorer: &Scorer, batches: &[RecordBatch], context: &Context) -> Result<Vec<PopulationDrift>> {
    let start = |fitted: &FittedDimension| {
        let mut expected = vec![0; usize::from(fitted.dimension.bins)];
        for binner in fitted.binners.iter().flatten() {
            expected.iter_mut().zip(&binner.counts).for_each(|(sum, count)| *sum += count);
        }
        PopulationDrift { dimension: fitted.dimension.name.clone(), now: vec![0; expected.len()], fitted: expected }
    };
    let mut drifts: Vec<PopulationDrift> = scorer.fitted.iter().map(start).collect();
    let mut rows_before = 0;
    for batch in batches {
        context.check()?;
        let count = |threads: Threads<'_>| -> Result<_> {
            Ok(scorer.score(batch, threads)?.iter().map(|scores| count_scores(scores, threads)).collect::<Vec<_>>())
        };
        let counts = context.run_if_large(batch.num_rows(), count)?.map_err(|error| error.counted_from(rows_before))?;
        rows_before += batch.num_rows() as u64;
        for (drift, counts) in drifts.iter_mut().zip(counts) {
            drift.now.iter_mut().zip(&counts[1..]).for_each(|(sum, count)| *sum += count);
        }
    }
    for (drift, fitted) in drifts.iter().zip(&scorer.fitted) {
        if drift.now.iter().all(|&count| count == 0) {
            let column = &fitted.dimension.column;
            let message = format!("column '{column}' has no value in the table; there are no customers to compare with the fit");
            return Err(Error::new(ErrorKind::NotEnoughData, message).in_column(column));
        }
    }
    Ok(drifts)
}

/// The number of rows per score; index 0 counts rows without a score.
fn count_scores(scores: &[u8], threads: Threads<'_>) -> [u64; 256] {
    let mut counts = [0; 256];
    let runs = threads.par_chunks(scores.len(), |run| {
        let mut counts = [0_u64; 256];
        scores[run].iter().for_each(|&score| counts[usize::from(score)] += 1);
        counts
    });
    for run in runs {
        counts.iter_mut().zip(&run).for_each(|(sum, count)| *sum += count);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_hand_computed_psi() {
        // Proportions 1/2, 1/2 at the fit and 1/4, 3/4 now: (0.25 - 0.5) ln 0.5 + (0.75 - 0.5) ln 1.5.
        let drift = PopulationDrift { dimension: String::new(), fitted: vec![2, 2], now: vec![1, 3] };
        let total: f64 = drift.shares().map(|(fitted, now)| psi(fitted, now)).sum();
        assert!((total - (0.25 * 2_f64.ln() + 0.25 * 1.5_f64.ln())).abs() < 1e-15);
        // An empty bin is floored at 1e-4.
        assert!((psi(0.5, 0.0) - (1e-4 - 0.5) * 2e-4_f64.ln()).abs() < 1e-15);
    }
}
