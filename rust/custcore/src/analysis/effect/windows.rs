//! What the customers of an experiment did in the windows before and after exposure, and all that was known of them the day before.

use arrow_schema::Metadata;

use super::experiment::{Experiment, Windows};
use super::result::ExperimentFacts;
use crate::base::CustomerBase;
use crate::base::view::{BaseView, CustomerStats, DaysView, TotalsView};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::num::money::Money;
use crate::state::spec::{AsOf, DayRanges};
use crate::state::stats::EMPTY;

/// More days than a date is from another.
const FAR: i32 = 1 << 30;

/// Customers that are read in one go.
const CHUNK: usize = 1 << 13;

/// Orders and money of a customer. All zeros: unknown to the base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CustomerWindows {
    pub orders_before: u32,
    pub orders_after: u32,
    /// Purchases, purchase days and their rows in all time before exposure.
    pub n_orders: u32,
    pub n_days: u32,
    pub n_rows: u32,
    /// The last purchase day before exposure, if there is one.
    pub last_day: i32,
    pub units_before: i128,
    pub units_after: i128,
    /// Money in all time before exposure.
    pub units_total: i128,
}

/// Where the windows of customers are.
#[derive(Debug)]
enum Source<'a> {
    /// Counted from day records.
    Counted(Vec<CustomerWindows>),
    /// The code of each customer in the totals of ranges of days; those of the window before, of the window after, and of all ranges before
    /// exposure, which are all history if that is kept.
    Totals { codes: Vec<u32>, history: Vec<TotalsView<'a>>, before: TotalsView<'a>, after: TotalsView<'a> },
}

/// What the customers of an experiment did, in their order.
#[derive(Debug)]
pub(crate) struct WindowsOfCustomers<'a> {
    source: Source<'a>,
    /// Orders and money of each period, customer by customer; empty without periods.
    pub periods: Vec<(u32, i128)>,
    pub n_periods: usize,
    pub money: Option<Money>,
    pub facts: ExperimentFacts,
}

impl WindowsOfCustomers<'_> {
    /// Number of customers.
    pub(crate) fn len(&self) -> usize {
        match &self.source {
            Source::Counted(rows) => rows.len(),
            Source::Totals { codes, .. } => codes.len(),
        }
    }

    /// Orders and money in the window before exposure.
    pub(crate) fn before(&self, at: usize) -> CustomerStats {
        match &self.source {
            Source::Counted(rows) => CustomerStats { units: rows[at].units_before, orders: rows[at].orders_before.into(), ..EMPTY },
            Source::Totals { codes, before, .. } => of_code(*before, codes[at]),
        }
    }

    /// Orders and money in the window after exposure.
    pub(crate) fn after(&self, at: usize) -> CustomerStats {
        match &self.source {
            Source::Counted(rows) => CustomerStats { units: rows[at].units_after, orders: rows[at].orders_after.into(), ..EMPTY },
            Source::Totals { codes, after, .. } => of_code(*after, codes[at]),
        }
    }

    /// Orders, money and the last purchase day in all time before exposure.
    pub(crate) fn history(&self, at: usize) -> CustomerStats {
        match &self.source {
            Source::Counted(rows) => {
                let CustomerWindows { units_total, n_orders, last_day, .. } = rows[at];
                CustomerStats { units: units_total, orders: n_orders.into(), last: last_day, ..EMPTY }
            }
            Source::Totals { codes, history, .. } => {
                let mut sum = EMPTY;
                history.iter().for_each(|range| sum.join(&of_code(*range, codes[at])));
                sum
            }
        }
    }

    /// Rows of the purchases before exposure.
    pub(crate) fn n_rows(&self, at: usize) -> u64 {
        match &self.source {
            Source::Counted(rows) => rows[at].n_rows.into(),
            // Every row is an order.
            Source::Totals { .. } => self.history(at).orders,
        }
    }

    /// Days with a purchase before exposure; `None` if they are not counted.
    pub(crate) fn n_days(&self, at: usize) -> Option<u64> {
        if let Source::Counted(rows) = &self.source { Some(rows[at].n_days.into()) } else { None }
    }
}

#[inline]
fn of_code(totals: TotalsView<'_>, code: u32) -> CustomerStats {
    if code == NO_CODE { EMPTY } else { totals.get(code) }
}

