//! Cohorts and counts of a scan, and the view that tables are built from.

use std::borrow::Cow;

use super::cell_counts::CellCounts;
use super::cohorts::Cohorts;
use super::count::Counter;
use super::members::Member;
use super::observation::Observation;
use super::orders_by_customer::OrdersByCustomer;
use super::period_bitmaps::PeriodBitmaps;
use super::spec::CohortSpec;
use super::values::{Groups, Values};
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::column::chunks::InputSchema;
use crate::error::{Error, Result};
use crate::exec::par::Threads;
use crate::ingest::window_log::OrderLog;
use crate::report::Report;

/// Cohorts and counts of a non-empty observation window.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) observation: Observation,
    pub(super) orders: LoggedOrders,
    pub(super) groups: Groups,
    /// Values of the cohort column.
    pub(super) values: Option<Values>,
    /// Number of customers in a cohort.
    pub(super) customers: usize,
    pub(super) cohorts: Cohorts,
    pub(super) counts: CellCounts,
}

/// The orders of the scan.
#[derive(Debug)]
pub(super) enum LoggedOrders {
    /// Sorted by customer, with cohort memberships.
    Sorted(OrdersByCustomer, Vec<Member>),
    /// Packed, in scan order; one cohort per customer.
    Packed(OrderLog),
    /// So many, in the ranges of a base on disk.
    Ranges(usize),
}

impl LoggedOrders {
    /// Number of orders.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sorted(orders_by_customer, _) => orders_by_customer.n_orders(),
            Self::Packed(order_log) => order_log.len(),
            Self::Ranges(orders) => *orders,
        }
    }
}

/// Input of the result tables.
pub(super) struct CohortView<'a> {
    pub(super) spec: &'a CohortSpec,
    pub(super) input_schema: &'a InputSchema,
    pub(super) base: BaseView<'a>,
    pub(super) found: Option<&'a Found>,
    pub(super) report: &'a Report,
}

impl<'a> CohortView<'a> {
    pub(super) fn of(spec: &'a CohortSpec, base: &'a CustomerBase, found: Option<&'a Found>, report: &'a Report) -> Result<Self> {
        let base = base.view_of_scan()?;
        Ok(Self { spec, input_schema: base.kinds(), base, found, report })
    }

    /// Runs `work` on the orders, sorted by customer.
    pub(super) fn count<R: Default>(&self, threads: Threads<'_>, work: impl FnOnce(Counter<'_>) -> Result<R>) -> Result<R> {
        let Some(Found { observation, orders, groups, cohorts, .. }) = self.found else { return Ok(R::default()) };
        let (spec, view) = (self.spec, &self.base);
        match orders {
            LoggedOrders::Sorted(orders_by_customer, _) => {
                work(Counter { spec, observation, orders_by_customer, view, groups, cohorts, threads })
            }
            LoggedOrders::Packed(order_log) => {
                let orders_by_customer = OrdersByCustomer::of_purchase_log(order_log, view.customers());
                work(Counter { spec, observation, orders_by_customer: &orders_by_customer, view, groups, cohorts, threads })
            }
            LoggedOrders::Ranges(_) => Err(Error::internal("orders of a base on disk")),
        }
    }

    /// The activity bitmaps, if the order log is packed.
    pub(super) fn bitmaps<'t>(&self, threads: Threads<'t>) -> Option<PeriodBitmaps<'t>>
    where
        'a: 't,
    {
        let Some(Found { orders: LoggedOrders::Packed(order_log), observation, .. }) = self.found else { return None };
        Some(PeriodBitmaps { observation, customers: self.base.customers(), order_log, threads })
    }

    /// Cohort memberships, sorted by customer code and cohort.
    pub(super) fn members(&self, threads: Threads<'_>) -> Cow<'a, [Member]> {
        match self.found {
            Some(Found { orders: LoggedOrders::Sorted(_, members), .. }) => Cow::Borrowed(members),
            _ => self.bitmaps(threads).map_or(Cow::Borrowed(&[]), |bitmaps| Cow::Owned(bitmaps.members())),
        }
    }
}
