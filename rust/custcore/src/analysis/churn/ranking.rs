//! How well a score ranks customers who churned above those who did not. Equal scores are one group, and all measures are sums over
//! groups, so the order of customers does not matter. Only where a cut goes through a group, ids decide.

use crate::error::Result;
use crate::exec::context::Context;

/// Customers of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Group {
    /// The score.
    pub score: f64,
    /// Number of customers.
    pub customers: u64,
    /// How many of them churned.
    pub churned: u64,
}

/// Customers ranked by a score.
#[derive(Debug)]
pub(super) struct Ranking {
    /// Score and label of each customer, ascending by id.
    keys: Vec<u64>,
    /// Groups by descending score.
    groups: Vec<Group>,
    customers: u64,
    churned: u64,
}

/// The customers that a cut flags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flagged {
    /// The score of the last one; `None` if nobody is flagged.
    pub threshold: Option<f64>,
    /// Number of customers.
    pub customers: u64,
    /// How many of them churned.
    pub churned: u64,
}

impl Ranking {
    /// Ranks customers by their [`super::scored::Scored::keys`].
    pub(super) fn new(keys: Vec<u64>, context: &Context) -> Result<Self> {
        let mut sorted = keys.clone();
        context.run_if_large(keys.len(), |threads| threads.par_sort_unstable_by(&mut sorted, |a, b| b.cmp(a)))?;
        let mut groups: Vec<Group> = Vec::new();
        for same in sorted.chunk_by(|a, b| a >> 1 == b >> 1) {
            let churned = same.iter().map(|key| key & 1).sum();
            groups.push(Group { score: f64::from_bits(same[0] >> 1), customers: same.len() as u64, churned });
        }
        let customers = keys.len() as u64;
        let churned = groups.iter().map(|group| group.churned).sum();
        Ok(Self { keys, groups, customers, churned })
    }

    /// Number of customers.
    pub(super) fn customers(&self) -> u64 {
        self.customers
    }

    /// How many of them churned.
    pub(super) fn churned(&self) -> u64 {
        self.churned
    }

    /// The groups by descending score.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The probability that a customer who churned has a higher score than one who did not, plus half of that of equal scores; `None`
    /// if all churned or nobody did.
    pub(super) fn auc(&self) -> Option<f64> {
        let stayed = self.customers - self.churned;
        let pairs = u128::from(self.churned) * u128::from(stayed);
        let (mut below, mut halves) = (u128::from(stayed), 0);
        for group in &self.groups {
            let equal = u128::from(group.customers - group.churned);
            below -= equal;
            halves += u128::from(group.churned) * (2 * below + equal);
        }
        (pairs > 0).then(|| halves as f64 / (2 * pairs) as f64)
    }

    /// The mean precision over recall; a group is one step. `None` if nobody churned.
    pub(super) fn average_precision(&self) -> Option<f64> {
        let (mut flagged, mut found, mut sum) = (0, 0, 0.0);
        for group in &self.groups {
            flagged += group.customers;
            found += group.churned;
            sum += group.churned as f64 * (found as f64 / flagged as f64);
        }
        (self.churned > 0).then(|| sum / self.churned as f64)
    }

    /// The mean squared difference of the score from the label; `None` without customers.
    pub(super) fn brier(&self) -> Option<f64> {
        let square = |group: &Group| {
            let stayed = (group.customers - group.churned) as f64;
            group.churned as f64 * (1.0 - group.score).powi(2) + stayed * group.score.powi(2)
        };
        (self.customers > 0).then(|| self.groups.iter().map(square).sum::<f64>() / self.customers as f64)
    }

    /// The `number` customers with the highest scores; of equal ones those with the lowest ids.
    pub(super) fn highest(&self, number: u64) -> Flagged {
        let mut flagged = Flagged { threshold: None, customers: 0, churned: 0 };
        for group in &self.groups {
            let left = number - flagged.customers;
            if left == 0 {
                break;
            }
            flagged.threshold = Some(group.score);
            flagged.customers += left.min(group.customers);
            flagged.churned += self.churned_of_first(group, left);
        }
        flagged
    }