/// The ranges of days that a scan keeps for an experiment whose customers are all exposed on one day: the windows before and after, and
/// with `history` all other days before exposure.
pub(crate) fn day_ranges(windows: Windows, exposed_on: AsOf, history: bool) -> DayRanges {
    let Windows { days_after, days_before, lag, gap } = windows;
    let mut ranges = vec![-gap - days_before..-gap, lag..lag + days_after];
    if history {
        ranges.push(-FAR..-gap - days_before);
    }
    if history && gap > 0 {
        ranges.push(-gap..0);
    }
    DayRanges { from: exposed_on, ranges }
}

/// The windows and what a base knows of them.
fn facts_of(base: &CustomerBase, experiment: &Experiment, windows: Windows) -> ExperimentFacts {
    let first_day = base.first_day().unwrap_or(i32::MAX);
    let starts_before = |&day: &i32| day - windows.gap - windows.days_before < first_day;
    let ends = experiment.exposed_on.iter().min().zip(experiment.exposed_on.iter().max());
    ExperimentFacts {
        cut_off: Some(experiment.exposed_on.iter().filter(|day| starts_before(day)).count() as u64),
        days: ends.map(|(&first, &last)| (first + windows.lag, windows.last_day(last))),
        ..ExperimentFacts::default()
    }
}

/// Finds the windows in a base that kept the totals of [`day_ranges`].
pub(crate) fn windows_of_scan<'a>(
    base: &'a CustomerBase,
    experiment: &Experiment,
    windows: Windows,
    context: &Context,
) -> Result<WindowsOfCustomers<'a>> {
    let missing = || Error::internal("a scan without the windows of its experiment");
    let ranges = base.range_totals();
    let [(_, before), (days_after, after), ..] = &ranges[..] else { return Err(missing()) };
    let exposed_on = days_after.start - windows.lag;
    if experiment.exposed_on.iter().any(|&day| day != exposed_on) {
        return Err(missing());
    }
    let history = ranges.iter().filter(|(days, _)| days.end <= exposed_on).map(|(_, totals)| *totals).collect();
    let view = base.view_of_scan()?;
    view.kinds().id.check_same_kinds(&experiment.key).map_err(|error| error.said_of("experiment"))?;
    let ids = view.lookup();
    let find = |at: usize| ids.find(experiment.ids.keys(), experiment.codes[at]).unwrap_or(NO_CODE);
    let codes = context.run_if_large(experiment.len(), |threads| threads.par_map_with(experiment.len(), || (), |(), at| find(at)))?;
    Ok(WindowsOfCustomers {
        source: Source::Totals { codes, history, before: *before, after: *after },
        periods: Vec::new(),
        n_periods: 0,
        money: base.input_schema()?.money,
        facts: facts_of(base, experiment, windows),
    })
}

/// Reads the windows from a base that has day records, as of the end of a day.
pub(crate) fn windows_of(
    base: &CustomerBase,
    experiment: &Experiment,
    (windows, every): (Windows, Option<i32>),
    as_of: i32,
    context: &Context,
) -> Result<WindowsOfCustomers<'static>> {
    let n_periods = every.map_or(0, |every| usize::try_from(windows.days_after / every).unwrap_or(0));
    let n = experiment.len();
    let mut customers = vec![CustomerWindows::default(); n];
    let mut periods = vec![(0, 0); n * n_periods];
    let reader = Reader { experiment, windows, every: every.unwrap_or(1), n_periods };
    base.by_ranges(context, |part| {
        let view = part.view_with_days(Some(as_of), context)?;
        view.kinds().id.check_same_kinds(&experiment.key).map_err(|error| error.said_of("experiment"))?;
        let is_final = part.days_are_final();
        reader.read(&view, (&mut customers, &mut periods), |_| true, (is_final, true), context)?;
        if is_final {
            return Ok(());
        }
        // Orders may have lines after exposure: what was known of each customer is the view of the day before.
        let mut days = experiment.exposed_on.clone();
        days.sort_unstable();
        days.dedup();
        for day in days {
            let then = part.view_with_days(Some(day - 1), context)?;
            reader.read(&then, (&mut customers, &mut periods), |exposed_on| exposed_on == day, (true, false), context)?;
        }
        Ok(())
    })?;
    Ok(WindowsOfCustomers {
        source: Source::Counted(customers),
        periods,
        n_periods,
        money: base.input_schema()?.money,
        facts: facts_of(base, experiment, windows),
    })
}

