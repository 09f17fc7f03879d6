//! The RFM scorer: fits bins on an RFM table, then scores and segments tables and single customers.
//!
//! It wraps [`crate::analysis::score::scorer::Scorer`] with three dimensions (two without amounts). A fitted scorer stores edges
//! in the type of the fitted values, so that `fit_transform`, `transform` and scoring row by row agree exactly.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::octants::Octants;
use super::segments::SegmentMap;
use super::spec::{Frequency, Monetary, RfmSpec, Segments};
use super::value_bounds::{check_one, check_table};
use crate::analysis::score::drift::{PopulationDrift, population_drift};
use crate::analysis::score::scorer::{Scorer, one_batch};
use crate::analysis::score::spec::{Dimension, ScoreSpec};
use crate::column::key::Key;
use crate::column::number::Number;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::table::Table;

/// Segmentation of a fitted scorer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Segmenter {
    /// By RFM cell.
    Map(SegmentMap),
    /// By values.
    Octants(Octants),
}

impl Segmenter {
    /// Segment names in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Map(map) => map.names().iter().map(String::as_str).collect(),
            Self::Octants(octants) => octants.names().to_vec(),
        }
    }
}

/// The scores and the segment of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score<'a> {
    /// R score.
    pub r: u8,
    /// F score.
    pub f: u8,
    /// M score, if fitted with amounts.
    pub m: Option<u8>,
    /// The segment, if the scorer has segments.
    pub segment: Option<&'a str>,
}

/// An RFM scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct RfmScorer {
    pub(super) spec: RfmSpec,
    pub(super) fitted: Option<Fitted>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    pub(super) scorer: Scorer,
    pub(super) segmenter: Option<Segmenter>,
    pub(super) remarks: Vec<String>,
}

