//! What the customers of an experiment did in the windows before and after exposure, and all that was known of them the day before.

use arrow_schema::Metadata;

use super::experiment::{Experiment, Windows};
use super::result::ExperimentFacts;
use crate::base::CustomerBase;
use crate::base::view::{BaseView, DaysView};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::Money;

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

/// What the customers of an experiment did, in their order.
#[derive(Debug, Default)]
pub(crate) struct WindowsOfCustomers {
    pub customers: Vec<CustomerWindows>,
    /// Orders and money of each period, customer by customer; empty without periods.
    pub periods: Vec<(u32, i128)>,
    pub n_periods: usize,
    pub money: Option<Money>,
    pub facts: ExperimentFacts,
}

/// Reads the windows from a base that has day records, as of the end of a day.
pub(crate) fn windows_of(
    base: &CustomerBase,
    experiment: &Experiment,
    (windows, every): (Windows, Option<i32>),
    as_of: i32,
    context: &Context,
) -> Result<WindowsOfCustomers> {
    let n_periods = every.map_or(0, |every| usize::try_from(windows.days_after / every).unwrap_or(0));
    let n = experiment.len();
    let mut all = WindowsOfCustomers {
        customers: vec![CustomerWindows::default(); n],
        periods: vec![(0, 0); n * n_periods],
        n_periods,
        money: base.input_schema()?.money,
        ..WindowsOfCustomers::default()
    };
    let first_day = base.first_day().unwrap_or(i32::MAX);
    let starts_before = |&day: &i32| day - windows.gap - windows.days_before < first_day;
    all.facts.cut_off = Some(experiment.exposed_on.iter().filter(|day| starts_before(day)).count() as u64);
    let ends = experiment.exposed_on.iter().min().zip(experiment.exposed_on.iter().max());
    all.facts.days = ends.map(|(&first, &last)| (first + windows.lag, windows.last_day(last)));
    let reader = Reader { experiment, windows, every: every.unwrap_or(1), n_periods };
    base.by_ranges(context, |part| {
        let view = part.view_with_days(Some(as_of), context)?;
        view.kinds().id.check_same_kinds(&experiment.key).map_err(|error| error.said_of("experiment"))?;
        let is_final = part.days_are_final();
        reader.read(&view, &mut all, |_| true, (is_final, true), context)?;
        if is_final {
            return Ok(());
        }
        // Orders may have lines after exposure: what was known of each customer is the view of the day before.
        let mut days = experiment.exposed_on.clone();
        days.sort_unstable();
        days.dedup();
        for day in days {
            let then = part.view_with_days(Some(day - 1), context)?;
            reader.read(&then, &mut all, |exposed_on| exposed_on == day, (true, false), context)?;
        }
        Ok(())
    })?;
    Ok(all)
}

/// Where the windows and the periods of a customer are written.
type CustomerSlot<'a> = (&'a mut CustomerWindows, &'a mut [(u32, i128)]);

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
        all: &mut WindowsOfCustomers,
        takes: impl Fn(i32) -> bool + Sync + Send,
        (before, after): (bool, bool),
        context: &Context,
    ) -> Result<()> {
        let days = view.days()?;
        let ids = view.lookup();
        let mut rest = all.periods.as_mut_slice();
        let mut rows: Vec<CustomerSlot<'_>> = Vec::with_capacity(all.customers.len());
        for customer in &mut all.customers {
            let (own, after) = rest.split_at_mut(self.n_periods);
            rest = after;
            rows.push((customer, own));
        }
        let fill = |(chunk, customers): (usize, &mut [CustomerSlot<'_>])| -> Result<()> {
            context.check()?;
            for (at, (customer, periods)) in (chunk * CHUNK..).zip(customers) {
                let exposed_on = self.experiment.exposed_on[at];
                if takes(exposed_on)
                    && let Some(code) = ids.find(self.experiment.ids.keys(), self.experiment.codes[at])
                {
                    self.add(customer, periods, exposed_on, (&days, code), (before, after));
                }
            }
            Ok(())
        };
        let filled = context.run_if_large(rows.len(), |threads| threads.par_tasks(rows.chunks_mut(CHUNK).enumerate(), fill))?;
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
