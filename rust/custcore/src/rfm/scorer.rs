//! The RFM scorer: fits quantile edges on an RFM table, gives scores and segments to tables and single customers.
//!
//! A fitted scorer keeps edges in the type of the fitted values, so that fitting and scoring in one go, scoring later and
//! scoring row by row agree exactly. Values outside the fitted range get 1 or the number of bins.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::segments::SegmentMap;
use super::table;
use crate::column::chunks::find_column;
use crate::column::number::NumberColumn;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::quantile::{Edges, Number};
use crate::report::Report;
use crate::table::Table;

/// What frequency means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Monetary {
    /// The sum over all purchases.
    #[default]
    Total,
    /// The sum per order.
    Mean,
}

/// Which segments customers get.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Segments {
    /// `rf10` where R and F have 5 bins, else none.
    #[default]
    Auto,
    /// None.
    Off,
    /// A map.
    Map(SegmentMap),
}

/// The settings of an RFM scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerSpec {
    /// Bins of R, F and M, 2 to 100.
    pub bins: [u8; 3],
    /// Weights of R, F and M in `rfm_total`.
    pub weights: [f64; 3],
    /// What frequency means.
    pub frequency: Frequency,
    /// What money means.
    pub monetary: Monetary,
    /// Segments.
    pub segments: Segments,
}

impl Default for ScorerSpec {
    fn default() -> Self {
        Self {
            bins: [5; 3],
            weights: [100.0, 10.0, 1.0],
            frequency: Frequency::default(),
            monetary: Monetary::default(),
            segments: Segments::default(),
        }
    }
}

/// Recency, frequency or money in a fitted scorer.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// `recency`, `frequency` or `monetary`.
    pub name: &'static str,
    /// The column it reads.
    pub column: &'static str,
    /// Whether a small value is the best.
    pub reversed: bool,
    /// The edges between its bins.
    pub edges: Edges,
    /// Smallest and largest fitted value.
    pub range: (f64, f64),
    /// Fitted customers by score, from score 1 on.
    pub counts: Vec<u64>,
}

impl Dimension {
    /// The score of a bin.
    #[inline]
    fn score(&self, bin: u8) -> u8 {
        if self.reversed && bin > 0 { self.counts.len() as u8 + 1 - bin } else { bin }
    }

    fn score_rows(&self, column: &NumberColumn) -> Vec<u8> {
        let mut scores = self.edges.bin_rows(column);
        if self.reversed {
            scores.iter_mut().for_each(|score| *score = self.score(*score));
        }
        scores
    }
}

/// Scores of some rows; 0 where a value is null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores {
    /// R scores.
    pub r: Vec<u8>,
    /// F scores.
    pub f: Vec<u8>,
    /// M scores, unless money plays no part.
    pub m: Option<Vec<u8>>,
}

impl Scores {
    /// The scores of two or three dimensions.
    fn new(dimensions: Vec<Vec<u8>>) -> Result<Self> {
        let mut dimensions = dimensions.into_iter();
        match (dimensions.next(), dimensions.next(), dimensions.next()) {
            (Some(r), Some(f), m) => Ok(Self { r, f, m }),
            _ => Err(Error::internal("a scorer of fewer than two dimensions")),
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
    spec: ScorerSpec,
    fitted: Option<Fitted>,
}

#[derive(Debug, Clone, PartialEq)]
struct Fitted {
    dimensions: Vec<Dimension>,
    map: Option<SegmentMap>,
    remarks: Vec<String>,
}

impl RfmScorer {
    /// A scorer with these settings.
    pub fn new(spec: ScorerSpec) -> Result<Self> {
        for (bins, dimension) in spec.bins.iter().zip(["recency", "frequency", "monetary"]) {
            if !(2..=100).contains(bins) {
                return Err(Error::new(ErrorKind::InvalidArgument, format!("bins={bins} for {dimension} is outside 2 to 100")));
            }
        }
        if !spec.weights.iter().all(|w| w.is_finite() && *w >= 0.0) || spec.weights.iter().all(|w| *w == 0.0) {
            let message = format!("weights={:?} must be finite, not negative and not all 0", spec.weights);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if let Segments::Map(map) = &spec.segments {
            let wrong = map.bins().iter().zip(&spec.bins).any(|(&map, &bins)| map > 1 && map != bins) || map.bins()[..2] != spec.bins[..2];
            if wrong {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "the segment map is for bins {:?}, the scorer has bins {:?}; use a map for these bins, or segments=None",
                        map.bins(),
                        spec.bins
                    ),
                ));
            }
        }
        Ok(Self { spec, fitted: None })
    }

