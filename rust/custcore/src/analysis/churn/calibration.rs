//! Calibration: whether of the customers with a probability of about p a share of about p churned.

use super::ranking::Ranking;

/// Number of bins.
pub(super) const BINS: u64 = 10;

/// Customers of similar probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// Number of customers.
    pub customers: u64,
    /// How many of them churned.
    pub churned: u64,
    /// The mean of their probabilities; `None` without customers.
    pub predicted: Option<f64>,
}

/// Ten bins by ascending (probability, id), of equal size, the first ones one larger.
pub(super) fn bins(ranking: &Ranking) -> Vec<Bin> {
    let n = ranking.customers();
    let mut groups = ranking.groups().iter().rev().copied();
    let mut group = groups.next();
    // Customers of the group that are in earlier bins, and how many of them churned.
    let (mut taken, mut taken_churned) = (0, 0);
    (0..BINS)
        .map(|bin| {
            let customers = n / BINS + u64::from(bin < n % BINS);
            let (mut left, mut churned, mut sum) = (customers, 0, 0.0);
            while let Some(current) = group.filter(|_| left > 0) {
                let take = left.min(current.customers - taken);
                let with = ranking.churned_of_first(&current, taken + take);
                churned += with - taken_churned;
                sum += take as f64 * current.score;
                left -= take;
                (taken, taken_churned) = (taken + take, with);
                if taken == current.customers {
                    group = groups.next();
                    (taken, taken_churned) = (0, 0);
                }
            }
            Bin { customers, churned, predicted: (customers > 0).then(|| sum / customers as f64) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::churn::ranking::tests::ranking;
    use crate::error::Result;

    #[test]
    fn ids_decide_between_equal_probabilities() -> Result<()> {
        // 12 customers: bins of 2, 2, then ones. Of the probability .5 the ids 1, 3, 5, ... churned.
        let customers: Vec<(f64, bool)> = (0..12).map(|id| (if id == 7 { 0.25 } else { 0.5 }, id % 2 == 1)).collect();
        let bins = bins(&ranking(&customers)?);
        let found: Vec<_> = bins.iter().map(|bin| (bin.customers, bin.churned)).collect();
        // Ascending: 7, 0 | 1, 2 | 3 | 4 | 5 | 6 | 8 | 9 | 10 | 11.
        assert_eq!(found, [(2, 1), (2, 1), (1, 1), (1, 0), (1, 1), (1, 0), (1, 0), (1, 1), (1, 0), (1, 1)]);
        assert_eq!((bins[0].predicted, bins[1].predicted), (Some(0.375), Some(0.5)));
        Ok(())
    }

    #[test]
    fn few_customers_leave_bins_empty() -> Result<()> {
        let bins = bins(&ranking(&[(0.5, true)])?);
        assert_eq!(bins.len(), 10);
        assert_eq!(bins[0], Bin { customers: 1, churned: 1, predicted: Some(0.5) });
        assert_eq!(bins[9], Bin { customers: 0, churned: 0, predicted: None });
        Ok(())
    }
}
