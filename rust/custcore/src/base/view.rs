//! The read interface of analyses: a snapshot of a base as of the end of a day.
//!
//! Customers are addressed by *code*, a number below [`BaseView::customers`]. A customer has the same code in all views of one
//! base, so customers can be compared between views; [`BaseView::sort_by_id`] sorts codes by id.
//! Every level has totals and attributes; day records ([`BaseView::days`]) are available at the levels "days"
//! and "orders". Open orders count with the lines read so far; as of a past day only lines up to that day count.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow_schema::DataType;

use super::CustomerBase;
use crate::column::chunks::{InputSchema, Pick};
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::interner::{Interner, Keys};
use crate::group::lookup::Lookup;
use crate::group::sort::SortKeys;
use crate::report::Report;
use crate::state::attributes::Attribute;
use crate::state::cells::{CellRole, Cells};
use crate::state::customer_state::State;
use crate::state::days::{DayIndex, DayRecord, DayRuns};
use crate::state::spec::{AsOf, BaseSpec};
use crate::state::stats::CustomerStatsTable;
use crate::time::calendar::date_text;

pub(crate) use crate::state::stats::CustomerStats;

/// A snapshot of a base as of the end of a day: the read interface of analyses. Customers are addressed by code, a
/// number below [`BaseView::customers`], which is the same in all views of one base.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow_array::{Date32Array, Float64Array, Int64Array, RecordBatch};
/// use custcore::{BaseSpec, Context, CustomerBase, Track};
///
/// # let batch = RecordBatch::try_from_iter([
/// #     ("customer_id", Arc::new(Int64Array::from(vec![7, 3, 7])) as _),
/// #     ("timestamp", Arc::new(Date32Array::from(vec![19_000, 19_001, 19_005])) as _),
/// #     ("amount", Arc::new(Float64Array::from(vec![1.5, 2.0, 0.25])) as _),
/// # ])?;
/// let context = Context::new(1);
/// # let roles = custcore::ColumnRoles {
/// #     customer_id: "customer_id".into(),
/// #     timestamp: "timestamp".into(),
/// #     amount: Some("amount".into()),
/// #     order_id: None,
/// #     attributes: Vec::new(),
/// #     categories: custcore::CategoryColumns::default(),
/// #     start: None,
/// #     returning: None,
/// # };
/// let mut base = CustomerBase::new(BaseSpec { track: Track::Days, ..BaseSpec::new(roles) })?;
/// base.update(&[batch], &context)?;
///
/// let view = base.view(None)?;
/// let codes = view.codes_by_id(&context)?; // customers 3 and 7
/// let orders: Vec<u64> = codes.iter().map(|&code| view.totals().get(code).orders).collect();
/// assert_eq!(orders, [1, 2]);
/// let days = view.days()?.range(codes[1]..codes[1] + 1);
/// assert_eq!((days.days.as_slice(), days.units.as_slice()), (&[19_000, 19_005][..], &[1_500_000, 250_000][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BaseView<'a> {
    base: &'a CustomerBase,
    input_schema: &'a InputSchema,
    state: Cow<'a, State>,
    as_of: Option<i32>,
}

/// Totals by customer code.
#[derive(Debug, Clone, Copy)]
pub struct TotalsView<'a>(pub(super) &'a CustomerStatsTable);

/// One attribute by customer code. Values are codes, too; a value is null if its code is
/// [`NO_CODE`](crate::NO_CODE).
#[derive(Debug, Clone, Copy)]
pub struct AttributeView<'a> {
    name: &'a str,
    value_type: &'a ValueType,
    attribute: &'a Attribute,
}

/// The day records of all customers by code.
#[derive(Debug)]
pub struct DaysView {
    index: DayIndex,
}

/// The days with orders of a range of customers, concatenated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerDays {
    /// Start of the days of each customer; one more entry than customers.
    pub offsets: Vec<usize>,
    /// Local days since 1970-01-01, ascending for each customer.
    pub days: Vec<i32>,
    /// Purchases of the day; 0 if there were only refunds.
    pub orders: Vec<u64>,
    /// Rows of these purchases.
    pub rows: Vec<u64>,
    /// Amount of the day in units, net of refunds.
    pub units: Vec<i128>,
}