impl RfmScorer {
    /// A scorer with these settings.
    pub fn new(mut spec: RfmSpec) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !spec.weights.iter().all(|w| w.is_finite() && *w >= 0.0) || spec.weights.iter().all(|w| *w == 0.0) {
            return invalid(format!("weights={:?} must be finite, not negative and not all 0", spec.weights));
        }
        for (bins, cuts) in spec.bins.iter_mut().zip(&spec.cuts) {
            if let Some(cuts) = cuts {
                *bins = u8::try_from(cuts.len() + 1).unwrap_or(u8::MAX);
            }
        }
        if let Segments::Map(map) = &spec.segments {
            let differs =
                map.bins().iter().zip(&spec.bins).any(|(&map, &bins)| map > 1 && map != bins) || map.bins()[..2] != spec.bins[..2];
            if differs {
                let (map, bins) = (map.bins(), spec.bins);
                return invalid(format!(
                    "the segment map is for bins {map:?}, the scorer has bins {bins:?}; use a map for these bins, or segments=None"
                ));
            }
        }
        let scorer = Self { spec, fitted: None };
        ScoreSpec { dimensions: scorer.dimensions(3), ..scorer.spec.score.clone() }.checked()?;
        Ok(scorer)
    }

    /// The settings.
    pub fn spec(&self) -> &RfmSpec {
        &self.spec
    }

    /// The input columns: recency, frequency, monetary value.
    pub fn columns(&self) -> [&'static str; 3] {
        let frequency = match self.spec.frequency {
            Frequency::Orders => "n_orders",
            Frequency::Days => "n_days",
            Frequency::Rows => "n_rows",
        };
        let monetary = match self.spec.monetary {
            Monetary::Total => "monetary_total",
            Monetary::Mean => "monetary_mean",
        };
        ["recency_days", frequency, monetary]
    }

    /// The columns that are scored, if present, and the column of groups.
    pub fn used_columns(&self) -> Vec<String> {
        ScoreSpec { dimensions: self.dimensions(3), ..self.spec.score.clone() }.used_columns()
    }

    pub(super) fn dimensions(&self, n: usize) -> Vec<Dimension> {
        let names = ["recency", "frequency", "monetary"];
        let dimension = |i: usize| Dimension {
            name: names[i].to_owned(),
            column: self.columns()[i].to_owned(),
            bins: self.spec.bins[i],
            reversed: i == 0,
            cuts: self.spec.cuts[i].clone(),
        };
        (0..n).map(dimension).collect()
    }

    /// Fits the bins on an RFM table; without a monetary column only R and F are fitted. A negative recency and a frequency
    /// below 1 are errors, here and wherever a table or a customer is scored.
    pub fn fit(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let Some(first) = batches.first() else {
            return Err(Error::new(ErrorKind::NotEnoughData, "cannot fit a scorer without a table"));
        };
        check_table(batches, self.columns(), context)?;
        self.fit_scores(batches, self.n_dimensions(&first.schema()), context).map(drop)
    }

    /// Fits the first `n` dimensions and returns the concatenated scores of the batches, whose values are within their bounds.
    pub(super) fn fit_scores(&mut self, batches: &[RecordBatch], n: usize, context: &Context) -> Result<Vec<Vec<u8>>> {
        let spec = ScoreSpec { dimensions: self.dimensions(n), ..self.spec.score.clone() }.checked()?;
        let batch = &one_batch(&spec, batches)?;
        let (scorer, scores) = context.install(|threads| Scorer::fit(&spec, batch, context, threads))??;
        self.fitted = Some(self.with_segments(scorer, |octants| octants.fit(batch, self.columns()))?);
        Ok(scores)
    }

    /// The scores of one customer, whose id is given by its parts, one for each column of the key. The monetary value is ignored
    /// if the scorer was fitted without amounts.
    #[inline]
    pub fn score_one(&self, values: &[Number; 3], id: Option<&[Key<'_>]>, group: Option<Key<'_>>) -> Result<Score<'_>> {
        let fitted = self.fitted()?;
        check_one(values)?;
        let mut scores = [0; 3];
        fitted.scorer.score_one(values, id, group, &mut scores)?;
        let [r, f, m] = scores;
        let m = (fitted.scorer.fitted.len() > 2).then_some(m);
        let segment = match &fitted.segmenter {
            None => None,
            Some(Segmenter::Map(map)) => map.segment(r, f, m.unwrap_or(1)).map(|i| map.names()[usize::from(i)].as_str()),
            Some(Segmenter::Octants(octants)) => Some(octants.names()[usize::from(octants.segment(values.map(Number::to_f64)))]),
        };
        Ok(Score { r, f, m, segment })
    }

    /// Whether the scorer was fitted with amounts.
    pub fn has_money(&self) -> bool {
        self.fitted.as_ref().is_some_and(|fitted| fitted.scorer.fitted.len() > 2)
    }

    /// The fitted scorer of the dimensions.
    pub fn scorer(&self) -> Result<&Scorer> {
        Ok(&self.fitted()?.scorer)
    }

    /// Customers per score at the fit and in a table.
    pub fn drift(&self, batches: &[RecordBatch], context: &Context) -> Result<Vec<PopulationDrift>> {
        let scorer = self.scorer()?;
        check_table(batches, self.columns(), context)?;
        population_drift(scorer, batches, context)
    }

    /// The edges as a table: one row per dimension and score.
    pub fn thresholds(&self) -> Result<Table> {
        crate::analysis::score::table::thresholds_table(self.scorer()?)
    }

    /// Adds segments to a fitted scorer; `place` sets the centres of octants.
    pub(super) fn with_segments(&self, scorer: Scorer, place: impl FnOnce(Octants) -> Result<Octants>) -> Result<Fitted> {
        let (segmenter, remark) = self.segmenter(scorer.fitted.len(), place)?;
        let mut remarks = empty_bins(&scorer);
        remarks.extend(remark);
        Ok(Fitted { scorer, segmenter, remarks })
    }

    /// The segmenter for `n` dimensions, or a remark why there is none.
    fn segmenter(&self, n: usize, place: impl FnOnce(Octants) -> Result<Octants>) -> Result<(Option<Segmenter>, Option<String>)> {
        let without_money = |what: &str| {
            Err(Error::new(ErrorKind::InvalidArgument, format!("{what}, but the table has no column '{}'", self.columns()[2])))
        };
        if let Segments::Octants(center, lang) = self.spec.segments {
            if n < 3 {
                return without_money("octants need amounts");
            }
            return Ok((Some(Segmenter::Octants(place(Octants::new(center, lang))?)), None));
        }
        let (map, remark) = self.map()?;
        if map.as_ref().is_some_and(|map| map.bins()[2] > 1) && n < 3 {
            return without_money("the segment map has M ranges");
        }
        Ok((map.map(Segmenter::Map), remark))
    }

    /// The segment map for the bins, or a remark why there is none.
    pub(super) fn map(&self) -> Result<(Option<SegmentMap>, Option<String>)> {
        Ok(match &self.spec.segments {
            Segments::Map(map) => (Some(map.clone()), None),
            Segments::Off | Segments::Octants(_, _) => (None, None),
            Segments::Auto if self.spec.bins[..2] == [5, 5] => (Some(SegmentMap::rf10()?), None),
            Segments::Auto => {
                let [r, f, _] = self.spec.bins;
                let remark = format!(
                    "no segments: the default map rf10 is for 5 bins of R and F, not {r} and {f}; pass segments= with a map for these bins"
                );
                (None, Some(remark))
            }
        })
    }

    /// Whether each of the first `n` dimensions has at most 9 bins.
    pub(super) fn one_digit(&self, n: usize) -> bool {
        self.spec.bins[..n].iter().all(|&bins| bins <= 9)
    }

    /// Three dimensions if the table has a monetary column, otherwise two.
    pub(super) fn n_dimensions(&self, schema: &Schema) -> usize {
        let money = self.columns()[2];
        if schema.fields().iter().any(|field| field.name() == money) { 3 } else { 2 }
    }

    pub(super) fn fitted(&self) -> Result<&Fitted> {
        self.fitted.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::NotFitted, "this RFMScorer is not fitted yet; call fit(table) with the result of custcore.rfm first")
        })
    }
}

/// Remarks on empty bins.
fn empty_bins(scorer: &Scorer) -> Vec<String> {
    let mut remarks = Vec::new();
    for fitted in &scorer.fitted {
        let single = fitted.binners.len() == 1;
        let mut empty_cells = 0;
        for binner in fitted.binners.iter().flatten() {
            let empty: Vec<String> = binner.counts.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| (i + 1).to_string()).collect();
            if single && !empty.is_empty() {
                remarks.push(format!(
                    "{}: no customer has score {}, because equal values get equal scores or there are few customers",
                    fitted.dimension.name,
                    empty.join(", ")
                ));
            }
            empty_cells += usize::from(!empty.is_empty());
        }
        if !single && empty_cells > 0 {
            remarks.push(format!(
                "{}: {empty_cells} of {} cells have scores without customers; see thresholds",
                fitted.dimension.name,
                fitted.binners.len()
            ));
        }
    }
    remarks
}
