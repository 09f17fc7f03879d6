//! Serialization of churn models: settings, and the gaps of each stratum as integers.

use serde::{Deserialize, Serialize};

use super::model::ChurnModel;
use super::spec::ChurnSpec;
use crate::analysis::model::StoredModel;
use crate::analysis::survival::DurationCounts;
use crate::error::{Error, ErrorKind, Result};

/// Serialized form of a churn model. Curves and probabilities are derived from the gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChurnState {
    horizon: i32,
    strata: Vec<u32>,
    min_at_risk: u64,
    as_of: i32,
    /// By stratum: length in days, gaps at risk, gaps that ended.
    gaps: Vec<Vec<(i32, u64, u64)>>,
}

impl StoredModel for ChurnModel {
    const KIND: &'static str = "churn_model";
    type Body = ChurnState;

    fn body(&self) -> ChurnState {
        let ChurnSpec { horizon, strata, min_at_risk } = self.spec().clone();
        let rows =
            |curve: &super::model::StratumCurve| curve.curve.0.iter().map(|point| (point.days, point.at_risk, point.ended)).collect();
        ChurnState { horizon, strata, min_at_risk, as_of: self.as_of(), gaps: self.strata().iter().map(rows).collect() }
    }

    fn restore(body: ChurnState) -> Result<Self> {
        let ChurnState { horizon, strata, min_at_risk, as_of, gaps } = body;
        let spec = ChurnSpec { horizon, strata, min_at_risk }.checked()?;
        let invalid = || Error::new(ErrorKind::ModelFormat, "the gaps of the churn model are inconsistent");
        if gaps.len() != spec.strata.len() {
            return Err(invalid());
        }
        let gaps = gaps.iter().map(|rows| counts(rows).ok_or_else(invalid)).collect::<Result<Vec<_>>>()?;
        Self::of_gaps(spec, as_of, gaps)
    }
}

/// The durations of the rows of a curve; `None` if these are of no durations.
fn counts(rows: &[(i32, u64, u64)]) -> Option<DurationCounts> {
    let mut counts = DurationCounts::default();
    let mut before = 0;
    for (row, &(days, at_risk, ended)) in rows.iter().enumerate() {
        let next = rows.get(row + 1).map_or(0, |&(_, at_risk, _)| at_risk);
        let open = at_risk.checked_sub(ended)?.checked_sub(next)?;
        if days <= before || ended + open == 0 || at_risk > u64::from(u32::MAX) << 16 {
            return None;
        }
        counts.add_ended(days, ended);
        counts.add_open(days, open);
        before = days;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::model::{from_bytes, to_bytes};

    #[test]
    fn a_model_round_trips() -> Result<()> {
        let spec = ChurnSpec { horizon: 10, strata: vec![1, 2], min_at_risk: 1 };
        let mut gaps = vec![DurationCounts::default(); 2];
        gaps[0].add_ended(3, 2);
        gaps[0].add_open(3, 1);
        gaps[1].add_open(20_000, 7);
        let model = ChurnModel::of_gaps(spec, 100, gaps)?;
        let bytes = to_bytes(&model)?;
        let back: ChurnModel = from_bytes(&bytes)?;
        assert_eq!(back, model);
        assert_eq!(to_bytes(&back)?, bytes);
        Ok(())
    }

    #[test]
    fn inconsistent_gaps_are_refused() {
        assert!(counts(&[(1, 5, 2), (3, 3, 1)]).is_some());
        for rows in
            [&[(0, 5, 2)][..], &[(1, 5, 6)], &[(1, 5, 2), (3, 4, 1)], &[(3, 5, 2), (3, 3, 1)], &[(3, 5, 0), (4, 5, 1)], &[(1, u64::MAX, 1)]]
        {
            assert!(counts(rows).is_none(), "{rows:?}");
        }
    }
}
