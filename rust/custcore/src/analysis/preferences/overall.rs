//! The categories of all customers: what shares are compared with.

use crate::analysis::holdings::{Holding, Holdings, Uncategorized, pieces};
use crate::base::view::BaseView;
use crate::error::Result;
use crate::exec::context::Context;
use crate::group::interner::Interner;
use crate::num::money::Money;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};

/// The sums of a category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CategorySum {
    /// Customers with an order.
    pub customers: u64,
    /// Their orders with it.
    pub orders: u64,
    /// Rows.
    pub rows: u64,
    /// Money; of a customer at least 0.
    pub units: i128,
    /// Rows with a discount.
    pub discounted_rows: u64,
}

impl CategorySum {
    pub(super) fn add(&mut self, holding: &Holding) {
        self.customers += 1;
        self.orders += holding.orders;
        self.rows += holding.rows;
        self.units += holding.units.max(0);
        self.discounted_rows += holding.discounted_rows;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        self.orders += other.orders;
        self.rows += other.rows;
        self.units += other.units;
        self.discounted_rows += other.discounted_rows;
    }
}

/// What of the cells of customers is in no row of the result.
#[derive(Debug, Clone, Default)]
pub(super) struct LeftOut {
    /// Rows without a category.
    without: Tally,
    /// Categories of which a customer has only refunds.
    refunds: Tally,
    /// Categories in which a customer paid back more than was bought.
    negative: Tally,
}

impl LeftOut {
    fn add(&mut self, held: &[Holding], without: Uncategorized) {
        self.without.add_many(without.rows, without.units);
        for holding in held {
            if holding.orders == 0 {
                self.refunds.add_many(1, holding.units);
            } else if holding.units < 0 {
                self.negative.add_many(1, holding.units);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.without.merge(&other.without, 0);
        self.refunds.merge(&other.refunds, 0);
        self.negative.merge(&other.negative, 0);
    }
}

/// The categories of all customers, by code in `values`, and later in the order of values.
#[derive(Debug)]
pub(super) struct Overall {
    pub values: Interner,
    /// By code.
    pub sums: Vec<CategorySum>,
    /// Orders with a category.
    pub orders: u64,
    /// Cells of customers.
    cells: u64,
    left_out: LeftOut,
}

/// Sums of the categories of some customers.
struct Part {
    sums: Vec<CategorySum>,
    orders: u64,
    cells: u64,
    left_out: LeftOut,
}

/// Orders of a customer with a category.
#[inline]
pub(super) fn orders_with(view: &BaseView<'_>, code: u32, without: Uncategorized) -> u64 {
    view.totals().orders(code).saturating_sub(without.orders)
}

impl Overall {
    /// No customers.
    pub(super) fn new(values: Interner) -> Self {
        Self { values, sums: Vec::new(), orders: 0, cells: 0, left_out: LeftOut::default() }
    }

    /// Adds the customers of a view. Returns the code of each of its categories, by rank.
    pub(super) fn add(&mut self, view: &BaseView<'_>, holdings: &Holdings<'_>, context: &Context) -> Result<()> {
        let codes = self.codes(holdings)?;
        self.sums.resize(self.values.len(), CategorySum::default());
        let customers = view.customers();
        let parts: Vec<Part> = context
            .run_if_large(holdings.cells(), |threads| {
                let starts = (0..customers).step_by(pieces(customers, threads.count()));
                threads.par_tasks(starts, |start| {
                    context.check().map(|()| part(view, holdings, start..customers.min(start + pieces(customers, threads.count()))))
                })
            })?
            .into_iter()
            .collect::<Result<_>>()?;
        for part in parts {
            for (&code, sum) in codes.iter().zip(&part.sums) {
                self.sums[code as usize].merge(sum);
            }
            self.orders += part.orders;
            self.cells += part.cells;
            self.left_out.merge(&part.left_out);
        }
        Ok(())
    }

    /// The code of each category of a view, by rank.
    pub(super) fn codes(&mut self, holdings: &Holdings<'_>) -> Result<Vec<u32>> {
        let code = |rank: usize| {
            let (keys, code) = holdings.value(rank as u32);
            self.values.intern_from(keys, code)
        };
        (0..holdings.len()).map(code).collect()
    }

    /// The money of all categories.
    pub(super) fn units(&self) -> i128 {
        self.sums.iter().map(|sum| sum.units).sum()
    }

    /// Adds what is in no row, and a remark if there are many cells.
    pub(super) fn report(&self, report: &mut Report, money: Option<Money>) {
        let entry = |name, kind, unit, tally: &Tally| ReportEntry::new(name, kind, unit, tally, money);
        let LeftOut { without, refunds, negative } = &self.left_out;
        report.entries.extend([
            entry("null_category", EntryKind::LeftOut, ReportUnit::Rows, without),
            entry("refund_only_categories", EntryKind::LeftOut, ReportUnit::Customers, refunds),
            entry("negative_categories", EntryKind::LeftOut, ReportUnit::Customers, negative),
        ]);
        if self.cells.saturating_mul(2) > report.n_rows && self.cells > MANY_CELLS {
            report.remarks.push(format!(
                "the base has {} pairs of a customer and a category for {} rows: the values are nearly as many as lines, and baskets \
                 take less memory",
                self.cells, report.n_rows
            ));
        }
    }
}

/// Fewer cells than this take no memory to speak of.
const MANY_CELLS: u64 = 10_000;

fn part(view: &BaseView<'_>, holdings: &Holdings<'_>, customers: std::ops::Range<usize>) -> Part {
    let mut found = Part { sums: vec![CategorySum::default(); holdings.len()], orders: 0, cells: 0, left_out: LeftOut::default() };
    let mut reader = holdings.reader();
    for code in customers {
        let (held, without) = reader.read(code as u32);
        found.left_out.add(held, without);
        if held.is_empty() {
            continue;
        }
        found.cells += held.len() as u64;
        for holding in held.iter().filter(|holding| holding.orders > 0) {
            found.sums[holding.category as usize].add(holding);
        }
        found.orders += orders_with(view, code as u32, without);
    }
    found
}
