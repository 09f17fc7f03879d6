//! What a scan kept of ranges of days instead of all days, see [`BaseSpec::day_ranges`].

use std::collections::BTreeSet;
use std::ops::Range;

use super::CustomerBase;
use super::known::{CachedCount, Known};
use super::spill::list::Spilled;
use super::view::TotalsView;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::state::customer_state::State;
use crate::state::spec::BaseSpec;
use crate::state::totals::{Codes, Totals};

impl CustomerBase {
    /// The totals of the ranges of days, by customer code.
    pub(crate) fn range_totals(&self) -> Vec<(&Range<i32>, TotalsView<'_>)> {
        let Ok((_, state)) = self.known() else { return Vec::new() };
        state.totals.ranges().map(|(days, totals)| (days, TotalsView(totals.stats()))).collect()
    }

    /// The base of the ranges of days before a day.
    pub(crate) fn of_ranges_before(&self, day: i32, context: &Context) -> Result<Self> {
        let known = self.known.as_ref().ok_or_else(|| Error::internal("ranges of days of a base without data"))?;
        let mut totals = Totals::new(false);
        context.run_if_large(self.size(), |threads| {
            let ranges = known.state.totals.ranges().filter(|(days, _)| days.end <= day);
            ranges.for_each(|(_, range)| totals.merge(range, Codes::Same, 0, threads));
        })?;
        totals.grow(known.state.interner.len());
        let mut state = State { interner: known.state.interner.view(), totals, ..known.state.empty_like() };
        (state.rows, state.first_day) = (known.state.rows, known.state.first_day);
        state.last_day = known.state.last_day.min(day - 1);
        let (spilled, batches, customers) = (Spilled::default(), BTreeSet::new(), CachedCount::default());
        let known = Known { state, input_schema: known.input_schema.clone(), spilled, batches, customers, ..*known };
        Ok(Self { spec: BaseSpec { day_ranges: None, ..self.spec.clone() }, known: Some(known), limit: None })
    }
}
