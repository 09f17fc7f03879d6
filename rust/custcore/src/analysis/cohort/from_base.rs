//! Cohorts of a base that is kept: its days are told once more, as if the rows had come again.

use super::spec::{CohortBy, CohortSpec};
use super::{CohortRetention, of_base};
use crate::base::CustomerBase;
use crate::column::bounds::{Cutoff, ObservationBound};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::spec::AsOf;

/// Counts the customers of a base that keeps days or orders; `as_of` is the last day that counts.
pub fn cohort_retention_of(base: &CustomerBase, spec: &CohortSpec, as_of: Option<AsOf>, context: &Context) -> Result<CohortRetention> {
    spec.check()?;
    let (kinds, _) = base.known()?;
    let as_of = as_of.map(|as_of| as_of.day(&kinds.clock)).transpose()?;
    let start = spec.observation_start.map(|bound| date("observation_start", bound)).transpose()?;
    let end =
        spec.observation_end.map(|bound| date("observation_end", bound)).transpose()?.or_else(|| as_of.map(|day| Cutoff::of_day(day + 1)));
    if let (Some(start), Some(end)) = (start, end)
        && !start.is_before(&end)
    {
        let message = format!("observation_start={} lies not before the end of observation, {}", start.text(), end.text());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let mut columns: Vec<&str> = Vec::new();
    columns.extend(spec.by.as_deref());
    let own = spec.cohort_column.as_deref().filter(|name| spec.cohort_by == CohortBy::Column && !columns.contains(name));
    columns.extend(own);
    let (base, order_log) = base.replay(end.map(|end| end.last_day()), start)?;
    of_base(spec.clone(), base.with_attributes(&columns)?, order_log, (start, end), context)
}

/// An end of observation; a base knows days, not times.
fn date(argument: &str, bound: ObservationBound) -> Result<Cutoff> {
    match bound {
        ObservationBound::Date(day) => Ok(Cutoff::of_day(day)),
        ObservationBound::Naive(_) | ObservationBound::Instant(_) => {
            let message = format!("{argument} is a time, and a base keeps days: pass a date, or use custcore.cohort_retention(data, ...)");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}
