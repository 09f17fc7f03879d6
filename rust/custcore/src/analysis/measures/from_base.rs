//! Measures of a customer base, from its day records.

use std::ops::Range;

use super::found::{CountedPeriods, MOST_ROWS, Measures, check_rows};
use super::grouping::Grouping;
use super::kernel::{DayOfCustomer, MeasureSums, add_buyer};
use super::segments::CustomerSegments;
use super::spec::MeasuresSpec;
use crate::analysis::cohort::observation::Observation;
use crate::analysis::movement::Sums;
use crate::base::CustomerBase;
use crate::base::view::{BaseView, DaysView};
use crate::column::bounds::Cutoff;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::{ROWS_WORTH_THREADS, Threads};
use crate::report::Report;
use crate::state::days::DayRecord;
use crate::state::spec::AsOf;

impl Measures {
    /// The measures of a base that keeps days, as of the end of a day. A base on disk is read by ranges of ids.
    pub fn of_base(
        base: &CustomerBase,
        spec: &MeasuresSpec,
        segments: Option<&CustomerSegments>,
        as_of: Option<AsOf>,
        context: &Context,
    ) -> Result<Self> {
        let input_schema = base.input_schema()?;
        let day = as_of.map(|as_of| as_of.day(&input_schema.clock)).transpose()?;
        Self::of_base_at(base, spec, segments, day, context)
    }

    /// The same, by local day.
    pub(super) fn of_base_at(
        base: &CustomerBase,
        spec: &MeasuresSpec,
        segments: Option<&CustomerSegments>,
        day: Option<i32>,
        context: &Context,
    ) -> Result<Self> {
        let grouping = Grouping::new(spec, segments)?;
        let mut counted = CountedPeriods::default();
        let (mut report, mut column, mut last_day): (Option<Report>, _, _) = (None, None, day);
        base.by_ranges(context, |part| {
            let view = part.view_with_days(day, context)?;
            let days = view.days()?;
            last_day = day.or_else(|| view.last_day());
            if column.is_none() {
                column = grouping.column(&view)?;
            }
            if let Some(last_day) = last_day {
                let work = |threads: Threads<'_>| count(&mut counted, (&view, &days), (spec, grouping, last_day), context, threads);
                context.run_if_large(days.len().max(view.customers()), work)??;
            }
            let of_part = view.report();
            match &mut report {
                None => report = Some(of_part),
                Some(report) => report.join(&of_part),
            }
            Ok(())
        })?;
        let report = report.ok_or_else(|| Error::internal("a base without ranges"))?;
        counted.finish(spec, (base.input_schema()?.money, column), last_day, report)
    }
}

/// How many customers are counted between two checks for cancelling.
const CHECKED: usize = 4_096;

/// Counts the customers of a view, with days up to `last_day`.
fn count(
    counted: &mut CountedPeriods,
    (view, days): (&BaseView<'_>, &DaysView),
    (spec, grouping, last_day): (&MeasuresSpec, Grouping<'_>, i32),
    context: &Context,
    threads: Threads<'_>,
) -> Result<()> {
    let Some((first, last)) = days.ends() else { return Ok(()) };
    let (calendar, period) = spec.periods(first);
    let window = (Cutoff::of_day(first), Cutoff::of_day(last_day + 1));
    let observation = Observation::of(calendar, period, window, Some((first, last)));
    let groups = grouping.of(view, threads)?;
    let number = usize::try_from(observation.periods().end - observation.periods().start).unwrap_or(0);
    let rows = number.saturating_mul(groups.labels.len());
    if rows > MOST_ROWS {
        check_rows(number, groups.labels.len(), Some((first, last_day)))?;
    }
    let work = |run: Range<usize>| -> Result<_> {
        let mut sums = Sums::new(rows, days.len());
        let (mut of_customer, mut active) = (Vec::new(), Vec::new());
        let (mut first_purchase, mut mixed_days) = (None::<i32>, 0);
        for code in run {
            if code.is_multiple_of(CHECKED) {
                context.check()?;
            }
            of_customer.clear();
            of_customer.extend(days.records(code as u32).map(|record| {
                mixed_days += u64::from(record.orders > 0 && record.others > 0);
                day_of(&record)
            }));
            let Some(first) = of_customer.iter().find(|day| day.is_purchase) else { continue };
            first_purchase = Some(first_purchase.map_or(first.day, |day| day.min(first.day)));
            let mut rows = sums.periods(groups.group(code) * number, number);
            add_buyer(&mut rows, &of_customer, |day| observation.place(day), &mut active);
        }
        Ok((sums, first_purchase, mixed_days))
    };
    let customers = view.customers();
    let parallel = customers >= ROWS_WORTH_THREADS && rows < ROWS_WORTH_THREADS;
    let runs = if parallel { threads.par_chunks(customers, work) } else { vec![work(0..customers)] };
    let mut whole: Option<Sums<MeasureSums>> = None;
    for counts in runs {
        let (sums, first_purchase, mixed_days) = counts?;
        counted.note_purchase(first_purchase);
        counted.mixed_days += mixed_days;
        match &mut whole {
            None => whole = Some(sums),
            Some(whole) => whole.merge(sums),
        }
    }
    // All time is one period, whatever day it is counted from.
    let first = if spec.period.is_none() { 0 } else { observation.periods().start };
    counted.add(&groups.labels, whole.unwrap_or_default(), (first, number));
    Ok(())
}

/// The purchases or the refunds of a record.
fn day_of(record: &DayRecord) -> DayOfCustomer {
    let is_purchase = !record.is_of_others();
    let orders = if is_purchase { record.orders } else { record.refund_orders() };
    DayOfCustomer { day: record.day, is_purchase, orders: i64::from(orders), rows: i64::from(record.purchase_rows()), units: record.units }
}
