//! Why a customer has his scores and his segment, and what would change them.

use super::nearest_change::{NumberLine, as_form};
use super::scorer::{RfmScorer, Segmenter};
use super::segments::SegmentRule;
use super::value_bounds::least_value;
use crate::analysis::score::explain::{BinExplanation, Placement};
use crate::analysis::score::table::weighted;
use crate::column::key::Key;
use crate::column::number::{Number, NumberForm};
use crate::error::Result;

/// The scores and the segment of a customer if one value were another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreChange<'a> {
    /// The value.
    pub value: Number,
    /// R, F and, with amounts, M score.
    pub scores: [Option<u8>; 3],
    /// The segment, if the scorer has segments.
    pub segment: Option<&'a str>,
}

/// A dimension of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct DimensionExplanation<'a> {
    /// Its name: recency, frequency or monetary.
    pub name: String,
    /// Its column.
    pub column: String,
    /// The value, in the type in which changes are counted.
    pub value: Number,
    /// The bin that the value lies in.
    pub bin: BinExplanation,
    /// The nearest value with a lower score, the others being as they are.
    pub lower: Option<ScoreChange<'a>>,
    /// The nearest value with a higher score.
    pub higher: Option<ScoreChange<'a>>,
    /// The nearest smaller value with another segment.
    pub segment_below: Option<ScoreChange<'a>>,
    /// The nearest larger value with another segment.
    pub segment_above: Option<ScoreChange<'a>>,
}

/// What gave a customer the segment.
#[derive(Debug, Clone, PartialEq)]
pub enum SegmentReason<'a> {
    /// The first rule of the map that matches: its position from 0, and the number of rules.
    Rule(usize, usize, &'a SegmentRule),
    /// No rule of the map matches.
    Rest,
    /// The centres of recency, frequency and money, and whether the values are on the high side.
    Octants([(f64, bool); 3]),
}

/// Why a customer has his scores and his segment.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreExplanation<'a> {
    /// Recency, frequency and, with amounts, money.
    pub dimensions: Vec<DimensionExplanation<'a>>,
    /// The scores joined by `-`.
    pub cell: String,
    /// The concatenated scores; `None` if a score may have two digits.
    pub score: Option<u32>,
    /// The weighted sum of the scores.
    pub total: f64,
    /// The segment, if the scorer has segments.
    pub segment: Option<&'a str>,
    /// What gave it.
    pub reason: Option<SegmentReason<'a>>,
}

/// One customer as [`RfmScorer::score_one`] takes him.
#[derive(Debug, Clone, Copy)]
struct Customer<'a> {
    values: [Number; 3],
    id: Option<&'a [Key<'a>]>,
    group: Option<Key<'a>>,
}

impl RfmScorer {
    /// Explains the scores of one customer; the arguments are those of [`RfmScorer::score_one`].
    pub fn explain(&self, values: &[Number; 3], id: Option<&[Key<'_>]>, group: Option<Key<'_>>) -> Result<ScoreExplanation<'_>> {
        let mut customer = Customer { values: *values, id, group };
        let score = self.score_one(values, id, group)?;
        let fitted = self.fitted()?;
        let Placement { binners, explanations } = fitted.scorer.explain(values, id, group)?;
        let forms: Vec<NumberForm> = (0..explanations.len()).map(|at| counted_form(at, values[at], &explanations[at])).collect();
        for (value, &form) in customer.values.iter_mut().zip(&forms) {
            *value = as_form(*value, form).unwrap_or(*value);
        }
        let mut dimensions = Vec::with_capacity(explanations.len());
        for (at, bin) in explanations.into_iter().enumerate() {
            let own = |value: Number| (binners[at].bin_one(value, id), self.is_high(at, value));
            let line = NumberLine::new(forms[at], least_value(at));
            let [down, up] = [false, true].map(|up| self.changes(&customer, at, line, up, own));
            let (lower, higher) = if at == 0 { (up.score, down.score) } else { (down.score, up.score) };
            dimensions.push(DimensionExplanation {
                name: fitted.scorer.fitted[at].dimension.name.clone(),
                column: fitted.scorer.fitted[at].dimension.column.clone(),
                value: customer.values[at],
                bin,
                lower,
                higher,
                segment_below: down.segment,
                segment_above: up.segment,
            });
        }
        let scores: Vec<u8> = [Some(score.r), Some(score.f), score.m].into_iter().flatten().collect();
        Ok(ScoreExplanation {
            dimensions,
            cell: scores.iter().map(u8::to_string).collect::<Vec<_>>().join("-"),
            score: self.one_digit(scores.len()).then(|| scores.iter().fold(0, |number, &digit| number * 10 + u32::from(digit))),
            total: weighted(&scores, &self.spec.weights),
            segment: score.segment,
            reason: self.reason(values, score.r, score.f, score.m.unwrap_or(1))?,
        })
    }

