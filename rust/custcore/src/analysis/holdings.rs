//! What customers have of each category or channel: the cells of a view, summed over days, in the order of values.

use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::group::keys::Keys;
use crate::report::Report;
use crate::state::cells::{CellReader, CellRole, Cells};
use crate::state::spec::AsOf;
use crate::time::calendar::date_text;

/// What a customer has of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holding {
    /// The category, by its rank among those of the view.
    pub category: u32,
    /// Orders with it.
    pub orders: u64,
    /// Rows of purchases.
    pub rows: u64,
    /// Money, net of refunds.
    pub units: i128,
    /// Rows with a discount.
    pub discounted_rows: u64,
    /// Money with a discount.
    pub discounted_units: i128,
    /// The time of the last order, for channels.
    pub time: (i64, u32),
}

/// What was bought without a category.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Uncategorized {
    /// Orders without any category.
    pub orders: u64,
    /// Rows.
    pub rows: u64,
    /// Money.
    pub units: i128,
}

/// The categories of a view.
#[derive(Debug)]
pub(crate) struct Holdings<'a> {
    cells: &'a Cells,
    /// Rank of each code.
    ranks: Vec<u32>,
    /// Code of each rank.
    codes: Vec<u32>,
}

impl<'a> Holdings<'a> {
    /// The categories or channels of a view.
    pub(crate) fn of(view: &'a BaseView<'_>, role: CellRole) -> Result<Self> {
        let cells = view.cells(role)?;
        let mut codes: Vec<u32> = (0..cells.values().len() as u32).collect();
        codes.sort_unstable_by(|&a, &b| cells.compare_values(a, b));
        let mut ranks = vec![0; codes.len()];
        (0..).zip(&codes).for_each(|(rank, &code)| ranks[code as usize] = rank);
        Ok(Self { cells, ranks, codes })
    }

    /// The values.
    pub(crate) fn keys(&self) -> &'a Keys {
        self.cells.values()
    }

    /// Number of categories.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// Number of cells, about.
    pub(crate) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The values, and the code of the category of a rank in them.
    pub(crate) fn value(&self, rank: u32) -> (&'a Keys, u32) {
        (self.cells.values(), self.codes[rank as usize])
    }

    /// A reader of customers; fastest in ascending order of codes.
    pub(crate) fn reader(&self) -> HoldingReader<'_> {
        HoldingReader { ranks: &self.ranks, cells: self.cells.reader(), held: Vec::new() }
    }
}

/// Reads what customers have.
#[derive(Debug)]
pub(crate) struct HoldingReader<'a> {
    ranks: &'a [u32],
    cells: CellReader,
    held: Vec<Holding>,
}

impl HoldingReader<'_> {
    /// What a customer has of each category, in the order of values; and without one. Refunds alone are a holding without orders.
    pub(crate) fn read(&mut self, customer: u32) -> (&[Holding], Uncategorized) {
        self.held.clear();
        let mut without = Uncategorized::default();
        for cell in self.cells.cells(customer) {
            if cell.category == NO_CODE {
                without.orders += cell.orders;
                without.rows += cell.rows;
                without.units += cell.units;
                continue;
            }
            let category = self.ranks[cell.category as usize];
            match self.held.last_mut().filter(|last| last.category == category) {
                Some(last) => {
                    last.orders += cell.orders;
                    last.rows += cell.rows;
                    last.units += cell.units;
                    last.discounted_rows += cell.discounted_rows;
                    last.discounted_units += cell.discounted_units;
                    last.time = last.time.max(cell.time);
                }
                None => self.held.push(Holding {
                    category,
                    orders: cell.orders,
                    rows: cell.rows,
                    units: cell.units,
                    discounted_rows: cell.discounted_rows,
                    discounted_units: cell.discounted_units,
                    time: cell.time,
                }),
            }
        }
        self.held.sort_unstable_by_key(|holding| holding.category);
        (&self.held, without)
    }
}

/// Calls `work` with the views of a base as of a day: one, or those of the ranges of a base on disk. Returns the report of all.
pub(crate) fn each_view(
    base: &CustomerBase,
    as_of: Option<AsOf>,
    context: &Context,
    mut work: impl FnMut(&BaseView<'_>) -> Result<()>,
) -> Result<Report> {
    let day = as_of.map(|as_of| as_of.day(&base.input_schema()?.clock)).transpose()?;
    if let (Some(day), Some(last)) = (day, base.last_day())
        && day < last
        && !base.spec().roles.categories.by_day
    {
        let (day, last) = (date_text(day), date_text(last));
        let message = format!(
            "as_of={day} is before the last day in the base, {last}, and it keeps what customers have as of that day only. Build it \
             with category_days=True and track='days' or 'orders'"
        );
        return Err(Error::new(ErrorKind::StateMismatch, message));
    }
    let mut report: Option<Report> = None;
    base.by_ranges(context, |part| {
        let view = part.view_in(day, context)?;
        work(&view)?;
        let of_part = view.report();
        match &mut report {
            None => report = Some(of_part),
            Some(report) => report.join(&of_part),
        }
        context.check()
    })?;
    report.ok_or_else(|| Error::internal("a base without ranges"))
}

/// Pieces of a list of customers for parallel work.
pub(crate) fn pieces(customers: usize, threads: usize) -> usize {
    customers.div_ceil(8 * threads.max(1)).max(256)
}
