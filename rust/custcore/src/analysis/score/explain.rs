//! Why a value got its score: the bin that it lies in, with exact bounds, and the customers whose bins these are.

use super::binner::{BinBound, Binner};
use super::scorer::{FittedDimension, Scorer};
use super::spec::Method;
use crate::column::key::Key;
use crate::column::number::{Number, NumberForm};
use crate::error::Result;

/// How the edges of a bin were determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeRule {
    /// Type-7 quantiles of the fitted customers.
    Type7,
    /// Those of R's package rfm: quantiles plus 1.
    R,
    /// Given values.
    Cuts,
    /// Tiles of equal size, which split equal values by id.
    Split,
}

/// The bin of one value of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct BinExplanation {
    /// The score of the bin.
    pub score: u8,
    /// Number of bins.
    pub bins: u8,
    /// The rule of its edges.
    pub rule: EdgeRule,
    /// The lower end; `None` for the bin of the smallest values.
    pub lower: Option<BinBound>,
    /// The upper end; `None` for the bin of the largest values.
    pub upper: Option<BinBound>,
    /// The preceding scores within which the bins were fitted, with their dimensions; empty unless binning is nested.
    pub within: Vec<(String, u8)>,
    /// Whether the group or the preceding scores did not occur in the fit, so that the bins are those of all customers.
    pub is_global: bool,
    /// Number of customers that the bins were fitted on; `None` for bins of all customers, which count none.
    pub customers: Option<u64>,
    /// Number of those with this score.
    pub same_score: Option<u64>,
    /// The lowest and highest score of customers with this value, if ids decide among them.
    pub by_id: Option<(u8, u8)>,
    /// The type of the fitted values, if there is an edge.
    pub form: Option<NumberForm>,
}

/// The bins of a value of each dimension, and what they are explained by.
pub(crate) struct Placement<'a> {
    /// The bins of each dimension.
    pub(crate) binners: Vec<&'a Binner>,
    pub(crate) explanations: Vec<BinExplanation>,
}

impl Scorer {
    /// The bins of one customer, whose arguments are those of [`Scorer::score_one`].
    pub(crate) fn explain(&self, values: &[Number], id: Option<&[Key<'_>]>, group: Option<Key<'_>>) -> Result<Placement<'_>> {
        let mut placement = Placement { binners: Vec::new(), explanations: Vec::new() };
        let mut within = Vec::new();
        let take = |at: usize, fitted: &FittedDimension, binner, score| {
            placement.explanations.push(self.explanation(fitted, binner, values[at], id, score, within.clone()));
            placement.binners.push(binner);
            if fitted.nest.is_some() {
                within.push((fitted.dimension.name.clone(), score));
            }
        };
        self.place(values, id, group, take)?;
        Ok(placement)
    }

    fn explanation(
        &self,
        fitted: &FittedDimension,
        binner: &Binner,
        value: Number,
        id: Option<&[Key<'_>]>,
        score: u8,
        within: Vec<(String, u8)>,
    ) -> BinExplanation {
        let dimension = &fitted.dimension;
        let is_global = fitted.global.as_ref().is_some_and(|global| std::ptr::eq(global, binner));
        let (lower, upper) = binner.bounds(binner.bin_one(value, id), id);
        let (low, high) = binner.bins_by_id(value);
        let scores = [low, high].map(|bin| dimension.score_of_bin(bin));
        BinExplanation {
            score,
            bins: dimension.bins,
            rule: match self.spec().method(dimension) {
                Method::Type7 => EdgeRule::Type7,
                Method::RParity => EdgeRule::R,
                Method::Cuts(_, _) => EdgeRule::Cuts,
                Method::Split => EdgeRule::Split,
            },
            lower,
            upper,
            within,
            is_global,
            customers: (!is_global).then(|| binner.counts.iter().sum()),
            same_score: (!is_global).then(|| binner.counts[usize::from(score) - 1]),
            by_id: (low != high).then(|| (scores[0].min(scores[1]), scores[0].max(scores[1]))),
            form: binner.form(),
        }
    }
}
