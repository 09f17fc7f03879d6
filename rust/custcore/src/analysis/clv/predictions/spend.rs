//! The expected spend of the customers of a summary.

use arrow_schema::Metadata;

use super::spec::Spend;
use crate::analysis::clv::spend::{SpendModel, no_amounts};
use crate::analysis::clv::summary::ClvSummary;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::table::{CUSTOMER_ID, Table, TableBuilder, nullable_floats};

impl SpendModel {
    /// Expected spend of a purchase day of all customers, ascending by id.
    pub fn predict(&self, summary: &ClvSummary, context: &Context) -> Result<Table> {
        let spend = Spend::Model(Box::new(self.clone()));
        let values = SpendOfRows::of(&spend, summary, context)?;
        let report = values.report(summary, &spend);
        let mut table = TableBuilder::default();
        let mut metadata = Metadata::new();
        if let Some(key) = &summary.key {
            table.id_arrays(key, summary.ids.clone());
            metadata.insert(CUSTOMER_ID, key.names().to_text());
        }
        table.column("expected_spend", nullable_floats(values.values));
        table.finish(summary.rows(), metadata, report)
    }
}

/// Expected spend of a purchase day of each row.
pub(crate) struct SpendOfRows {
    /// NaN where it is unknown.
    values: Vec<f64>,
    /// Customers without a mean spend of their own.
    pub without_mean: u64,
    /// Customers without an expected spend.
    pub without_expectation: u64,
}

impl SpendOfRows {
    /// The expected spend of the customers of a summary.
    pub(crate) fn of(spend: &Spend, summary: &ClvSummary, context: &Context) -> Result<Self> {
        let Some(m_x) = &summary.m_x else { return Err(no_amounts()) };
        let n = summary.rows();
        let own = |row: usize| (summary.x[row] > 0 && m_x.get(row) > 0.0).then(|| m_x.get(row));
        let values = context.run_if_large(n, |threads| {
            threads.par_map(n, |row| match spend {
                Spend::Model(model) => model.expected(summary.x(row), own(row)).unwrap_or(f64::NAN),
                Spend::None | Spend::OwnMean => own(row).unwrap_or(f64::NAN),
            })
        })?;
        let without_mean = (0..n).filter(|&row| own(row).is_none()).count() as u64;
        let without_expectation = values.iter().filter(|value| value.is_nan()).count() as u64;
        Ok(Self { values, without_mean, without_expectation })
    }

    /// Why values are null.
    pub(crate) fn report(&self, summary: &ClvSummary, spend: &Spend) -> Report {
        let note = |name, count| {
            let tally = Tally { count, ..Tally::default() };
            ReportEntry::new(name, EntryKind::Note, ReportUnit::Customers, &tally, None)
        };
        let mut report = summary.report();
        report.entries.push(note("without_mean_spend", self.without_mean));
        report.entries.push(note("without_expected_spend", self.without_expectation));
        if self.without_expectation > 0 {
            report.remarks.push(match spend {
                Spend::Model(_) => format!(
                    "{} customers have no expected spend: the mean spend of all customers is infinite at q <= 1 of the Gamma-Gamma model. \
                     Use spend='own_mean'",
                    self.without_expectation
                ),
                _ => format!(
                    "{} customers have no mean spend of their own, and so no expected spend. A GammaGamma model expects the spend of all",
                    self.without_expectation
                ),
            });
        }
        report
    }

    /// The expected spend of a row; NaN where it is unknown.
    #[inline]
    pub(crate) fn of_row(&self, row: usize) -> f64 {
        self.values[row]
    }
}
