//! The tables of a comparison before and after.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::balance::BalanceRow;
use super::draws::DrawsRow;
use super::estimate::{Estimate, Matched, Method, Z};
use super::result::BeforeAfter;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::normal::normal_cdf;
use crate::num::proportion::wilson;
use crate::table::{Table, TableBuilder};

/// What a campaign cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreatmentCost {
    /// In all.
    pub fixed: f64,
    /// For each treated customer.
    pub per_contact: f64,
    /// For each of their orders in the window after.
    pub per_order: f64,
}

fn floats(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

fn counts(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(values.map(|value| value.map(|value| value as i64)).collect::<Int64Array>())
}

fn words<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

impl BeforeAfter {
    /// Controls of matched strata.
    pub fn controls(&self) -> usize {
        usize::try_from(self.matched.controls).unwrap_or(usize::MAX)
    }

    /// The first and the last day of treatment.
    pub fn days(&self) -> (i32, i32) {
        (self.waves.first().copied().unwrap_or_default(), self.waves.last().copied().unwrap_or_default())
    }

    /// The effects by all methods.
    pub fn table(&self) -> Result<Table> {
        self.estimates_table(&self.estimates, &self.matched, false)
    }

    /// The same one window earlier, where nothing should be.
    pub fn placebo(&self) -> Result<Table> {
        self.estimates_table(&self.placebo.estimates, &self.placebo.matched, true)
    }

    fn estimates_table(&self, rows: &[Estimate], matched: &Matched, flagged: bool) -> Result<Table> {
        let mut table = TableBuilder::default();
        let of_matched = |value: u64| counts(rows.iter().map(move |row| (row.method != Method::Naive).then_some(value)));
        let share = matched.matched as f64 / matched.treated as f64;
        table.column("metric", words(rows.iter().map(|row| self.spec.metrics[row.metric].name())));
        table.column("method", words(rows.iter().map(|row| row.method.name())));
        table.column("before", floats(rows.iter().map(|row| row.before)));
        table.column("after", floats(rows.iter().map(|row| row.after)));
        table.column("effect", floats(rows.iter().map(|row| row.effect)));
        table.column("se", floats(rows.iter().map(|row| row.se)));
        table.column("low", floats(rows.iter().map(|row| row.interval().map(|(low, _)| low))));
        table.column("high", floats(rows.iter().map(|row| row.interval().map(|(_, high)| high))));
        table.column("p_value", floats(rows.iter().map(Estimate::p_value)));
        table.column("theta", floats(rows.iter().map(|row| row.theta)));
        table.column("treated", counts(rows.iter().map(|_| Some(matched.treated))));
        table.column("matched", of_matched(matched.matched));
        table.column("matched_share", floats(rows.iter().map(|row| (row.method != Method::Naive).then_some(share))));
        table.column("controls", of_matched(matched.controls));
        let effective = |row: &Estimate| matched.effective_controls.filter(|_| row.method != Method::Naive);
        table.column("effective_controls", floats(rows.iter().map(effective)));
        table.column("strata", of_matched(matched.strata as u64));
        if flagged {
            let flags = rows.iter().map(|row| (row.method != Method::Naive && row.se.is_some()).then(|| row.is_flagged()));
            table.column("flagged", Arc::new(flags.collect::<BooleanArray>()));
        }
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// Whether the treated and the controls were alike before.
    pub fn balance(&self) -> Result<Table> {
        let rows = &self.balance;
        let column = |value: fn(&BalanceRow) -> f64| floats(rows.iter().map(move |row| Some(value(row)).filter(|value| !value.is_nan())));
        let mut table = TableBuilder::default();
        table.column("feature", words(rows.iter().map(|row| row.feature)));
        table.column("treated", column(|row| row.treated));
        table.column("others", column(|row| row.others));
        table.column("smd", column(|row| row.smd));
        table.column("treated_matched", column(|row| row.treated_matched));
        table.column("control_weighted", column(|row| row.control_weighted));
        table.column("smd_matched", column(|row| row.smd_matched));
        table.column("flagged", Arc::new(rows.iter().map(BalanceRow::is_flagged).collect::<BooleanArray>()));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// Half of the controls of each stratum as if they were treated, `n` times.
    pub fn placebo_draws(&self, n: u64, seed: u64, context: &Context) -> Result<Table> {
        let rows = self.controls.draws((n, seed), &self.estimates, self.spec.metrics.len(), &self.treated_of_strata, context)?;
        let share = |count: u64, draws: u64| (draws > 0).then(|| count as f64 / draws as f64);
        let interval = |row: &DrawsRow| (row.draws > 0).then(|| wilson(row.beyond, row.draws, Z));
        let mut table = TableBuilder::default();
        table.column("metric", words(rows.iter().map(|row| self.spec.metrics[row.metric].name())));
        table.column("method", words(rows.iter().map(|row| row.method.name())));
        table.column("draws", counts(rows.iter().map(|row| Some(row.draws))));
        table.column("p_value", floats(rows.iter().map(|row| row.as_far.and_then(|count| share(count, row.draws)))));
        table.column("beyond", floats(rows.iter().map(|row| share(row.beyond, row.draws))));
        table.column("beyond_low", floats(rows.iter().map(|row| interval(row).map(|(low, _)| low))));
        table.column("beyond_high", floats(rows.iter().map(|row| interval(row).map(|(_, high)| high))));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// The return on the cost of the campaign, by difference in differences.
    pub fn roi(&self, margin: f64, cost: TreatmentCost) -> Result<Table> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !(margin.is_finite() && margin > 0.0) {
            return invalid(format!("margin={margin:?}; expected the share of revenue that is profit, above 0"));
        }
        for (name, value) in [("fixed", cost.fixed), ("per_contact", cost.per_contact), ("per_order", cost.per_order)] {
            if !(value.is_finite() && value >= 0.0) {
                return invalid(format!("cost has {name}={value:?}; expected an amount of 0 or more"));
            }
        }
        let did = self.estimates.iter().find(|row| row.method == Method::Did && self.spec.metrics[row.metric].name() == "revenue");
        let Some(did) = did else {
            return invalid("roi needs the effect on revenue; add 'revenue' to metrics".to_owned());
        };
        let n = self.matched.treated as f64;
        let spent = cost.fixed + cost.per_contact * n + cost.per_order * self.orders_after as f64;
        let (low, high) = did.interval().unzip();
        let increments = [did.effect, low, high].map(|effect| effect.map(|effect| effect * n));
        let by_cost = |value: Option<f64>| value.filter(|_| spent > 0.0).map(|value| value / spent);
        let profit = |increment: Option<f64>| increment.map(|increment| margin * increment - spent);
        let p_positive = profit(increments[0]).zip(did.se).filter(|(_, se)| *se > 0.0 && spent > 0.0);
        let mut table = TableBuilder::default();
        table.column("group", words(std::iter::once("treated")));
        table.column("contacts", counts(std::iter::once(Some(self.matched.treated))));
        let mut column = |name: &str, value: Option<f64>| table.column(name, floats(std::iter::once(value)));
        column("cost", Some(spent));
        for (name, increment) in ["increment", "increment_low", "increment_high"].into_iter().zip(increments) {
            column(name, increment);
        }
        for (name, increment) in ["roi", "roi_low", "roi_high"].into_iter().zip(increments) {
            column(name, by_cost(profit(increment)));
        }
        column("revenue_per_cost", by_cost(increments[0]));
        column("break_even_effect", (spent > 0.0).then(|| spent / (margin * n)));
        column("p_positive", p_positive.map(|(profit, se)| normal_cdf(profit / (margin * se * n))));
        table.finish(1, Metadata::new(), self.report.clone())
    }
}
