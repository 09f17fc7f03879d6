//! Measures of transactions without a base. The scan is that of plain cohorts: a packed log of the purchases, from which bitmaps
//! of the active periods and sums by period are made, and a log of the refunds. Groups are counted from a base of day records.

use super::found::{CountedPeriods, Measures};
use super::kernel::{DayOfCustomer, MeasureSums, add_buyer};
use super::labels::Label;
use super::segments::CustomerSegments;
use super::spec::MeasuresSpec;
use crate::analysis::cohort::cell_counts::is_dense;
use crate::analysis::cohort::observation::Observation;
use crate::analysis::cohort::orders_by_customer::{CohortOrder, OrdersByCustomer};
use crate::analysis::cohort::period_bitmaps::{Activity, PeriodBitmaps, RepeatedActivity};
use crate::analysis::movement::Sums;
use crate::base::CustomerBase;
use crate::column::bounds::Cutoff;
use crate::column::chunks::InputSchema;
use crate::column::mark::PURCHASE;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::ingest::builder::UpdateBuilder;
use crate::ingest::window_log::OrderLog;
use crate::report::{ReportEntry, Tally};
use crate::state::spec::BaseSpec;

/// The entry of a report for customers who are no buyers.
const REFUND_ONLY: &str = "refund_only_customers";

impl Measures {
    /// Begins a scan set up by [`MeasuresSpec::scan`]. Columns are checked before any row is read.
    pub fn begin_scan(read: &BaseSpec, schema: &arrow_schema::Schema) -> Result<UpdateBuilder> {
        UpdateBuilder::new(read, InputSchema::of(schema, &read.roles, read.timezone.as_deref(), read.amount_decimals)?)
    }

    /// Ends the scan and counts.
    pub fn finish_scan(spec: &MeasuresSpec, segments: Option<&CustomerSegments>, fold: UpdateBuilder, context: &Context) -> Result<Self> {
        let until = fold.until();
        let mut read = fold.spec().clone();
        let mut update = fold.finish(context)?;
        let Some(order_log) = update.state.order_log.take() else {
            return Self::of_base_at(&CustomerBase::of(read, update), spec, segments, until, context);
        };
        read.roles.attributes = Vec::new();
        let base = CustomerBase::of(read, update);
        let much = base.view_of_scan()?.customers().max(order_log.len());
        context.run_if_large(much, |threads| of_log(spec, &base, &order_log, until, threads))?
    }
}

fn of_log(spec: &MeasuresSpec, base: &CustomerBase, order_log: &OrderLog, until: Option<i32>, threads: Threads<'_>) -> Result<Measures> {
    let view = base.view_of_scan()?;
    let last_day = until.or_else(|| view.last_day());
    let (mut counted, mut refund_only) = (CountedPeriods::default(), Tally::default());
    if let (Some((first, last)), Some(last_day)) = (view.observed(), last_day) {
        let (calendar, period) = spec.periods(first);
        let days = if view.has_totals() { view.totals().days(threads) } else { Some((first, last)) };
        let observation = Observation::of(calendar, period, (Cutoff::of_day(first), Cutoff::of_day(last_day + 1)), days);
        let periods = observation.periods();
        let number = usize::try_from(periods.end - periods.start).unwrap_or(0);
        let bitmaps = PeriodBitmaps { observation: &observation, customers: view.customers(), order_log, threads };
        let is_quick = is_dense(number, order_log.len()) && bitmaps.is_quick::<RepeatedActivity>();
        let sums = if is_quick { of_bitmaps(&bitmaps, number, &mut refund_only) } else { of_orders(&bitmaps, number, &mut refund_only) };
        counted.note_purchase(bitmaps.first_purchase());
        let first = if spec.period.is_none() { 0 } else { periods.start };
        counted.add(&[Label::All], sums, (first, number));
    }
    let mut report = base.report(last_day)?;
    if !view.has_totals() {
        // The base has no totals, so it does not know which customers are buyers.
        let money = view.kinds().money;
        let known = report.entries.iter_mut().filter(|entry| entry.name == REFUND_ONLY);
        known.for_each(|entry| *entry = ReportEntry::new(REFUND_ONLY, entry.kind, entry.unit, &refund_only, money));
    }
    counted.finish(spec, (view.kinds().money, None), last_day, report)
}

/// Counts by bitmaps of the purchases.
fn of_bitmaps(log: &PeriodBitmaps<'_>, number: usize, refund_only: &mut Tally) -> Sums<MeasureSums> {
    let mut sums = vec![MeasureSums::default(); number];
    let mut buyers = vec![0_u64; log.customers.div_ceil(64)];
    log.by_customers(|customers, bits: &[RepeatedActivity]| {
        log.add_movement(&customers, bits, &mut sums, |sum, word| sum.repeat_customers += i64::from(word.twice.count_ones()));
        let words = customers.len().div_ceil(64);
        let first = customers.start / 64;
        for row in bits.chunks_exact(words) {
            buyers[first..first + words].iter_mut().zip(row).for_each(|(buyers, word)| *buyers |= word.active());
        }
    });
    for (sum, packed) in sums.iter_mut().zip(log.sums_by_cell(number, |_, _, period| period)) {
        (sum.orders, sum.rows, sum.gross) = (packed.orders, packed.orders, packed.units);
    }
    for (day, lines) in log.order_log.further_lines() {
        sums[log.observation.place(day)].rows += lines as i64;
    }
    let mut others = Vec::new();
    for entry in log.entries() {
        let (sum, units) = (&mut sums[log.observation.place(entry.day)], entry.units(log.order_log.wide()));
        let is_buyer = buyers[entry.customer as usize / 64] >> (entry.customer % 64) & 1 == 1;
        if entry.marks() & PURCHASE != 0 {
            (sum.orders, sum.rows, sum.gross) = (sum.orders + 1, sum.rows + 1, sum.gross + units);
        } else if is_buyer {
            (sum.refund_orders, sum.refunds) = (sum.refund_orders + i64::from(units < 0), sum.refunds + units);
        } else {
            refund_only.add(units, entry.row());
            others.push(entry.customer);
        }
    }
    others.sort_unstable();
    others.dedup();
    refund_only.count = others.len() as u64;
    Sums::Dense(sums)
}

/// Counts customer by customer. An outlying date may make many periods, nearly all of them empty.
fn of_orders(log: &PeriodBitmaps<'_>, number: usize, refund_only: &mut Tally) -> Sums<MeasureSums> {
    let orders_by_customer = OrdersByCustomer::of_purchase_log(log.order_log, log.customers);
    *refund_only = orders_by_customer.without_purchase();
    let mut sums = Sums::new(number, log.order_log.len());
    let (mut orders, mut days, mut active) = (Vec::new(), Vec::new(), Vec::new());
    for customer in 0..orders_by_customer.customers() {
        orders_by_customer.orders(customer, &mut orders);
        if !orders.iter().any(CohortOrder::is_purchase) {
            continue;
        }
        days.clear();
        days.extend(orders.iter().map(|order| {
            let is_purchase = order.is_purchase();
            let rows = i64::from(is_purchase);
            DayOfCustomer { day: order.day, is_purchase, orders: i64::from(is_purchase || order.units < 0), rows, units: order.units }
        }));
        add_buyer(&mut sums.periods(0, number), &days, |day| log.observation.place(day), &mut active);
    }
    for (day, lines) in log.order_log.further_lines() {
        if let Some(row) = sums.periods(0, number).get(log.observation.place(day)) {
            row.rows += lines as i64;
        }
    }
    sums
}