    /// The settings.
    pub fn spec(&self) -> &ScorerSpec {
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

    /// Fits the edges on an RFM table. Money is left out when the table has no money column.
    pub fn fit(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let columns = self.read(batches, None)?;
        let dimensions = columns.iter().zip(["recency", "frequency", "monetary"]).zip(self.columns()).zip(self.spec.bins);
        let fitted = context.install(|| {
            dimensions
                .map(|(((values, name), column), bins)| {
                    context.check()?;
                    fit_dimension(name, column, values, bins)
                })
                .collect::<Result<Vec<Dimension>>>()
        })??;
        let mut remarks = Vec::new();
        for dimension in &fitted {
            let empty: Vec<String> =
                dimension.counts.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| (i + 1).to_string()).collect();
            if !empty.is_empty() {
                remarks.push(format!(
                    "{}: no customer has score {}, because equal values get equal scores",
                    dimension.name,
                    empty.join(", ")
                ));
            }
        }
        let (map, remark) = self.map()?;
        remarks.extend(remark);
        if let Some(map) = map.as_ref().filter(|map| map.bins()[2] > 1 && fitted.len() < 3) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("the segment map speaks of M ({} bins), but the table has no column '{}'", map.bins()[2], self.columns()[2]),
            ));
        }
        self.fitted = Some(Fitted { dimensions: fitted, map, remarks });
        Ok(())
    }

    /// Scores of an RFM table, beside its own columns.
    pub fn transform(&self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        let fitted = self.fitted()?;
        let mut report = report.clone();
        report.remarks.extend(fitted.remarks.iter().cloned());
        let mut tables = Vec::with_capacity(batches.len());
        for batch in batches {
            context.check()?;
            let columns = self.read(std::slice::from_ref(batch), Some(fitted.dimensions.len()))?;
            let scores = context
                .install(|| fitted.dimensions.iter().zip(&columns).map(|(dimension, values)| dimension.score_rows(values)).collect())?;
            tables.push(table::scores_table(
                batch,
                &Scores::new(scores)?,
                self.one_digit(fitted.dimensions.len()),
                self.spec.weights,
                fitted.map.as_ref(),
                report.clone(),
            )?);
        }
        Ok(tables)
    }

    /// Fits on a table and scores it. A table without rows gives an empty result, and the scorer stays as it was.
    pub fn fit_transform(&mut self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        if batches.iter().any(|batch| batch.num_rows() > 0) {
            self.fit(batches, context)?;
            return self.transform(batches, report, context);
        }
        let (map, remarks) = self.map()?;
        let mut report = report.clone();
        report.remarks.extend(remarks);
        let n = self.read(batches, None)?.len();
        let scores = Scores::new(vec![Vec::new(); n])?;
        batches
            .iter()
            .map(|batch| table::scores_table(batch, &scores, self.one_digit(n), self.spec.weights, map.as_ref(), report.clone()))
            .collect()
    }

    /// The scores of one customer. Money is passed over when the scorer was fitted without it.
    #[inline]
    pub fn score_one(&self, recency: Number, frequency: Number, monetary: Number) -> Result<Score<'_>> {
        let fitted = self.fitted()?;
        let score = |i: usize, value: Number| fitted.dimensions.get(i).map(|d| d.score(d.edges.bin_one(value)));
        let (r, f, m) = (score(0, recency).unwrap_or(0), score(1, frequency).unwrap_or(0), score(2, monetary));
        let segment = fitted.map.as_ref().and_then(|map| map.segment(r, f, m.unwrap_or(1)).map(|i| map.names()[usize::from(i)].as_str()));
        Ok(Score { r, f, m, segment })
    }

    /// The fitted dimensions.
    pub fn dimensions(&self) -> Result<&[Dimension]> {
        Ok(&self.fitted()?.dimensions)
    }

    /// The edges as a table: one row per dimension and score.
    pub fn thresholds(&self) -> Result<Table> {
        table::thresholds_table(self.dimensions()?)
    }

    /// Whether each of the first `n` dimensions has at most 9 bins.
    fn one_digit(&self, n: usize) -> bool {
        self.spec.bins[..n].iter().all(|&bins| bins <= 9)
    }

    /// The segment map for the bins, or a remark why there is none.
    fn map(&self) -> Result<(Option<SegmentMap>, Option<String>)> {
        Ok(match &self.spec.segments {
            Segments::Map(map) => (Some(map.clone()), None),
            Segments::Off => (None, None),
            Segments::Auto if self.spec.bins[..2] == [5, 5] => (Some(SegmentMap::rf10()?), None),
            Segments::Auto => {
                let [r, f, _] = self.spec.bins;
                let remark =
                    format!("no segments: the default map rf10 is for 5 bins of R and F, not {r} and {f}; pass a segment map of your own");
                (None, Some(remark))
            }
        })
    }

    fn fitted(&self) -> Result<&Fitted> {
        self.fitted.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::NotFitted, "this RFMScorer is not fitted yet; call fit(table) with the result of custcore.rfm first")
        })
    }

    /// The dimensions' values, all batches end to end. `expected` is how many dimensions a fitted scorer needs.
    fn read(&self, batches: &[RecordBatch], expected: Option<usize>) -> Result<Vec<NumberColumn>> {
        let Some(first) = batches.first() else { return Err(nothing_to_fit()) };
        let schema = first.schema();
        let with_money = expected.map_or_else(|| has_column(&schema, self.columns()[2]), |n| n == 3);
        let names = self.columns();
        names[..if with_money { 3 } else { 2 }]
            .iter()
            .map(|name| {
                let position = find_column(&schema, name, "scored column")?;
                let parts = batches.iter().map(|batch| NumberColumn::new(name, "scored column", batch.column(position)));
                NumberColumn::concat(parts.collect::<Result<Vec<_>>>()?)
            })
            .collect()
    }
}

fn has_column(schema: &Schema, name: &str) -> bool {
    schema.fields().iter().any(|field| field.name() == name)
}

fn nothing_to_fit() -> Error {
    Error::new(ErrorKind::NotEnoughData, "there is no customer to fit a scorer on; the table is empty or all its values are null")
}

fn fit_dimension(name: &'static str, column: &'static str, values: &NumberColumn, bins: u8) -> Result<Dimension> {
    let (Some(edges), Some(range)) = (Edges::type7(values, usize::from(bins)), values.range()) else {
        return Err(nothing_to_fit().in_column(column));
    };
    let mut dimension = Dimension { name, column, reversed: name == "recency", edges, range, counts: vec![0; usize::from(bins)] };
    for score in dimension.score_rows(values).into_iter().filter(|&score| score > 0) {
        dimension.counts[usize::from(score) - 1] += 1;
    }
    Ok(dimension)
}
