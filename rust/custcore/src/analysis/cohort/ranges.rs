//! Results of a base that is read by ranges of ids: what needs the orders of customers is computed range by range.

use std::ops::AddAssign;

use arrow_select::concat::concat_batches;

use super::CohortRetention;
use super::from_base::cohort_retention_of;
use super::sums::union;
use crate::analysis::movement::Sums;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::Table;

impl CohortRetention {
    /// Calls `work` with the result of each range of a base on disk, or with this result.
    fn by_ranges(&self, context: &Context, mut work: impl FnMut(&Self) -> Result<()>) -> Result<()> {
        let Some((base, as_of)) = &self.on_disk else { return work(self) };
        base.by_ranges(context, |part| work(&cohort_retention_of(part, &self.spec, *as_of, context)?))
    }

    /// The sums by group and period of the customers of all ranges.
    pub(super) fn sums<T: Copy + Default + AddAssign>(
        &self,
        context: &Context,
        work: impl Fn(&Self, &Context) -> Result<Sums<T>>,
    ) -> Result<Sums<T>> {
        let Some(found) = self.found.as_ref().filter(|_| self.on_disk.is_some()) else { return work(self, context) };
        let range = found.observation.periods();
        let periods = usize::try_from(range.end - range.start).unwrap_or(0).max(1);
        let mut whole = Sums::new(periods.saturating_mul(found.groups.number()), found.orders.len());
        self.by_ranges(context, |part| {
            let sums = work(part, context)?;
            let Some(part) = &part.found else { return Ok(()) };
            let (_, ranks) = union(found.groups.values.as_ref(), part.groups.values.as_ref())?;
            let group = |group: usize| ranks.as_ref().map_or(group, |ranks| ranks[1][group] as usize);
            whole.merge_at(sums, |row| group(row / periods) * periods + row % periods);
            Ok(())
        })?;
        Ok(whole)
    }

    /// The tables of all ranges in turn.
    pub(super) fn concat(&self, context: &Context, work: impl Fn(&Self, &Context) -> Result<Table>) -> Result<Table> {
        if self.on_disk.is_none() {
            return work(self, context);
        }
        let mut batches = Vec::new();
        let mut report: Option<Report> = None;
        self.by_ranges(context, |part| {
            let table = work(part, context)?;
            match &mut report {
                None => report = Some(table.report),
                Some(report) => report.join(&table.report),
            }
            batches.push(table.batch);
            Ok(())
        })?;
        let (Some(first), Some(report)) = (batches.first(), report) else { return Err(Error::internal("a base without ranges")) };
        let batch = concat_batches(&first.schema(), &batches).map_err(Error::internal)?;
        Ok(Table { batch, report })
    }
}
