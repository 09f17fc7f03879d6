//! The RFM scorer: fits bins on an RFM table, gives scores and segments to tables and single customers.
//!
//! RFM is one case of [`crate::analysis::score::scorer::Scorer`], with three dimensions (two without money). A fitted scorer keeps edges in
//! the type of the fitted values, so that fitting and scoring in one go, scoring later and scoring row by row agree exactly.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::octants::{OctantCenter, OctantLanguage, Octants};
use super::segments::SegmentMap;
use super::table::{self, SegmentCodes};
use crate::analysis::model::StoredModel;
use crate::analysis::score::scorer::{Scorer, one_batch};
use crate::analysis::score::spec::{Dimension, ScoreSpec};
use crate::analysis::score::state::ScorerState;
use crate::column::key::Key;
use crate::column::number::Number;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::report::Report;
use crate::table::Table;

/// What frequency means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Orders.
    #[default]
    Orders,
    /// Distinct days with a purchase.
    Days,
    /// Rows of purchases.
    Rows,
}

/// What money means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monetary {
    /// The sum over all purchases.
    #[default]
    Total,
    /// The sum per order.
    Mean,
}

/// Which segments customers get.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segments {
    /// `rf10` where R and F have 5 bins, else none.
    #[default]
    Auto,
    /// None.
    Off,
    /// A map of scores.
    Map(SegmentMap),
    /// The eight segments of values above and below their centre.
    Octants(OctantCenter, OctantLanguage),
}

/// The settings of an RFM scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RfmSpec {
    /// Bins of R, F and M, 2 to 100.
    pub bins: [u8; 3],
    /// Cuts of the user's own for R, F and M; they replace the bins.
    pub cuts: [Option<Vec<f64>>; 3],
    /// Ties, nesting, groups and the rule behind the edges; its dimensions are filled in here.
    pub score: ScoreSpec,
    /// Weights of R, F and M in `rfm_total`.
    pub weights: [f64; 3],
    /// What frequency means.
    pub frequency: Frequency,
    /// What money means.
    pub monetary: Monetary,
    /// Segments.
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

/// How a fitted scorer names segments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Segmenter {
    /// By scores.
    Map(SegmentMap),
    /// By values.
    Octants(Octants),
}

impl Segmenter {
    /// The names in their order.
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
    /// M score, unless money plays no part.
    pub m: Option<u8>,
    /// The segment, if the scorer has segments.
    pub segment: Option<&'a str>,
}

/// An RFM scorer, fitted or not.
#[derive(Debug, Clone, PartialEq)]
pub struct RfmScorer {
    spec: RfmSpec,
    fitted: Option<Fitted>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    scorer: Scorer,
    pub(super) segmenter: Option<Segmenter>,
    pub(super) remarks: Vec<String>,
}

/// A scorer as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RfmState {
    spec: RfmSpec,
    fitted: Option<FittedState>,
}