impl CustomerBase {
    /// The snapshot as of the end of a day, by default the last one. A base of level "totals" has no past days.
    pub fn view(&self, as_of: Option<AsOf>) -> Result<BaseView<'_>> {
        let day = as_of.map(|as_of| as_of.day(&self.known()?.0.clock)).transpose()?;
        self.view_of_day(day)
    }

    /// The same by local day.
    pub fn view_of_day(&self, day: Option<i32>) -> Result<BaseView<'_>> {
        self.view_by(day, self.spec.n_days, Threads::inline())
    }

    /// The snapshot as of the end of a day, with the threads of a call.
    pub(crate) fn view_as_of(&self, as_of: Option<AsOf>, context: &Context) -> Result<BaseView<'_>> {
        let day = as_of.map(|as_of| as_of.day(&self.known()?.0.clock)).transpose()?;
        self.view_in(day, context)
    }

    /// The same by local day.
    pub(crate) fn view_in(&self, day: Option<i32>, context: &Context) -> Result<BaseView<'_>> {
        context.run_if_large(self.size(), |threads| self.view_by(day, self.spec.n_days, threads))?
    }

    /// The same, with the day records, which an analysis that reads them would else look up a second time.
    pub(crate) fn view_with_days(&self, day: Option<i32>, context: &Context) -> Result<BaseView<'_>> {
        context.run_if_large(self.size(), |threads| self.view_by(day, true, threads))?
    }

    fn view_by(&self, day: Option<i32>, days: bool, threads: Threads<'_>) -> Result<BaseView<'_>> {
        let (input_schema, state) = self.state_as_of(day, days, threads)?;
        Ok(BaseView { base: self, input_schema, state, as_of: day.or_else(|| self.last_day()) })
    }

    /// Whether what was known on a past day are the day records up to that day: no order waits for lines, and none has lines of
    /// several days.
    pub(crate) fn days_are_final(&self) -> bool {
        self.spec.track.looks_back() && self.known().is_ok_and(|(_, state)| state.is_final())
    }

    /// The view of a base of one scan, whose orders are all closed.
    pub(crate) fn view_of_scan(&self) -> Result<BaseView<'_>> {
        let (input_schema, state) = self.known()?;
        Ok(BaseView { base: self, input_schema, state: Cow::Borrowed(state), as_of: self.last_day() })
    }
}

impl<'a> BaseView<'a> {
    /// The settings of the base.
    pub fn spec(&self) -> &BaseSpec {
        self.base.spec()
    }

