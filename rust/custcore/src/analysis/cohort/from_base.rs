//! Cohorts from a stored customer base: its days are replayed as if the rows were read again.

use super::spec::{CohortBy, CohortSpec};
use super::sums::CohortSums;
use super::{CohortRetention, of_base};
use crate::base::CustomerBase;
use crate::column::bounds::{Cutoff, ObservationBound};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::spec::AsOf;

/// Cohort retention of a base that stores days or orders; `as_of` is the last day of the observation window.
pub fn cohort_retention_of(base: &CustomerBase, spec: &CohortSpec, as_of: Option<AsOf>, context: &Context) -> Result<CohortRetention> {
    if !base.is_spilled() {
        return of_memory(base, spec, as_of, context);
    }
    let mut sums: Option<CohortSums> = None;
    base.by_ranges(context, |part| {
        let part = of_memory(part, spec, as_of, context)?;
        match &mut sums {
            None => sums = Some(CohortSums::of(part)),
            Some(sums) => sums.add(part)?,
        }
        Ok(())
    })?;
    let whole = sums.ok_or_else(|| Error::internal("a base without ranges"))?.finish()?;
    Ok(CohortRetention { on_disk: Some((base.clone(), as_of)), ..whole })
}

fn of_memory(base: &CustomerBase, spec: &CohortSpec, as_of: Option<AsOf>, context: &Context) -> Result<CohortRetention> {
    spec.check()?;
    let input_schema = base.input_schema()?;
    let as_of = as_of.map(|as_of| as_of.day(&input_schema.clock)).transpose()?;
    let start = spec.observation_start.map(|bound| date("observation_start", bound)).transpose()?;
    let end =
        spec.observation_end.map(|bound| date("observation_end", bound)).transpose()?.or_else(|| as_of.map(|day| Cutoff::of_day(day + 1)));
    if let (Some(start), Some(end)) = (start, end)
        && !start.is_before(&end)
    {
        let message = format!("observation_start={} must be before the end of observation, {}", start.text(), end.text());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let mut columns: Vec<&str> = Vec::new();
    columns.extend(spec.by.as_deref());
    let cohort_column = spec.cohort_column.as_deref().filter(|name| spec.cohort_by == CohortBy::Column && !columns.contains(name));
    columns.extend(cohort_column);
    let (base, order_log) = base.replay(end.map(|end| end.last_day()), start, spec.is_packed() && start.is_none(), context)?;
    of_base(spec.clone(), base.with_attributes(&columns)?, order_log, (start, end), context)
}

/// A bound of the observation window; a base stores days, not times.
fn date(argument: &str, bound: ObservationBound) -> Result<Cutoff> {
    match bound {
        ObservationBound::Date(day) => Ok(Cutoff::of_day(day)),
        ObservationBound::Naive(_) | ObservationBound::Instant(_) => {
            let message = format!("{argument} is a time, but a base stores days: pass a date, or use custcore.cohort_retention(data, ...)");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}