/// What a fit found; the map of segments and the remarks follow from it and the settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedState {
    scorer: ScorerState,
    /// Those of the octants, if they are the segments.
    centers: Option<[f64; 3]>,
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
            let unlike = map.bins().iter().zip(&spec.bins).any(|(&map, &bins)| map > 1 && map != bins) || map.bins()[..2] != spec.bins[..2];
            if unlike {
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

    /// The columns that are read: recency, frequency, money.
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

    /// The columns that a fit reads, where they are there; `None` where the one of ids has to be found in the table.
    pub fn needed_columns(&self) -> Option<Vec<String>> {
        ScoreSpec { dimensions: self.dimensions(3), ..self.spec.score.clone() }.needed_columns()
    }

    fn dimensions(&self, n: usize) -> Vec<Dimension> {
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

    /// Fits the bins on an RFM table. Money is left out when the table has no money column.
    pub fn fit(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        self.fit_scores(batches, context).map(drop)
    }

    /// Fits, and gives the scores of the batches end to end.
    pub(super) fn fit_scores(&mut self, batches: &[RecordBatch], context: &Context) -> Result<Vec<Vec<u8>>> {
        let Some(first) = batches.first() else {
            return Err(Error::new(ErrorKind::NotEnoughData, "there is no table to fit a scorer on"));
        };
        let n = self.n_dimensions(&first.schema());
        let spec = ScoreSpec { dimensions: self.dimensions(n), ..self.spec.score.clone() }.checked()?;
        let batch = &one_batch(&spec, batches)?;
        let (scorer, scores) = context.install(|threads| Scorer::fit(&spec, batch, context, threads))??;
        self.fitted = Some(self.with_segments(scorer, |octants| octants.fit(batch, self.columns()))?);
        Ok(scores)
    }

    /// The settings and what the fit found, to be stored.
    pub fn state(&self) -> RfmState {
        let fitted = self.fitted.as_ref().map(|fitted| FittedState {
            scorer: fitted.scorer.state(),
            centers: match &fitted.segmenter {
                Some(Segmenter::Octants(octants)) => Some(octants.centers()),
                Some(Segmenter::Map(_)) | None => None,
            },
        });
        RfmState { spec: self.spec.clone(), fitted }
    }

    /// The scorer of a state; what cannot be is an error.
    pub fn restore(state: RfmState) -> Result<Self> {
        let mut scorer = Self::new(state.spec)?;
        let Some(FittedState { scorer: found, centers }) = state.fitted else { return Ok(scorer) };
        let unsound = || Error::new(ErrorKind::ModelFormat, "the scorer has segments or dimensions that cannot be");
        let n = found.dimensions();
        if !(2..=3).contains(&n) || centers.is_some() != matches!(scorer.spec.segments, Segments::Octants(_, _)) {
            return Err(unsound());
        }
        let spec = ScoreSpec { dimensions: scorer.dimensions(n), ..scorer.spec.score.clone() };
        let place = |octants: Octants| centers.and_then(|centers| octants.with_centers(centers)).ok_or_else(unsound);
        let fitted = scorer.with_segments(Scorer::restore(spec, found)?, place)?;
        scorer.fitted = Some(fitted);
        Ok(scorer)
    }

    /// Scores of an RFM table, beside its own columns.
    pub fn transform(&self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        let fitted = self.fitted()?;
        let mut tables = Vec::with_capacity(batches.len());
        for batch in batches {
            context.check()?;
            let scores = context.run_if_large(batch.num_rows(), |threads| fitted.scorer.score(batch, threads))??;
            tables.push(self.scored(batch, &scores, report, context)?);
        }
        Ok(tables)
    }

    /// One batch beside its scores.
    fn scored(&self, batch: &RecordBatch, scores: &[Vec<u8>], report: &Report, context: &Context) -> Result<Table> {
        let fitted = self.fitted()?;
        let mut report = report.clone();
        report.remarks.extend(fitted.remarks.iter().cloned());
        let segments = match &fitted.segmenter {
            None => None,
            Some(segmenter @ Segmenter::Map(map)) => Some((segmenter.names(), SegmentCodes::ByCell(map))),
            Some(segmenter @ Segmenter::Octants(octants)) => {
                Some((segmenter.names(), SegmentCodes::ByRow(octants.segment_rows(batch, self.columns())?)))
            }
        };
        let (one_digit, weights) = (self.one_digit(scores.len()), self.spec.weights);
        let build = |threads: Threads<'_>| table::scores_table(batch, scores, one_digit, weights, segments, report, threads);
        context.run_if_large(batch.num_rows(), build)?
    }

    /// Fits on a table and scores it. A table without rows gives an empty result, and the scorer stays as it was.
    pub fn fit_transform(&mut self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        if batches.iter().any(|batch| batch.num_rows() > 0) {
            let scores = self.fit_scores(batches, context)?;
            // A table in one batch was scored by the fit.
            if let [batch] = batches {
                return Ok(vec![self.scored(batch, &scores, report, context)?]);
            }
            return self.transform(batches, report, context);
        }
        let mut report = report.clone();
        let empty = |batch: &RecordBatch| {
            let n = self.n_dimensions(&batch.schema());
            let names = self.segment_names()?;
            let segments = names.as_ref().map(|names| (names.iter().map(String::as_str).collect(), SegmentCodes::ByRow(Vec::new())));
            table::scores_table(
                batch,
                &vec![Vec::new(); n],
                self.one_digit(n),
                self.spec.weights,
                segments,
                report.clone(),
                Threads::inline(),
            )
        };
        let tables = batches.iter().map(empty).collect::<Result<Vec<_>>>()?;
        report.remarks.extend(self.map()?.1);
        Ok(tables.into_iter().map(|table| Table { report: report.clone(), ..table }).collect())
    }

    /// The scores of one customer. Money is passed over when the scorer was fitted without it.
    #[inline]
    pub fn score_one(&self, values: &[Number; 3], id: Option<Key<'_>>, group: Option<Key<'_>>) -> Result<Score<'_>> {
        let fitted = self.fitted()?;
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

    /// Whether the scorer was fitted with money.
    pub fn has_money(&self) -> bool {
        self.fitted.as_ref().is_some_and(|fitted| fitted.scorer.fitted.len() > 2)
    }

    /// The fitted scorer of the dimensions.
    pub fn scorer(&self) -> Result<&Scorer> {
        Ok(&self.fitted()?.scorer)
    }

    /// The edges as a table: one row per dimension and score.
    pub fn thresholds(&self) -> Result<Table> {
        crate::analysis::score::table::thresholds_table(self.scorer()?)
    }

    /// A fitted scorer with its segments; `place` gives the octants their centres.
    fn with_segments(&self, scorer: Scorer, place: impl FnOnce(Octants) -> Result<Octants>) -> Result<Fitted> {
        let (segmenter, remark) = self.segmenter(scorer.fitted.len(), place)?;
        let mut remarks = empty_bins(&scorer);
        remarks.extend(remark);
        Ok(Fitted { scorer, segmenter, remarks })
    }

    /// The segmenter of `n` dimensions, or a remark why there is none.
    fn segmenter(&self, n: usize, place: impl FnOnce(Octants) -> Result<Octants>) -> Result<(Option<Segmenter>, Option<String>)> {
        let without_money = |what: &str| {
            Err(Error::new(ErrorKind::InvalidArgument, format!("{what}, but the table has no column '{}'", self.columns()[2])))
        };
        if let Segments::Octants(center, lang) = self.spec.segments {
            if n < 3 {
                return without_money("the octants need money");
            }
            return Ok((Some(Segmenter::Octants(place(Octants::new(center, lang))?)), None));
        }
        let (map, remark) = self.map()?;
        if map.as_ref().is_some_and(|map| map.bins()[2] > 1) && n < 3 {
            return without_money("the segment map speaks of M");
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
                let remark =
                    format!("no segments: the default map rf10 is for 5 bins of R and F, not {r} and {f}; pass a segment map of your own");
                (None, Some(remark))
            }
        })
    }

    /// Whether each of the first `n` dimensions has at most 9 bins.
    fn one_digit(&self, n: usize) -> bool {
        self.spec.bins[..n].iter().all(|&bins| bins <= 9)
    }

    /// Three with money in the table, else two.
    fn n_dimensions(&self, schema: &Schema) -> usize {
        let money = self.columns()[2];
        if schema.fields().iter().any(|field| field.name() == money) { 3 } else { 2 }
    }

    pub(super) fn fitted(&self) -> Result<&Fitted> {
        self.fitted.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::NotFitted, "this RFMScorer is not fitted yet; call fit(table) with the result of custcore.rfm first")
        })
    }
}

