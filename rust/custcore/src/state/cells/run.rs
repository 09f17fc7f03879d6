//! Cells in columns: those of ascending owners, and of an owner by category.

use std::cmp::Ordering;
use std::ops::Range;

use super::counts::{Counts, Sums};

/// Seconds and nanoseconds.
pub(crate) type Time = (i64, u32);

/// What is known of an owner (a customer, or an order) and a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Code of the category; [`NO_CODE`](crate::NO_CODE) for null.
    pub category: u32,
    /// The last day with an order of a customer; the first day of an order. With cells by day, the day.
    pub day: i32,
    /// Purchases with a line of the category. Of the null category: purchases without any other.
    pub orders: u64,
    /// Rows of purchases.
    pub rows: u64,
    /// Money, net of refunds.
    pub units: i128,
    /// The rows with a discount.
    pub discounted_rows: u64,
    /// The money of lines with a discount.
    pub discounted_units: i128,
    /// The time of the last purchase of a customer, or of the first line of an order, if times are kept.
    pub time: Time,
}

/// What cells keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// A cell for each day.
    pub by_day: bool,
    /// Rows and money with a discount.
    pub discounts: bool,
    /// Times.
    pub times: bool,
}

/// Which day and time the cell of several rows has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The first, for orders.
    First,
    /// The last, for customers.
    Last,
}

impl Cell {
    /// Adds another cell of the same category.
    pub(crate) fn join(&mut self, other: &Self, ends: Ends) {
        match ends {
            Ends::First => (self.day, self.time) = (self.day.min(other.day), self.time.min(other.time)),
            Ends::Last => (self.day, self.time) = (self.day.max(other.day), self.time.max(other.time)),
        }
        // Sums of rows cannot overflow; those of an invalid file could.
        self.orders = self.orders.saturating_add(other.orders);
        self.rows = self.rows.saturating_add(other.rows);
        self.units = self.units.saturating_add(other.units);
        self.discounted_rows = self.discounted_rows.saturating_add(other.discounted_rows);
        self.discounted_units = self.discounted_units.saturating_add(other.discounted_units);
    }

    /// Its place among the cells of an owner.
    #[inline]
    pub(super) fn place(&self, kept: Kept) -> (u32, i32) {
        (self.category, if kept.by_day { self.day } else { 0 })
    }
}

#[derive(Debug, Clone, Default)]
struct Columns {
    categories: Vec<u32>,
    days: Vec<i32>,
    orders: Counts,
    rows: Counts,
    units: Sums,
    /// Empty unless discounts are kept.
    discounted_rows: Counts,
    discounted_units: Sums,
    /// Empty unless times are kept.
    times: Vec<Time>,
}

impl Columns {
    fn push(&mut self, cell: &Cell, kept: Kept) {
        self.categories.push(cell.category);
        self.days.push(cell.day);
        self.orders.push(cell.orders);
        self.rows.push(cell.rows);
        self.units.push(cell.units);
        if kept.discounts {
            self.discounted_rows.push(cell.discounted_rows);
            self.discounted_units.push(cell.discounted_units);
        }
        if kept.times {
            self.times.push(cell.time);
        }
    }

    fn get(&self, at: usize, kept: Kept) -> Cell {
        let (discounted_rows, discounted_units) =
            if kept.discounts { (self.discounted_rows.get(at), self.discounted_units.get(at)) } else { (0, 0) };
        Cell {
            category: self.categories[at],
            day: self.days[at],
            orders: self.orders.get(at),
            rows: self.rows.get(at),
            units: self.units.get(at),
            discounted_rows,
            discounted_units,
            time: if kept.times { self.times[at] } else { (0, 0) },
        }
    }

    fn extend(&mut self, other: &Self, range: Range<usize>, kept: Kept) {
        self.categories.extend_from_slice(&other.categories[range.clone()]);
        self.days.extend_from_slice(&other.days[range.clone()]);
        self.orders.extend(&other.orders, range.clone());
        self.rows.extend(&other.rows, range.clone());
        self.units.extend(&other.units, range.clone());
        if kept.discounts {
            self.discounted_rows.extend(&other.discounted_rows, range.clone());
            self.discounted_units.extend(&other.discounted_units, range.clone());
        }
        if kept.times {
            self.times.extend_from_slice(&other.times[range]);
        }
    }

    fn bytes(&self) -> usize {
        let counts = self.orders.bytes() + self.rows.bytes() + self.discounted_rows.bytes();
        let sums = self.units.bytes() + self.discounted_units.bytes();
        4 * self.categories.capacity() + 4 * self.days.capacity() + counts + sums + size_of::<Time>() * self.times.capacity()
    }

    fn shrink(&mut self) {
        self.categories.shrink_to_fit();
        self.days.shrink_to_fit();
        self.orders.shrink();
        self.rows.shrink();
        self.units.shrink();
        self.discounted_rows.shrink();
        self.discounted_units.shrink();
        self.times.shrink_to_fit();
    }
}

/// Cells of ascending owners; those of an owner ascend by the code of the category, then by day, and are distinct.
#[derive(Debug, Clone, Default)]
pub(crate) struct CellRun {
    owners: Vec<u32>,
    /// End of the cells of each owner.
    ends: Vec<usize>,
    columns: Columns,
}

