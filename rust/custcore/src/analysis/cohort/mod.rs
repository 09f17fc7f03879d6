//! Cohort retention: who comes back, with cells that say what was observed.
//!
//! One scan writes down every order ([`crate::state::order_log`]). Then customers are put into cohorts ([`members`]), their orders
//! are counted into cells ([`count`], by [`kernel`]), and tables are made of the counts ([`table`]). Whatever else is asked
//! for later (movement, revenue retention, the customers themselves) comes from the journal, never from a second scan.

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
mod period_tables;
mod revenue;
mod revenue_matrix;
pub(crate) mod spec;
pub(crate) mod table;

use std::sync::OnceLock;

use arrow_schema::Schema;

use self::activity_bitmaps::ActivityBitmaps;
use self::cell_counts::CellCounts;
use self::cohorts::{Cohorts, check_cells};
use self::count::{Counter, Unattributed};
use self::found::{CohortView, Found, LoggedOrders};
use self::members::{Groups, Member, Values};
use self::movement::Sums;
use self::observation::Observation;
use self::orders_by_customer::OrdersByCustomer;
use self::spec::CohortSpec;
pub use self::table::CohortPart;
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

/// The result: all its tables come from here.
#[derive(Debug)]
pub struct CohortRetention {
    spec: CohortSpec,
    base: CustomerBase,
    /// The last day that counts.
    last_day: Option<i32>,
    found: Option<Found>,
    /// What lies in no cell.
    lost: Unattributed,
    report: Report,
    /// The long table, once it was asked for.
    table: OnceLock<Table>,
}

/// Begins a scan that [`CohortSpec::scan`] has set up. Columns and bounds are checked here, before any rows are read.
pub fn begin_cohort_scan(read: &BaseSpec, schema: &Schema) -> Result<UpdateBuilder> {
    let kinds = InputSchema::of(schema, &read.roles, read.timezone.as_deref(), read.amount_decimals)?;
    let fold = UpdateBuilder::new(read, kinds)?;
    let (start, end) = ends(&fold);
    if let (Some(start), Some(end)) = (start, end)
        && !start.is_before(&end)
    {
        let message = format!("observation_start={} lies not before the end of observation, {}", start.text(), end.text());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(fold)
}

/// The ends of observation that were asked for.
fn ends(fold: &UpdateBuilder) -> (Option<Cutoff>, Option<Cutoff>) {
    let edges = fold.edges();
    (edges.start, edges.end.or_else(|| fold.until().map(|day| Cutoff::of_day(day + 1))))
}

/// Ends the scan and counts.
pub fn finish_cohort_scan(spec: CohortSpec, fold: UpdateBuilder, context: &Context) -> Result<CohortRetention> {
    let ends = ends(&fold);
    let mut read = fold.spec().clone();
    // The table of RFM has no columns of attributes.
    read.roles.attributes = Vec::new();
    let mut update = fold.finish(context)?;
    let order_log = update.state.order_log.take().unwrap_or_default();
    of_base(spec, CustomerBase::of(read, update), order_log, ends, context)
}

/// Counts the orders of `order_log`, none of which lies after the end of observation, by the customers of `base`.
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
    let Counted { last_day, found, lost, report } = count_orders(&spec, &base, order_log, ends, threads)?;
    table::check_money(&CohortView::of(&spec, &base, found.as_ref(), &report)?, &lost)?;
    Ok(CohortRetention { spec, base, last_day, found, lost, report, table: OnceLock::new() })
}

