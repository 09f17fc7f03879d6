//! Cohort retention, with cells that state whether they are observed and complete.
//!
//! A single scan logs every order ([`crate::state::order_log`]). Customers are then assigned to cohorts ([`members`]), their
//! orders are counted by cell ([`count`], [`kernel`]), and tables are built from the counts ([`table`]). All further results
//! (movement, revenue retention, cohort members) are computed from the order log, never from a second scan.

pub(crate) mod activity_bitmaps;
pub(crate) mod cell_counts;
pub(crate) mod cells;
pub(crate) mod cohorts;
pub(crate) mod count;
mod found;
pub(crate) mod from_base;
pub(crate) mod kernel;
pub(crate) mod members;
pub(crate) mod movement;
pub(crate) mod observation;
pub(crate) mod orders_by_customer;
pub(crate) mod period_bitmaps;
mod period_tables;
mod ranges;
pub(crate) mod revenue;
mod revenue_matrix;
pub(crate) mod spec;
mod sums;
pub(crate) mod table;
pub(crate) mod values;

use std::sync::OnceLock;

use arrow_schema::Schema;

use self::activity_bitmaps::ActivityBitmaps;
use self::cell_counts::CellCounts;
use self::cohorts::{Cohorts, check_cells};
use self::count::{Counter, Unattributed};
use self::found::{CohortView, Found, LoggedOrders};
use self::members::Member;
use self::observation::Observation;
use self::orders_by_customer::OrdersByCustomer;
use self::period_bitmaps::PeriodBitmaps;
use self::spec::CohortSpec;
pub use self::table::CohortPart;
use self::values::{Groups, Values};
use super::movement::Sums;
use crate::base::CustomerBase;
use crate::column::bounds::Cutoff;
use crate::column::chunks::InputSchema;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::ingest::builder::UpdateBuilder;
use crate::ingest::window_log::OrderLog;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit};
use crate::state::spec::{AsOf, BaseSpec};
use crate::table::Table;
use crate::time::calendar::date_text;

/// The entry of a report for customers who are no buyers.
const REFUND_ONLY: &str = "refund_only_customers";

/// Cohort retention result, from which all tables are built.
#[derive(Debug)]
pub struct CohortRetention {
    spec: CohortSpec,
    base: CustomerBase,
    /// Last day of the observation window.
    last_day: Option<i32>,
    found: Option<Found>,
    /// Orders and revenue in no cell.
    unattributed: Unattributed,
    report: Report,
    /// Long table, built on first use.
    table: OnceLock<Table>,
    /// If the base is on disk: the base, and its last day that counts. `base` then has no customers.
    on_disk: Option<(CustomerBase, Option<AsOf>)>,
}

