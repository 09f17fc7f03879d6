//! Tables of an allocation.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, StringArray};
use arrow_schema::Metadata;

use super::frontier::frontier;
use super::plan::{Allocation, To};
use super::sensitivity::sensitivity;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::{Table, TableBuilder, nullable_floats};

/// The metadata entry of a table of sensitivities with the regret of the plan.
const REGRET: &str = "custcore.regret";

impl Allocation {
    /// Spend and what it brings, a row for each cell or option in the order given.
    pub fn table(&self) -> Result<Table> {
        let mut table = TableBuilder::default();
        self.names(&mut table);
        let plan = &self.plan;
        table.column("spend", floats(&plan.spend));
        table.column("value", floats(&plan.value));
        table.column("marginal", nullable_floats(plan.marginal.clone()));
        table.column("at", Arc::new(StringArray::from_iter_values(plan.at.iter().map(|at| at.name()))));
        let customers: ArrayRef = match &self.to {
            To::Cells(problem) => Arc::new(Float64Array::new_null(problem.cells.len())),
            To::Contacts(_) => floats(&plan.customers),
        };
        table.column("customers", customers);
        let mut report = self.report();
        if plan.gap > 0.0 {
            let cause = match &self.to {
                To::Cells(_) => "curves that are not concave",
                To::Contacts(_) => "whole customers",
            };
            report.remarks.push(format!("{cause}: another plan may gain up to {} more (gap)", plan.gap));
        }
        table.finish(plan.spend.len(), Metadata::new(), report)
    }

    /// What budgets would bring, a row for each; by default from the least possible one to twice the plan's.
    pub fn frontier(&self, budgets: Option<&[f64]>) -> Result<Table> {
        let points = frontier(self, budgets)?;
        let column = |of: fn(&super::frontier::Point) -> f64| -> Vec<f64> { points.iter().map(of).collect() };
        let mut table = TableBuilder::default();
        table.column("budget", floats(&column(|point| point.budget)));
        table.column("value", floats(&column(|point| point.value)));
        table.column("price", floats(&column(|point| point.price)));
        let roi = column(|point| if point.spend > 0.0 { (point.value - point.spend) / point.spend } else { f64::NAN });
        table.column("roi", nullable_floats(roi));
        table.finish(points.len(), Metadata::new(), self.report())
    }

    /// Spend over `n` draws of values and heights of curves from their standard errors; the metadata has the regret of the plan.
    pub fn sensitivity(&self, n: usize, seed: u64, context: &Context) -> Result<Table> {
        let found = sensitivity(self, n, seed, context)?;
        let mut table = TableBuilder::default();
        self.names(&mut table);
        table.column("spend", floats(&self.plan.spend));
        table.column("spend_median", floats(&found.median));
        table.column("spend_low", floats(&found.low));
        table.column("spend_high", floats(&found.high));
        table.column("funded_share", floats(&found.funded));
        let mut metadata = Metadata::new();
        metadata.insert(REGRET, format!("{:?}", found.regret));
        table.finish(self.plan.spend.len(), metadata, self.report())
    }

    fn names(&self, table: &mut TableBuilder) {
        let (segments, channels): (StringArray, StringArray) = match &self.to {
            To::Cells(problem) => names_of(problem.cells.iter().map(|cell| (cell.segment.as_str(), cell.channel.as_deref()))),
            To::Contacts(contacts) => names_of(contacts.options.iter().map(|option| (option.segment.as_str(), option.channel.as_deref()))),
        };
        table.column("segment", Arc::new(segments));
        table.column("channel", Arc::new(channels));
    }

    fn report(&self) -> Report {
        Report { n_rows: self.plan.spend.len() as u64, ..Report::default() }
    }
}

fn names_of<'a>(names: impl Iterator<Item = (&'a str, Option<&'a str>)> + Clone) -> (StringArray, StringArray) {
    (names.clone().map(|(segment, _)| Some(segment)).collect(), names.map(|(_, channel)| channel).collect())
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}