/// All that a result is made of.
struct Counted {
    last_day: Option<i32>,
    found: Option<Found>,
    lost: Unattributed,
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
    let groups = Groups::of(spec.by_attribute(), &view);
    let mut lost = Unattributed::new(groups.number());
    let mut found = None;
    let mut without_purchase = None;
    let absent = !view.has_totals();
    let days = if absent { view.observed() } else { view.totals().days(threads) };
    if let Some(observation) = Observation::new(spec, &view, ends, days) {
        let counts;
        let (values, customers, cohorts, orders);
        let is_packed = spec.is_packed() && order_log.purchases().is_some();
        let masks = ActivityBitmaps { spec, observation: &observation, customers: n, order_log: &order_log, threads };
        if is_packed {
            check_cells(masks.cells(), spec, &observation)?;
        }
        if is_packed && masks.are_few() {
            let counted = masks.count()?;
            without_purchase = absent.then_some(counted.without_purchase);
            (cohorts, counts, lost) = (counted.cohorts, CellCounts::Dense(counted.counts), counted.lost);
            customers = cohorts.kept.iter().map(|cohort| cohort.size as usize).sum();
            (values, orders) = (None, LoggedOrders::Packed(order_log));
        } else {
            let orders_by_customer =
                if is_packed { OrdersByCustomer::of_purchase_log(&order_log, n) } else { OrdersByCustomer::of(order_log, n) };
            without_purchase = absent.then(|| orders_by_customer.without_purchase());
            values = spec.cohort_attribute().map(|i| Values::of(view.attribute(i), &view));
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
            (counts, lost) = counter.count(&members);
            orders = LoggedOrders::Sorted(orders_by_customer, members);
        }
        found = Some(Found { observation, orders, groups, values, customers, cohorts, counts });
    }
    let kinds = view.kinds();
    let mut report = report(base.report(last_day)?, kinds, &lost);
    if let Some(tally) = without_purchase {
        // The base kept nothing that tells who bought.
        let known = report.entries.iter_mut().filter(|entry| entry.name == "refund_only_customers");
        known.for_each(|entry| *entry = ReportEntry::new(entry.name, entry.kind, entry.unit, &tally, kinds.money));
    }
    Ok(Counted { last_day, found, lost, report })
}

/// The report of the scan, with notes that take apart what lies in no cell.
fn report(mut report: Report, kinds: &InputSchema, lost: &Unattributed) -> Report {
    let note = |name, unit, tally| ReportEntry::new(name, EntryKind::Note, unit, tally, kinds.money);
    report.entries.extend([
        note("outside_cohorts", ReportUnit::Customers, &lost.outside),
        note("before_observation_start", ReportUnit::Orders, &lost.before_start),
        note("before_first_purchase", ReportUnit::Orders, &lost.before_first),
        note("beyond_n_periods", ReportUnit::Orders, &lost.beyond),
    ]);
    report
}