    /// The customers with a score of at least `threshold`.
    pub(super) fn at_least(&self, threshold: f64) -> Flagged {
        let above = self.groups.iter().take_while(|group| group.score >= threshold);
        let (customers, churned) = above.fold((0, 0), |(customers, churned), group| (customers + group.customers, churned + group.churned));
        Flagged { threshold: Some(threshold), customers, churned }
    }

    /// How many of the first `number` customers of a group, by ascending id, churned.
    pub(super) fn churned_of_first(&self, group: &Group, number: u64) -> u64 {
        if number >= group.customers {
            return group.churned;
        }
        let score = group.score.to_bits();
        self.keys.iter().filter(|&&key| key >> 1 == score).take(number as usize).map(|key| key & 1).sum()
    }
}

/// The number of customers in the first `share`: ceil(share * customers), by the rule that the n-th customer is in it if
/// (n - 1) / customers is less than the share.
pub(super) fn number_of(share: f64, customers: u64) -> u64 {
    let is_in = |before: u64| before < customers && (before as f64 / customers as f64) < share;
    let mut number = ((share * customers as f64).ceil() as u64).min(customers);
    while number > 0 && !is_in(number - 1) {
        number -= 1;
    }
    while is_in(number) {
        number += 1;
    }
    number
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A ranking of (score, churned), ascending by id.
    pub(crate) fn ranking(customers: &[(f64, bool)]) -> Result<Ranking> {
        let keys = customers.iter().map(|(score, churned)| score.to_bits() << 1 | u64::from(*churned)).collect();
        Ranking::new(keys, &Context::new(1))
    }

    #[test]
    fn measures_by_hand() -> Result<()> {
        let ranking = ranking(&[(0.5, true), (0.9, true), (0.5, false), (0.1, false), (0.5, true)])?;
        let groups: Vec<_> = ranking.groups().iter().map(|group| (group.score, group.customers, group.churned)).collect();
        assert_eq!(groups, [(0.9, 1, 1), (0.5, 3, 2), (0.1, 1, 0)]);
        // 6 pairs: .9 is above both, each .5 is above .1 and equal to one.
        assert_eq!(ranking.auc(), Some(5.0 / 6.0));
        assert_eq!(ranking.average_precision(), Some((1.0 + 2.0 * 0.75) / 3.0));
        let brier = (0.01 + 3.0 * 0.25 + 0.01) / 5.0;
        assert!(ranking.brier().is_some_and(|found| (found - brier).abs() < 1e-15));
        Ok(())
    }

    #[test]
    fn the_lowest_ids_of_equal_scores_are_flagged() -> Result<()> {
        let ranking = ranking(&[(0.5, true), (0.9, true), (0.5, false), (0.1, false), (0.5, true)])?;
        let found: Vec<_> = (0..=5).map(|number| ranking.highest(number)).map(|f| (f.threshold, f.customers, f.churned)).collect();
        let expected = [(None, 0, 0), (Some(0.9), 1, 1), (Some(0.5), 2, 2), (Some(0.5), 3, 2), (Some(0.5), 4, 3), (Some(0.1), 5, 3)];
        assert_eq!(found, expected);
        assert_eq!(ranking.at_least(0.5), Flagged { threshold: Some(0.5), customers: 4, churned: 3 });
        assert_eq!(ranking.at_least(2.0).customers, 0);
        Ok(())
    }

    #[test]
    fn nobody_and_everybody() -> Result<()> {
        let none = ranking(&[])?;
        assert_eq!((none.auc(), none.average_precision(), none.brier()), (None, None, None));
        let all = ranking(&[(1.0, true), (2.0, true)])?;
        assert_eq!((all.auc(), all.average_precision()), (None, Some(1.0)));
        assert_eq!(ranking(&[(1.0, false)])?.average_precision(), None);
        Ok(())
    }

    #[test]
    fn shares_are_numbers_of_customers() {
        assert_eq!((number_of(0.07, 100), number_of(0.1, 30), number_of(0.05, 8_060), number_of(0.05, 8_061)), (7, 3, 403, 404));
        assert_eq!((number_of(1.0, 7), number_of(1e-9, 7), number_of(0.5, 0)), (7, 1, 0));
        for customers in 1..200_u64 {
            for percent in 1..=100_u64 {
                assert_eq!(number_of(percent as f64 / 100.0, customers), (percent * customers).div_ceil(100), "{percent} % of {customers}");
            }
        }
    }
}