struct Reader<'a> {
    experiment: &'a Experiment,
    windows: Windows,
    every: i32,
    n_periods: usize,
}

impl Reader<'_> {
    /// Reads what customers of some days of exposure did `before` exposure, `after` it, or both.
    fn read(
        &self,
        view: &BaseView<'_>,
        (customers, mut periods): (&mut [CustomerWindows], &mut [(u32, i128)]),
        takes: impl Fn(i32) -> bool + Sync + Send,
        (before, after): (bool, bool),
        context: &Context,
    ) -> Result<()> {
        let days = view.days()?;
        let ids = view.lookup();
        let n = customers.len();
        let mut chunks = Vec::with_capacity(n.div_ceil(CHUNK));
        for (chunk, customers) in customers.chunks_mut(CHUNK).enumerate() {
            let (own, others) = std::mem::take(&mut periods).split_at_mut(customers.len() * self.n_periods);
            periods = others;
            chunks.push((chunk * CHUNK, customers, own));
        }
        let fill = |(first, customers, periods): (usize, &mut [CustomerWindows], &mut [(u32, i128)])| -> Result<()> {
            context.check()?;
            for (i, customer) in customers.iter_mut().enumerate() {
                let exposed_on = self.experiment.exposed_on[first + i];
                if takes(exposed_on)
                    && let Some(code) = ids.find(self.experiment.ids.keys(), self.experiment.codes[first + i])
                {
                    let periods = &mut periods[i * self.n_periods..(i + 1) * self.n_periods];
                    self.add(customer, periods, exposed_on, (&days, code), (before, after));
                }
            }
            Ok(())
        };
        let filled = context.run_if_large(n, |threads| threads.par_tasks(chunks, fill))?;
        filled.into_iter().collect()
    }

    fn add(
        &self,
        customer: &mut CustomerWindows,
        periods: &mut [(u32, i128)],
        exposed_on: i32,
        (days, code): (&DaysView, u32),
        (before, after): (bool, bool),
    ) {
        let Windows { days_after, days_before, lag, gap } = self.windows;
        let first_after = exposed_on + lag;
        let window_before = exposed_on - gap - days_before..exposed_on - gap;
        let mut last_known = i32::MIN;
        for record in days.records(code) {
            let is_purchase = !record.is_of_others();
            let orders = if is_purchase { record.orders } else { 0 };
            if record.day < exposed_on {
                if !before {
                    continue;
                }
                if orders > 0 {
                    customer.n_orders = customer.n_orders.saturating_add(orders);
                    customer.n_rows = customer.n_rows.saturating_add(record.purchase_rows());
                    customer.n_days += u32::from(record.day != last_known);
                    customer.last_day = record.day;
                    last_known = record.day;
                }
                customer.units_total += record.units;
                if window_before.contains(&record.day) {
                    customer.orders_before = customer.orders_before.saturating_add(orders);
                    customer.units_before += record.units;
                }
            } else if after && (first_after..first_after + days_after).contains(&record.day) {
                customer.orders_after = customer.orders_after.saturating_add(orders);
                customer.units_after += record.units;
                if let Some((of_period, units)) = periods.get_mut(((record.day - first_after) / self.every) as usize) {
                    *of_period += orders;
                    *units += record.units;
                }
            }
        }
    }
}

/// The day up to which a base is read, which must be known.
pub(crate) fn last_day(base: &CustomerBase, as_of: Option<i32>) -> Result<i32> {
    as_of
        .or_else(|| base.last_day())
        .ok_or_else(|| Error::new(ErrorKind::NotEnoughData, "the base has no data, so no window is over. Update it first"))
}

/// Metadata of a table of an experiment.
pub(crate) fn metadata(windows: Windows) -> Metadata {
    let Windows { days_after, days_before, lag, gap } = windows;
    let mut metadata = Metadata::new();
    metadata.insert("custcore.windows", format!("days_after={days_after} days_before={days_before} lag={lag} gap={gap}"));
    metadata
}