/// Begins a scan set up by [`CohortSpec::scan`]. Columns and bounds are checked before any row is read.
pub fn begin_cohort_scan(read: &BaseSpec, schema: &Schema) -> Result<UpdateBuilder> {
    let input_schema = InputSchema::of(schema, &read.roles, read.timezone.as_deref(), read.amount_decimals)?;
    let fold = UpdateBuilder::new(read, input_schema)?;
    let (start, end) = ends(&fold);
    if let (Some(start), Some(end)) = (start, end)
        && !start.is_before(&end)
    {
        let message = format!("observation_start={} must be before the end of observation, {}", start.text(), end.text());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(fold)
}

/// The requested bounds of the observation window.
fn ends(fold: &UpdateBuilder) -> (Option<Cutoff>, Option<Cutoff>) {
    let edges = fold.edges();
    (edges.start, edges.end.or_else(|| fold.until().map(|day| Cutoff::of_day(day + 1))))
}

/// Ends the scan and counts.
pub fn finish_cohort_scan(spec: CohortSpec, fold: UpdateBuilder, context: &Context) -> Result<CohortRetention> {
    let ends = ends(&fold);
    let mut read = fold.spec().clone();
    // The RFM table has no attribute columns.
    read.roles.attributes = Vec::new();
    let mut update = fold.finish(context)?;
    let order_log = update.state.order_log.take().unwrap_or_default();
    of_base(spec, CustomerBase::of(read, update), order_log, ends, context)
}

/// Counts the orders of `order_log` for the customers of `base`; no order is after the end of observation.
pub(crate) fn of_base(
    spec: CohortSpec,
    base: CustomerBase,
    order_log: OrderLog,
    ends: (Option<Cutoff>, Option<Cutoff>),
    context: &Context,
) -> Result<CohortRetention> {
    let much = base.view_of_scan()?.customers().max(order_log.len());
    context.run_if_large(much, |threads| count(spec, base, order_log, ends, threads))?
}

fn count(
    spec: CohortSpec,
    base: CustomerBase,
    order_log: OrderLog,
    ends: (Option<Cutoff>, Option<Cutoff>),
    threads: Threads<'_>,
) -> Result<CohortRetention> {
    let Counted { last_day, found, unattributed, report } = count_orders(&spec, &base, order_log, ends, threads)?;
    table::check_money(&CohortView::of(&spec, &base, found.as_ref(), &report)?, &unattributed)?;
    Ok(CohortRetention { spec, base, last_day, found, unattributed, report, table: OnceLock::new(), on_disk: None })
}

/// Parts of a result.
struct Counted {
    last_day: Option<i32>,
    found: Option<Found>,
    unattributed: Unattributed,
    report: Report,
}

fn count_orders(
    spec: &CohortSpec,
    base: &CustomerBase,
    order_log: OrderLog,
    ends: (Option<Cutoff>, Option<Cutoff>),
    threads: Threads<'_>,
) -> Result<Counted> {
    let view = base.view_of_scan()?;
    let n = view.customers();
    let last_day = ends.1.map(|end| end.last_day()).or_else(|| view.last_day());
    let groups = Groups::of(spec.by_attribute(), &view)?;
    let mut unattributed = Unattributed::new(groups.number());
    let mut found = None;
    let mut without_purchase = None;
    let absent = !view.has_totals();
    let days = if absent { view.observed() } else { view.totals().days(threads) };
    if let Some(observation) = Observation::new(spec, &view, ends, days) {
        let counts;
        let (values, customers, cohorts, orders);
        let is_packed = spec.is_packed() && order_log.purchases().is_some();
        let bitmaps =
            ActivityBitmaps { spec, bitmaps: PeriodBitmaps { observation: &observation, customers: n, order_log: &order_log, threads } };
        if is_packed {
            check_cells(bitmaps.cells(), spec, &observation)?;
        }
        if is_packed && bitmaps.is_dense() {
            let counted = bitmaps.count()?;
            without_purchase = absent.then_some(counted.without_purchase);
            (cohorts, counts, unattributed) = (counted.cohorts, CellCounts::Dense(counted.counts), counted.unattributed);
            customers = cohorts.stored.iter().map(|cohort| cohort.size as usize).sum();
            (values, orders) = (None, LoggedOrders::Packed(order_log));
        } else {
            let orders_by_customer =
                if is_packed { OrdersByCustomer::of_purchase_log(&order_log, n) } else { OrdersByCustomer::of(order_log, n) };
            without_purchase = absent.then(|| orders_by_customer.without_purchase());
            values = spec.cohort_attribute().map(|i| Values::of(view.attribute(i), &view)).transpose()?;
            let members = members::memberships(spec, &observation, &orders_by_customer, &view, values.as_ref(), threads);
            customers = members.chunk_by(|a, b| a.customer == b.customer).count();
            cohorts = Cohorts::of(spec, &observation, &members, &groups, &view)?;
            let counter = Counter {
                spec,
                observation: &observation,
                orders_by_customer: &orders_by_customer,
                view: &view,
                groups: &groups,
                cohorts: &cohorts,
                threads,
            };
            (counts, unattributed) = counter.count(&members);
            orders = LoggedOrders::Sorted(orders_by_customer, members);
        }
        found = Some(Found { observation, orders, groups, values, customers, cohorts, counts });
    }
    let input_schema = view.kinds();
    let mut report = report(base.report(last_day)?, input_schema, &unattributed);
    if let Some(tally) = without_purchase {
        // The base has no totals, so it does not know which customers are buyers.
        let known = report.entries.iter_mut().filter(|entry| entry.name == REFUND_ONLY);
        known.for_each(|entry| *entry = ReportEntry::new(REFUND_ONLY, entry.kind, entry.unit, &tally, input_schema.money));
    }
    Ok(Counted { last_day, found, unattributed, report })
}

/// The report of the scan, with notes that break down unattributed orders by reason.
fn report(mut report: Report, input_schema: &InputSchema, unattributed: &Unattributed) -> Report {
    let note = |name, unit, tally| ReportEntry::new(name, EntryKind::Note, unit, tally, input_schema.money);
    report.entries.extend([
        note("outside_cohorts", ReportUnit::Customers, &unattributed.outside),
        note("before_observation_start", ReportUnit::Orders, &unattributed.before_start),
        note("before_first_purchase", ReportUnit::Orders, &unattributed.before_first),
        note("beyond_n_periods", ReportUnit::Orders, &unattributed.beyond),
    ]);
    report
}

impl CohortRetention {
    fn view(&self) -> Result<CohortView<'_>> {
        CohortView::of(&self.spec, &self.base, self.found.as_ref(), &self.report)
    }

    /// The long table: one row per cohort and period, and one row of unattributed orders per group. Built on first use;
    /// insufficient memory is an error before any is allocated.
    pub fn cells(&self, context: &Context) -> Result<Table> {
        if let Some(table) = self.table.get() {
            return Ok(table.clone());
        }
        let table = table::cells_table(&self.view()?, &self.unattributed, context)?;
        Ok(self.table.get_or_init(|| table).clone())
    }

    /// Excluded rows and the reasons.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The long table without rows: its column names and types.
    pub fn empty_cells(&self, context: &Context) -> Result<Table> {
        let view = self.view()?;
        table::cells_table(&CohortView { found: None, ..view }, &Unattributed::default(), context)
    }

    /// The cohort matrix of one column of the long table: one row per cohort, one column per period offset; or a part of it.
    pub fn matrix(&self, value: &str, part: Option<CohortPart>, context: &Context) -> Result<Table> {
        let view = self.view()?;
        let part = part.unwrap_or(CohortPart { cohorts: 0..usize::MAX, columns: usize::MAX });
        table::matrix_table(&view, table::Value::named(value, view.input_schema.money)?, &part, context)
    }

    /// Average retention rates over complete cells for the first `columns` periods: pooled, or the mean of the cohort rates
    /// if `simple`.
    pub fn average(&self, simple: bool, columns: usize) -> Result<Table> {
        table::average_table(&self.view()?, simple, columns)
    }

    /// Customer movement per calendar period: new, retained, reactivated, churned.
    pub fn movement(&self, context: &Context) -> Result<Table> {
        let rows = self.sums(context, |part, context| {
            let view = part.view()?;
            part.run(context, |threads| match view.bitmaps(threads) {
                Some(bitmaps) => Ok(Sums::Dense(bitmaps.movement())),
                None => view.count(threads, |counter| counter.movement()),
            })
        })?;
        period_tables::movement_table(&self.view()?, &rows)
    }

    /// Revenue retention per calendar period; `reactivation` includes the revenue of reactivated customers in nrr.
    pub fn revenue_retention(&self, reactivation: bool, context: &Context) -> Result<Table> {
        if self.view()?.input_schema.money.is_none() {
            let message = "revenue_retention() needs amounts: pass amount= to cohort_retention()";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let rows = self.sums(context, |part, context| {
            let view = part.view()?;
            part.run(context, |threads| {
                let quick = view.bitmaps(threads).and_then(|bitmaps| bitmaps.flows()).map(Sums::Dense);
                quick.map_or_else(|| view.count(threads, |counter| counter.flows()), Ok)
            })
        })?;
        period_tables::flow_table(&self.view()?, &rows, reactivation)
    }

    /// The cohort memberships of every customer, sorted by id.
    pub fn customers(&self, context: &Context) -> Result<Table> {
        self.concat(context, |part, context| {
            let view = part.view()?;
            let members = part.run(context, |threads| Ok(view.members(threads)))?;
            let mut codes: Vec<u32> = members.iter().map(|member| member.customer).collect();
            codes.dedup();
            view.base.sort_by_id(&mut codes, context)?;
            let of = |code: u32| {
                let first = members.partition_point(|member| member.customer < code);
                members[first..].iter().take_while(move |member| member.customer == code).copied()
            };
            let sorted: Vec<Member> = codes.into_iter().flat_map(of).collect();
            part.run(context, |threads| table::customers_table(&view, &sorted, threads))
        })
    }

    /// The RFM table of the same rows.
    pub fn rfm(&self, context: &Context) -> Result<Table> {
        if !self.spec.rfm {
            let message = "this result has no RFM table; pass rfm=True to cohort_retention()";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        self.concat(context, |part, context| crate::analysis::rfm::rfm(&part.base, part.last_day.map(AsOf::Date), true, context))
    }

    /// Runs `work` on the thread pool if there are many customers or orders.
    fn run<R: Send>(&self, context: &Context, work: impl FnOnce(Threads<'_>) -> Result<R> + Send) -> Result<R> {
        let customers = self.base.view_of_scan()?.customers();
        let orders = self.found.as_ref().map_or(0, |found| found.orders.len());
        context.run_if_large(customers.max(orders), work)?
    }

    /// Size of the result, used to decide on parallelism: cells plus customers or orders.
    pub fn size(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.cells + found.customers.max(found.orders.len()))
    }

    /// Number of cohorts, over all groups.
    pub fn n_cohorts(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.number)
    }

    /// Number of period columns of the cohort matrix.
    pub fn n_columns(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.longest)
    }

    /// Whether the first cohort is left-truncated: its first days precede the observation window.
    pub fn starts_truncated(&self) -> Result<bool> {
        let view = self.view()?;
        let first = view.found.and_then(|found| found.cohorts.first(&self.spec, &found.observation));
        Ok(first.and_then(|cohort| view.left_truncated(&cohort)).unwrap_or(false))
    }

    /// Number of customers in a cohort.
    pub fn n_customers(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.customers)
    }

    /// ISO texts of the start (inclusive) and end (exclusive) of the observation window; `None` if nothing is observed.
    pub fn observed(&self) -> Option<(String, String)> {
        self.found.as_ref().map(|found| (found.observation.start.text(), found.observation.end.text()))
    }

    /// The time zone in which times were read.
    pub fn timezone(&self) -> Option<String> {
        let (input_schema, _) = self.base.known().ok()?;
        input_schema.clock.zone().map(|zone| zone.name().to_owned())
    }

    /// The last day of the observation window, as text.
    pub fn as_of(&self) -> Option<String> {
        self.last_day.map(date_text)
    }
}