    /// The input schema.
    pub fn kinds(&self) -> &'a InputSchema {
        self.input_schema
    }

    /// The day of the snapshot; `None` if there is no day yet.
    pub fn as_of(&self) -> Option<i32> {
        self.as_of
    }

    /// The first and the last day of rows with an id; `None` without any.
    pub fn observed(&self) -> Option<(i32, i32)> {
        (self.state.first_day <= self.state.last_day).then_some((self.state.first_day, self.state.last_day))
    }

    /// The last day among rows that count; `None` without any.
    pub fn last_day(&self) -> Option<i32> {
        (self.state.last_day != i32::MIN).then_some(self.state.last_day)
    }

    /// The first day among rows that count; `None` without any.
    pub fn first_day(&self) -> Option<i32> {
        (self.state.first_day != i32::MAX).then_some(self.state.first_day)
    }

    /// Number of codes. Some may be of customers without purchases as of the day, some of no customer at all
    /// ([`BaseView::is_known`]): integer ids in a narrow range are their own codes.
    pub fn customers(&self) -> usize {
        self.state.interner.len()
    }

    /// `n` ranges of codes of similar size, for parallel work.
    pub fn ranges(&self, n: usize) -> impl Iterator<Item = Range<u32>> {
        let customers = self.customers();
        let share = customers.div_ceil(n.max(1)).max(1);
        (0..customers).step_by(share).map(move |first| first as u32..customers.min(first + share) as u32)
    }

    /// Ids by code.
    pub fn ids(&self) -> &Keys {
        self.state.interner.keys()
    }

    /// Whether codes are in the order of ids.
    pub(crate) fn ids_ascend(&self) -> bool {
        self.state.interner.is_sorted()
    }

    /// Sorts distinct codes by id: integers by value, strings and binary by bytes.
    pub fn sort_by_id(&self, codes: &mut [u32], context: &Context) -> Result<()> {
        let ids = &self.state.interner;
        if self.ids_ascend() {
            codes.sort_unstable();
            return Ok(());
        }
        let sorted =
            context.run_if_large(ids.len(), |threads| SortKeys::of(&[ids.keys()], threads).sort_pieces(ids.keys(), codes, threads))?;
        codes.iter_mut().zip(sorted.into_iter().flatten()).for_each(|(code, (_, sorted))| *code = sorted);
        Ok(())
    }

    /// Whether a code belongs to a customer with orders as of the day, including refunds only.
    pub fn is_known(&self, code: u32) -> bool {
        self.state.totals.is_present(code)
    }

    /// The codes of all known customers, sorted by id. The order does not depend on the order of updates, threads and
    /// merges.
    pub fn codes_by_id(&self, context: &Context) -> Result<Vec<u32>> {
        let mut codes: Vec<u32> = (0..self.customers() as u32).filter(|&code| self.is_known(code)).collect();
        self.sort_by_id(&mut codes, context)?;
        Ok(codes)
    }

    /// Whether there are totals; a scan for cohorts only keeps none.
    pub fn has_totals(&self) -> bool {
        !self.state.totals.are_absent()
    }

    /// The codes of these few ids, where there are any.
    pub(crate) fn find_all(&self, ids: &Interner) -> Vec<Option<u32>> {
        self.state.interner.find_all(ids)
    }

    /// Finds the codes of ids.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        self.state.interner.lookup()
    }

    /// Totals by code.
    pub fn totals(&self) -> TotalsView<'_> {
        TotalsView(self.state.totals.stats())
    }

    /// Rows of purchases by code; `None` if every row is an order.
    pub fn rows(&self) -> Option<&[u64]> {
        self.state.totals.rows()
    }

    /// Distinct days with a purchase by code, if the base counts them.
    pub fn n_days(&self) -> Option<Vec<u32>> {
        let days = self.state.days.as_ref().filter(|_| self.spec().n_days)?;
        Some(days.counts(self.customers()))
    }

    /// Attributes in the order of the settings.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        (0..self.spec().roles.attributes.len().min(self.state.accumulators.attributes().count())).map(|at| self.attribute(at))
    }

    /// The position of an attribute of the first purchase.
    pub(crate) fn first_attribute(&self, name: &str) -> Result<usize> {
        self.attributes().position(|attribute| attribute.name() == name && attribute.pick() == Pick::First).ok_or_else(|| {
            let message =
                format!("the base does not keep column '{name}' of the first purchase; build it with attributes={{'{name}': 'first'}}");
            Error::new(ErrorKind::StateMismatch, message).in_column(name)
        })
    }

    /// The attribute at a position, which must exist.
    pub fn attribute(&self, at: usize) -> AttributeView<'_> {
        let name = self.spec().roles.attributes.get(at).map_or("", |(name, _)| name.as_str());
        AttributeView { name, value_type: &self.input_schema.attributes[at], attribute: self.state.accumulators.attribute(at) }
    }

    /// What customers bought of each category, or through each channel.
    pub(crate) fn cells(&self, role: CellRole) -> Result<&Cells> {
        let unfit = |message: String| Err(Error::new(ErrorKind::StateMismatch, message));
        let (what, argument) = match role {
            CellRole::Category => ("categories", "categories"),
            CellRole::Channel => ("channels", "channel"),
        };
        match self.state.accumulators.cells(role) {
            None => unfit(format!("the base keeps no {what}; build it with {argument}='column'")),
            Some(cells) if cells.is_lost() => {
                let last = self.base.last_day().map_or_else(String::new, date_text);
                unfit(format!(
                    "the base keeps {what} as of its last day, {last}, only; build it with category_days=True, or use as_of={last} or later"
                ))
            }
            Some(cells) => Ok(cells),
        }
    }

    /// The day records. Not available at level "totals".
    pub fn days(&self) -> Result<DaysView> {
        let level = self.spec().track;
        if !level.looks_back() {
            let message = format!("a base of level '{}' has no day records; build it with track='days' or track='orders'", level.name());
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        let run = if let Some(days) = &self.state.days {
            days.whole()
        } else {
            let (_, state) = self.base.state_as_of(self.as_of, true, Threads::inline())?;
            state.days.as_ref().map_or_else(Arc::default, DayRuns::whole)
        };
        Ok(DaysView { index: DayIndex::new(run) })
    }

    /// The report as of the day.
    pub fn report(&self) -> Report {
        self.base.report_of(self.input_schema, &self.state, self.as_of)
    }
}