/// Remarks on scores that nobody has.
fn empty_bins(scorer: &Scorer) -> Vec<String> {
    let mut remarks = Vec::new();
    for fitted in &scorer.fitted {
        let single = fitted.binners.len() == 1;
        let mut empty_cells = 0;
        for binner in fitted.binners.iter().flatten() {
            let empty: Vec<String> = binner.counts.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| (i + 1).to_string()).collect();
            if single && !empty.is_empty() {
                remarks.push(format!(
                    "{}: no customer has score {}, because equal values get equal scores or customers are few",
                    fitted.dimension.name,
                    empty.join(", ")
                ));
            }
            empty_cells += usize::from(!empty.is_empty());
        }
        if !single && empty_cells > 0 {
            remarks.push(format!(
                "{}: {empty_cells} of {} cells have scores that no customer has; see thresholds",
                fitted.dimension.name,
                fitted.binners.len()
            ));
        }
    }
    remarks
}

impl StoredModel for RfmScorer {
    const KIND: &'static str = "rfm_scorer";
    type Body = RfmState;

    fn body(&self) -> RfmState {
        self.state()
    }

    fn restore(body: RfmState) -> Result<Self> {
        Self::restore(body)
    }
}

impl StoredModel for Segments {
    const KIND: &'static str = "segment_map";
    type Body = Self;

    fn body(&self) -> Self {
        self.clone()
    }

    fn restore(body: Self) -> Result<Self> {
        match body {
            Self::Map(_) | Self::Octants(_, _) => Ok(body),
            Self::Auto | Self::Off => Err(Error::new(ErrorKind::ModelFormat, "the segment map has no segments")),
        }
    }
}