    /// Whether a value is on the high side of its centre; false without octants.
    fn is_high(&self, at: usize, value: Number) -> bool {
        match self.fitted.as_ref().and_then(|fitted| fitted.segmenter.as_ref()) {
            Some(Segmenter::Octants(octants)) => octants.is_high(at, value.to_f64()),
            _ => false,
        }
    }

    /// The nearest values of a dimension in one direction with another score, and with another segment. `own` is the bin of a
    /// value, and its side of the centre: within one, no score and no segment changes. Values that cannot be scored, because
    /// their group of preceding scores had no customers in the fit, are passed over.
    fn changes(
        &self,
        customer: &Customer<'_>,
        at: usize,
        line: NumberLine,
        up: bool,
        own: impl Fn(Number) -> (u8, bool),
    ) -> NearestChanges<'_> {
        let mut found = NearestChanges::default();
        let Some(now) = self.changed(customer) else { return found };
        let mut other = *customer;
        while let Some(value) = {
            let from = own(other.values[at]);
            line.first(other.values[at], up, |value| own(value) != from)
        } {
            other.values[at] = value;
            let Some(scored) = self.changed(&other) else { continue };
            let change = ScoreChange { value, ..scored };
            if scored.scores[at] != now.scores[at] {
                found.score.get_or_insert(change);
            }
            if scored.segment != now.segment {
                found.segment.get_or_insert(change);
            }
            if found.score.is_some() && (found.segment.is_some() || now.segment.is_none()) {
                break;
            }
        }
        found
    }

    /// The scores and the segment of a customer; `None` if he cannot be scored.
    fn changed(&self, customer: &Customer<'_>) -> Option<ScoreChange<'_>> {
        let score = self.score_one(&customer.values, customer.id, customer.group).ok()?;
        Some(ScoreChange { value: customer.values[0], scores: [Some(score.r), Some(score.f), score.m], segment: score.segment })
    }

    fn reason(&self, values: &[Number; 3], r: u8, f: u8, m: u8) -> Result<Option<SegmentReason<'_>>> {
        Ok(self.fitted()?.segmenter.as_ref().map(|segmenter| match segmenter {
            Segmenter::Map(map) => match map.rule(r, f, m) {
                Some(at) => SegmentReason::Rule(at, map.rules().len(), &map.rules()[at]),
                None => SegmentReason::Rest,
            },
            Segmenter::Octants(octants) => {
                let centers = octants.centers();
                SegmentReason::Octants([0, 1, 2].map(|at| (centers[at], octants.is_high(at, values[at].to_f64()))))
            }
        }))
    }
}

#[derive(Debug, Default)]
struct NearestChanges<'a> {
    score: Option<ScoreChange<'a>>,
    segment: Option<ScoreChange<'a>>,
}

/// The type in which the values of a dimension are counted: that of the fitted values if it holds the value, else its own.
fn counted_form(at: usize, value: Number, bin: &BinExplanation) -> NumberForm {
    let own = value.form();
    let Some(fitted) = bin.form else { return own };
    match (own, fitted) {
        // Days and orders are whole numbers, though edges between them may not be.
        (NumberForm::Integers, NumberForm::Floats) if at < 2 => own,
        (NumberForm::Decimals(scale), _) => {
            let places = if let NumberForm::Decimals(fitted) = fitted { fitted } else { 0 };
            let finer = NumberForm::Decimals(scale.max(places));
            if as_form(value, finer).is_some() { finer } else { own }
        }
        _ if as_form(value, fitted).is_some() => fitted,
        _ => own,
    }
}