impl CohortRetention {
    fn view(&self) -> Result<CohortView<'_>> {
        CohortView::of(&self.spec, &self.base, self.found.as_ref(), &self.report)
    }

    /// The long table: a row per cohort and period, and for each group what lies in no cell. It is made when it is first
    /// asked for; where memory does not suffice for it, that is an error before any is taken.
    pub fn cells(&self, context: &Context) -> Result<Table> {
        if let Some(table) = self.table.get() {
            return Ok(table.clone());
        }
        let table = table::cells_table(&self.view()?, &self.lost, context)?;
        Ok(self.table.get_or_init(|| table).clone())
    }

    /// What was left out, and why.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The long table without its rows: names and types of its columns.
    pub fn empty_cells(&self, context: &Context) -> Result<Table> {
        let view = self.view()?;
        table::cells_table(&CohortView { found: None, ..view }, &Unattributed::default(), context)
    }

    /// The wide table of one column of the long one: a row per cohort, a column per period; or a part of it.
    pub fn matrix(&self, value: &str, part: Option<CohortPart>, context: &Context) -> Result<Table> {
        let view = self.view()?;
        let part = part.unwrap_or(CohortPart { cohorts: 0..usize::MAX, columns: usize::MAX });
        table::matrix_table(&view, table::Value::named(value, view.kinds.money)?, &part, context)
    }

    /// The averages over complete cells: of all customers, or (`simple`) of the rates; of the first `columns` periods.
    pub fn average(&self, simple: bool, columns: usize) -> Result<Table> {
        table::average_table(&self.view()?, simple, columns)
    }

    /// Customers per calendar period: new, retained, reactivated, churned.
    pub fn movement(&self, context: &Context) -> Result<Table> {
        let view = self.view()?;
        let rows = self.run(context, |threads| match view.masks(threads) {
            Some(masks) => Ok(Sums::Dense(masks.movement())),
            None => view.count(threads, |counter| counter.movement()),
        })?;
        period_tables::movement_table(&view, &rows)
    }

    /// Revenue retention per calendar period; `reactivation` says whether the money of customers who are back counts in nrr.
    pub fn revenue_retention(&self, reactivation: bool, context: &Context) -> Result<Table> {
        let view = self.view()?;
        if view.kinds.money.is_none() {
            let message = "revenue_retention() needs money: pass amount= to cohort_retention()";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let rows = self.run(context, |threads| {
            let quick = view.masks(threads).and_then(|masks| masks.flows()).map(Sums::Dense);
            quick.map_or_else(|| view.count(threads, |counter| counter.flows()), Ok)
        })?;
        period_tables::flow_table(&view, &rows, reactivation)
    }

    /// The cohort of every customer, by id.
    pub fn customers(&self, context: &Context) -> Result<Table> {
        let view = self.view()?;
        let members = self.run(context, |threads| Ok(view.members(threads)))?;
        let mut codes: Vec<u32> = members.iter().map(|member| member.customer).collect();
        codes.dedup();
        view.base.sort_by_id(&mut codes, context)?;
        let of = |code: u32| {
            let first = members.partition_point(|member| member.customer < code);
            members[first..].iter().take_while(move |member| member.customer == code).copied()
        };
        let sorted: Vec<Member> = codes.into_iter().flat_map(of).collect();
        self.run(context, |threads| table::customers_table(&view, &sorted, threads))
    }

    /// The RFM table of the same rows.
    pub fn rfm(&self, context: &Context) -> Result<Table> {
        if !self.spec.rfm {
            let message = "there is no RFM table in this result; pass rfm=True to cohort_retention()";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        crate::analysis::rfm::rfm(&self.base, self.last_day.map(AsOf::Date), true, context)
    }

    /// Does `work` on the pool where there are many customers or orders.
    fn run<R: Send>(&self, context: &Context, work: impl FnOnce(Threads<'_>) -> Result<R> + Send) -> Result<R> {
        let customers = self.base.view_of_scan()?.customers();
        let orders = self.found.as_ref().map_or(0, |found| found.orders.len());
        context.run_if_large(customers.max(orders), work)?
    }

    /// How much there is to look at: cells, and customers or orders.
    pub fn size(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.cells + found.customers.max(found.orders.len()))
    }

    /// Number of cohorts, over all groups.
    pub fn n_cohorts(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.number)
    }

    /// Number of columns of the wide table.
    pub fn n_columns(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.longest)
    }

    /// Whether the first days of the first cohort were not observed.
    pub fn starts_truncated(&self) -> Result<bool> {
        let view = self.view()?;
        let first = view.found.and_then(|found| found.cohorts.first(&self.spec, &found.observation));
        Ok(first.and_then(|cohort| view.left_truncated(&cohort)).unwrap_or(false))
    }

    /// Number of customers who are in a cohort.
    pub fn n_customers(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.customers)
    }

    /// ISO texts of the first moment observed and of the first after it; `None` where nothing was.
    pub fn observed(&self) -> Option<(String, String)> {
        self.found.as_ref().map(|found| (found.observation.start.text(), found.observation.end.text()))
    }

    /// The zone that times were read in.
    pub fn timezone(&self) -> Option<String> {
        let (kinds, _) = self.base.known().ok()?;
        kinds.clock.zone().map(|zone| zone.name().to_owned())
    }

    /// The last day that counts, as text.
    pub fn as_of(&self) -> Option<String> {
        self.last_day.map(date_text)
    }
}