impl CellRun {
    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.columns.categories.len()
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        4 * self.owners.capacity() + size_of::<usize>() * self.ends.capacity() + self.columns.bytes()
    }

    /// The codes of the categories.
    pub(crate) fn categories(&self) -> &[u32] {
        &self.columns.categories
    }

    /// The cells of the owner at a position.
    fn range(&self, at: usize) -> Range<usize> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        start..self.ends[at]
    }

    /// The position of an owner; `hint` is where it is expected, and becomes the position after it.
    pub(super) fn find(&self, owner: u32, hint: &mut usize) -> Option<usize> {
        let from = match self.owners.get(*hint) {
            Some(&next) if next == owner => {
                *hint += 1;
                return Some(*hint - 1);
            }
            Some(&next) if next < owner => *hint + 1,
            _ if *hint > 0 && self.owners[*hint - 1] >= owner => 0,
            _ => return None,
        };
        match self.owners[from.min(self.owners.len())..].binary_search(&owner) {
            Ok(at) => {
                *hint = from + at + 1;
                Some(from + at)
            }
            Err(at) => {
                *hint = from + at;
                None
            }
        }
    }

    /// The cells of the owner at a position.
    pub(super) fn cells(&self, at: usize, kept: Kept) -> impl Iterator<Item = Cell> + '_ {
        self.range(at).map(move |at| self.columns.get(at, kept))
    }

    /// Both runs as one.
    pub(super) fn merged(&self, other: &Self, kept: Kept, ends: Ends) -> Self {
        let mut builder = CellRunBuilder::new(kept, ends);
        let (mut a, mut b) = (0, 0);
        loop {
            match (self.owners.get(a), other.owners.get(b)) {
                (None, None) => return builder.finish(),
                (Some(&owner), None) => {
                    builder.append(owner, self, a);
                    a += 1;
                }
                (None, Some(&owner)) => {
                    builder.append(owner, other, b);
                    b += 1;
                }
                (Some(&own), Some(&more)) => match own.cmp(&more) {
                    Ordering::Less => {
                        builder.append(own, self, a);
                        a += 1;
                    }
                    Ordering::Greater => {
                        builder.append(more, other, b);
                        b += 1;
                    }
                    Ordering::Equal => {
                        let (mut left, mut right) = (self.cells(a, kept).peekable(), other.cells(b, kept).peekable());
                        while let Some(cell) = match (left.peek(), right.peek()) {
                            (Some(a), Some(b)) if b.place(kept) < a.place(kept) => right.next(),
                            (Some(_), _) => left.next(),
                            _ => right.next(),
                        } {
                            builder.push(own, &cell);
                        }
                        (a, b) = (a + 1, b + 1);
                    }
                },
            }
        }
    }

    /// The cells of some owners; `None` if these are all.
    pub(super) fn of_owners(&self, kept: Kept, ends: Ends, keep: impl Fn(u32) -> bool) -> Option<Self> {
        if self.owners.iter().all(|&owner| keep(owner)) {
            return None;
        }
        let mut builder = CellRunBuilder::new(kept, ends);
        (0..).zip(&self.owners).filter(|(_, owner)| keep(**owner)).for_each(|(at, &owner)| builder.append(owner, self, at));
        Some(builder.finish())
    }

    /// The cells up to a day.
    pub(super) fn until(&self, day: i32, kept: Kept, ends: Ends) -> Self {
        let mut builder = CellRunBuilder::new(kept, ends);
        for (at, &owner) in self.owners.iter().enumerate() {
            self.cells(at, kept).filter(|cell| cell.day <= day).for_each(|cell| builder.push(owner, &cell));
        }
        builder.finish()
    }
}

/// Builds a run from cells in order.
#[derive(Debug)]
pub(crate) struct CellRunBuilder {
    run: CellRun,
    kept: Kept,
    ends: Ends,
    /// The last cell, which may be joined by the next.
    last: Option<(u32, Cell)>,
}

impl CellRunBuilder {
    pub(super) fn new(kept: Kept, ends: Ends) -> Self {
        Self { run: CellRun::default(), kept, ends, last: None }
    }

    /// Adds a cell. Owners ascend, and the cells of an owner, some of which may be of the same place.
    pub(super) fn push(&mut self, owner: u32, cell: &Cell) {
        match &mut self.last {
            Some((last, known)) if *last == owner && known.place(self.kept) == cell.place(self.kept) => known.join(cell, self.ends),
            _ => {
                self.end();
                self.last = Some((owner, *cell));
            }
        }
    }

    /// Adds the cells of an owner, who has none yet.
    fn append(&mut self, owner: u32, run: &CellRun, at: usize) {
        self.end();
        self.run.columns.extend(&run.columns, run.range(at), self.kept);
        self.run.owners.push(owner);
        self.run.ends.push(self.run.len());
    }

    /// The same with other codes of categories, which ascend as the former ones do.
    pub(super) fn append_mapped(&mut self, owner: u32, (run, at): (&CellRun, usize), codes: impl Fn(u32) -> u32) {
        let first = self.run.len() + usize::from(self.last.is_some());
        self.append(owner, run, at);
        self.run.columns.categories[first..].iter_mut().for_each(|code| *code = codes(*code));
    }

    fn end(&mut self) {
        let Some((owner, cell)) = self.last.take() else { return };
        self.run.columns.push(&cell, self.kept);
        let end = self.run.len();
        if self.run.owners.last() == Some(&owner) {
            if let Some(last) = self.run.ends.last_mut() {
                *last = end;
            }
        } else {
            self.run.owners.push(owner);
            self.run.ends.push(end);
        }
    }

    pub(super) fn finish(mut self) -> CellRun {
        self.end();
        self.run.owners.shrink_to_fit();
        self.run.ends.shrink_to_fit();
        self.run.columns.shrink();
        self.run
    }
}
