//! Settings of churn models and of their back-test.

use crate::error::{Error, ErrorKind, Result};
use crate::state::spec::AsOf;

/// The largest number of strata.
const MOST_STRATA: usize = 200;

/// Settings of a churn model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChurnSpec {
    /// Days ahead: a customer without a purchase in them has churned.
    pub horizon: i32,
    /// The least number of purchase days of each stratum, ascending from 1.
    pub strata: Vec<u32>,
    /// A curve is used up to the last length at which a gap ended while so many were at risk.
    pub min_at_risk: u64,
}

/// A score that a back-test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreName {
    /// The churn probability of the model.
    Probability,
    /// Days since the last purchase.
    Recency,
    /// Days since the last purchase over the typical gap of the customer.
    Overdue,
}

/// Whom a back-test scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Population {
    /// Buyers whose gap is within the loss window fitted at the date.
    AtStake,
    /// All buyers.
    All,
}

/// Settings of a back-test.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestSpec {
    /// Settings of the models, one for each date.
    pub model: ChurnSpec,
    /// The dates, ascending; `None` for `n_dates` of them, each a horizon before the next, the last one a horizon before the last day.
    pub dates: Option<Vec<AsOf>>,
    /// Number of dates.
    pub n_dates: usize,
    /// The scores; recency is added to them.
    pub scores: Vec<ScoreName>,
    /// Whom they score.
    pub among: Population,
    /// Shares of customers to flag.
    pub shares: Vec<f64>,
    /// Scores from which on customers are flagged instead.
    pub thresholds: Vec<(ScoreName, Vec<f64>)>,
}

impl ScoreName {
    /// All scores.
    pub const ALL: [Self; 3] = [Self::Probability, Self::Recency, Self::Overdue];

    /// Name in arguments and results.
    pub fn word(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::Recency => "recency",
            Self::Overdue => "overdue",
        }
    }
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidArgument, message))
}

impl ChurnSpec {
    /// The settings, or an error that names the invalid one.
    pub fn checked(self) -> Result<Self> {
        if self.horizon < 1 {
            return invalid(format!("horizon={} is invalid; expected a number of days, 1 or more", self.horizon));
        }
        if self.min_at_risk < 1 {
            return invalid(format!("min_at_risk={} is invalid; expected 1 or more", self.min_at_risk));
        }
        let strata = &self.strata;
        if strata.first() != Some(&1) || strata.windows(2).any(|pair| pair[0] >= pair[1]) {
            return invalid(format!(
                "strata={strata:?} is invalid; expected the least number of purchase days of each stratum, ascending from 1, such as \
                 [1, 2, 3, 5, 10]"
            ));
        }
        if strata.len() > MOST_STRATA {
            return invalid(format!("strata has {} strata; the maximum is {MOST_STRATA}", strata.len()));
        }
        Ok(self)
    }

    /// The stratum of a number of purchase days, counted from 0.
    #[inline]
    pub(super) fn stratum(&self, n_days: usize) -> usize {
        self.strata.iter().rposition(|&least| least as usize <= n_days).unwrap_or(0)
    }
}

impl BacktestSpec {
    /// The settings, or an error that names the invalid one.
    pub(super) fn checked(mut self) -> Result<Self> {
        self.model = self.model.checked()?;
        if self.n_dates < 1 {
            return invalid("n_dates=0 is invalid; expected 1 or more".to_owned());
        }
        if let Some(share) = self.shares.iter().find(|&&share| !(share > 0.0 && share <= 1.0)) {
            return invalid(format!("shares has {share}; expected shares of the customers, above 0 and at most 1"));
        }
        if let Some(threshold) = self.thresholds.iter().flat_map(|(_, thresholds)| thresholds).find(|threshold| !threshold.is_finite()) {
            return invalid(format!("thresholds has {threshold}; expected finite scores"));
        }
        let mut scores: Vec<ScoreName> = Vec::new();
        for &score in &self.scores {
            if scores.contains(&score) {
                return invalid(format!("scores has '{}' twice; pass each score once", score.word()));
            }
            scores.push(score);
        }
        // The baseline.
        if !scores.contains(&ScoreName::Recency) {
            scores.push(ScoreName::Recency);
        }
        if let Some((score, _)) = self.thresholds.iter().find(|(score, _)| !scores.contains(score)) {
            return invalid(format!("thresholds has '{}', which is not among scores; add it there", score.word()));
        }
        self.scores = scores;
        Ok(self)
    }

    /// Whether customers are scored by their own rhythm.
    pub(super) fn reads_gaps(&self) -> bool {
        self.scores.contains(&ScoreName::Overdue)
    }
}