impl TotalsView<'_> {
    /// The stats of a customer. `first` and `last` are valid only if `orders > 0`.
    #[inline]
    pub fn get(self, code: u32) -> CustomerStats {
        self.0.get(code)
    }

    /// A customer's purchases.
    #[inline]
    pub fn orders(self, code: u32) -> u64 {
        self.0.orders(code)
    }

    /// Prefetches the cache line of a customer.
    #[inline]
    pub fn prefetch(self, code: u32) {
        self.0.prefetch(code);
    }

    /// Number of customers.
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.len() == 0
    }

    /// Whether the amounts of all customers fit 64 bits.
    pub fn is_narrow(self) -> bool {
        self.0.is_narrow()
    }

    /// The first and the last day of a purchase; `None` without any.
    pub fn days(self, threads: Threads<'_>) -> Option<(i32, i32)> {
        self.0.days(threads)
    }
}

impl<'a> AttributeView<'a> {
    /// The name of its column.
    pub fn name(self) -> &'a str {
        self.name
    }

    /// The input type of its values.
    pub fn data_type(self) -> &'a DataType {
        &self.value_type.data_type
    }

    /// The type of its values.
    pub(crate) fn value_type(self) -> &'a ValueType {
        self.value_type
    }

    /// Whether the value is that of the first or the last purchase.
    pub fn pick(self) -> Pick {
        self.attribute.pick()
    }

    /// Its values by code.
    pub fn values(self) -> &'a Keys {
        self.attribute.values.keys()
    }

    /// Number of values.
    pub fn number(self) -> usize {
        self.attribute.values.len()
    }

    /// The code of a customer's value; `None` before the first purchase.
    #[inline]
    pub fn get(self, code: u32) -> Option<u32> {
        self.attribute.get(code).map(|observed| observed.value)
    }
}

impl DaysView {
    /// Number of records, about the number of customer days.
    pub fn len(&self) -> usize {
        self.index.run().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.run().len() == 0
    }

    /// The days of a range of codes.
    pub fn range(&self, codes: Range<u32>) -> CustomerDays {
        let mut days = CustomerDays { offsets: vec![0], ..CustomerDays::default() };
        for code in codes {
            for record in self.records(code) {
                let first = days.offsets.last().copied().unwrap_or(0);
                // A day has a record of its purchases and one of its refunds, and more where counts overflow 32 bits.
                if days.days.len() > first && days.days.last() == Some(&record.day) {
                    let at = days.days.len() - 1;
                    days.orders[at] += u64::from(record.orders);
                    days.rows[at] += u64::from(record.purchase_rows());
                    days.units[at] += record.units;
                } else {
                    days.days.push(record.day);
                    days.orders.push(u64::from(record.orders));
                    days.rows.push(u64::from(record.purchase_rows()));
                    days.units.push(record.units);
                }
            }
            days.offsets.push(days.days.len());
        }
        days
    }

    /// The first and the last day of a record; `None` without any.
    pub(crate) fn ends(&self) -> Option<(i32, i32)> {
        self.index.run().ends()
    }

    /// Fills `days` with the distinct purchase days of a customer, ascending.
    #[inline]
    pub(crate) fn purchase_days(&self, code: u32, days: &mut Vec<i32>) {
        days.clear();
        let Some(group) = self.index.group(code) else { return };
        days.extend(group.range.clone().filter_map(|at| group.segment.purchase_day(at)));
        // A day whose counts overflow 32 bits has several records.
        days.dedup();
    }

    /// The records of a code, ascending by day; those of purchases before those of refunds.
    pub(crate) fn records(&self, code: u32) -> impl Iterator<Item = DayRecord> + '_ {
        self.index.records(code)
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
