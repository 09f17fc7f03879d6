//! Settings of the RFM scorer.

use serde::{Deserialize, Serialize};

use super::octants::{OctantCenter, OctantLanguage};
use super::segments::SegmentMap;
use crate::analysis::score::spec::ScoreSpec;

/// Definition of frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Number of orders.
    #[default]
    Orders,
    /// Number of distinct purchase days.
    Days,
    /// Number of purchase rows.
    Rows,
}

/// Definition of monetary value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monetary {
    /// Sum of all orders.
    #[default]
    Total,
    /// Mean per order.
    Mean,
}

/// Segmentation of customers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segments {
    /// `rf10` if R and F have 5 bins, otherwise none.
    #[default]
    Auto,
    /// No segments.
    Off,
    /// A segment map.
    Map(SegmentMap),
    /// Octants: values above or below their centres.
    Octants(OctantCenter, OctantLanguage),
}

/// Settings of an RFM scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RfmSpec {
    /// Bins of R, F and M, 2 to 100.
    pub bins: [u8; 3],
    /// User-defined cuts for R, F and M; they replace the bins.
    pub cuts: [Option<Vec<f64>>; 3],
    /// Settings of ties, nesting, groups and edges; the dimensions are set by the scorer.
    pub score: ScoreSpec,
    /// Weights of R, F and M in `rfm_total`.
    pub weights: [f64; 3],
    /// Definition of frequency.
    pub frequency: Frequency,
    /// Definition of monetary value.
    pub monetary: Monetary,
    /// Segmentation.
    pub segments: Segments,
}

impl Default for RfmSpec {
    fn default() -> Self {
        Self {
            bins: [5; 3],
            cuts: [None, None, None],
            score: ScoreSpec::default(),
            weights: [100.0, 10.0, 1.0],
            frequency: Frequency::default(),
            monetary: Monetary::default(),
            segments: Segments::default(),
        }
    }
}
