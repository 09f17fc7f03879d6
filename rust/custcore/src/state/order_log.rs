//! Order log: customer, day, amount and marks of every order, for analyses that need more than totals. Entries are in
//! input order; no result depends on it.

use super::block_kernels::UnitValue;
use super::lines_by_day::LinesByDay;
use super::purchase_log::{FIRST_DAY, LAST_DAY, PurchaseLog};
use super::totals::{OrderClass, PurchaseRules, RowSlice};
use crate::column::bounds::ObservationWindow;
use crate::column::mark::{PURCHASE, RETURNING, START};
use crate::column::{BLOCK, flag};
use crate::group::interner::NO_CODE;

/// One order, in 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderRecord {
    /// Amount in units; an index into [`OrderLog::wide`] if it needs more than 64 bits.
    units: i64,
    /// First row in the low bits, marks in the high bits.
    row_and_marks: u64,
    /// The code of its customer.
    pub customer: u32,
    /// The local day of its earliest line.
    pub day: i32,
}

const MARKS_FROM: u32 = 56;
/// The row number of an order whose row is not known: the largest that there is room for.
const UNKNOWN_ROW: u64 = (1 << MARKS_FROM) - 1;
/// The amount is in [`OrderLog::wide`].
const WIDE: u8 = 1 << 7;

/// All orders.
#[derive(Debug, Default, Clone)]
pub(crate) struct OrderLog {
    pieces: Vec<Vec<OrderRecord>>,
    wide: Vec<i128>,
    /// The packed purchase log, if marks and rows of purchases are not needed. Purchases that do not fit are in `pieces`.
    purchase_log: Option<PurchaseLog>,
    unsorted: PurchaseBuffer,
    /// Rows of purchases beyond the first of each, if they are counted.
    further_lines: Option<LinesByDay>,
}

/// Buffered purchases, at most a block.
#[derive(Debug, Default, Clone)]
struct PurchaseBuffer {
    customers: Vec<u32>,
    days: Vec<i32>,
    units: Vec<i64>,
}

/// Capacity of a chunk in entries. Appending chunks avoids reallocating one large vector.
const PIECE: usize = 1 << 16;

impl OrderRecord {
    /// Marks, see [`crate::column::mark`].
    #[inline]
    pub(crate) fn marks(&self) -> u8 {
        (self.row_and_marks >> MARKS_FROM) as u8 & !WIDE
    }

    /// Row number of the first line; `u64::MAX` if it is not known.
    #[inline]
    pub(crate) fn row(&self) -> u64 {
        let row = self.row_and_marks & UNKNOWN_ROW;
        if row == UNKNOWN_ROW { u64::MAX } else { row }
    }

    /// Amount in units; `wide` holds the amounts beyond 64 bits.
    #[inline]
    pub(crate) fn units(&self, wide: &[i128]) -> i128 {
        if (self.row_and_marks >> MARKS_FROM) as u8 & WIDE == 0 { i128::from(self.units) } else { wide[self.units as usize] }
    }
}

impl OrderLog {
    /// An empty log, packed if the window allows it.
    pub(crate) fn of(window: &ObservationWindow) -> Self {
        Self {
            purchase_log: window.is_packed.then(PurchaseLog::default),
            further_lines: window.counts_lines.then(LinesByDay::default),
            ..Self::default()
        }
    }

    /// An empty log with the same settings.
    #[must_use]
    pub(crate) fn empty_like(&self) -> Self {
        Self {
            purchase_log: self.purchase_log.as_ref().map(|_| PurchaseLog::default()),
            further_lines: self.further_lines.as_ref().map(|_| LinesByDay::default()),
            ..Self::default()
        }
    }

    /// The customer code of each entry.
    pub(crate) fn customers(&self) -> impl Iterator<Item = u32> + '_ {
        let purchases = self.purchase_log.iter().flat_map(PurchaseLog::pieces).flat_map(|piece| piece.customers.iter().copied());
        let waiting = self.unsorted.customers.iter().copied();
        self.pieces.iter().flatten().map(|entry| entry.customer).chain(purchases).chain(waiting)
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.capacity() * size_of::<OrderRecord>()).sum::<usize>()
            + self.pieces.capacity() * size_of::<Vec<OrderRecord>>()
            + self.wide.capacity() * size_of::<i128>()
            + self.purchase_log.as_ref().map_or(0, PurchaseLog::bytes)
            + self.unsorted.customers.capacity() * 4
            + self.unsorted.days.capacity() * 4
            + self.unsorted.units.capacity() * 8
            + self.further_lines.as_ref().map_or(0, LinesByDay::bytes)
    }

    /// The packed purchases.
    pub(crate) fn purchases(&self) -> Option<&PurchaseLog> {
        self.purchase_log.as_ref()
    }

    /// Counts the rows of a purchase, if they are counted.
    pub(crate) fn count_lines(&mut self, day: i32, lines: u64) {
        if let Some(further_lines) = self.further_lines.as_mut().filter(|_| lines > 1) {
            further_lines.add(day, lines - 1);
        }
    }

    /// Rows of purchases beyond the first of each, by day.
    pub(crate) fn further_lines(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.further_lines.iter().flat_map(LinesByDay::days)
    }

    /// Appends a block of rows, each of which is an order.
    pub(crate) fn add_rows<U: UnitValue>(&mut self, rules: PurchaseRules, rows: &RowSlice<'_, U>) {
        let all_packed = |rows: &RowSlice<'_, U>| {
            let days = rows.days.iter().fold(true, |all, day| all & (FIRST_DAY..=LAST_DAY).contains(day));
            let zero = U::default();
            days && !rows.holes && !U::IS_WIDE && rows.units.iter().fold(true, |all, &units| all & (units > zero))
        };
        self.flush();
        if let Some(purchase_log) = &mut self.purchase_log
            && all_packed(rows)
        {
            self.unsorted.units.extend(rows.units.iter().map(|units| units.narrow()));
            purchase_log.add(rows.codes, rows.days, &self.unsorted.units);
            self.unsorted.units.clear();
            return;
        }
        for (i, (&customer, &day)) in rows.codes.iter().zip(rows.days).enumerate() {
            if customer == NO_CODE {
                continue;
            }
            let (units, marks) = (rows.units[i].into(), rows.marks.map_or(START | RETURNING, |marks| marks[i]));
            match rules.classify(units, rows.flags[i] & flag::NULL_AMOUNT != 0) {
                OrderClass::LeftOut => {}
                OrderClass::Purchase => self.add_purchase(customer, day, units, marks | PURCHASE, rows.rows.get(i)),
                OrderClass::Refund | OrderClass::Nothing => self.add(customer, day, units, marks, rows.rows.get(i)),
            }
        }
        self.flush();
    }

    /// Appends a purchase, packed if it fits. The caller has to call [`OrderLog::flush`] afterwards.
    fn add_purchase(&mut self, customer: u32, day: i32, units: i128, marks: u8, row: u64) {
        match i64::try_from(units) {
            Ok(units) if self.purchase_log.is_some() && (FIRST_DAY..=LAST_DAY).contains(&day) => {
                self.unsorted.customers.push(customer);
                self.unsorted.days.push(day);
                self.unsorted.units.push(units);
                if self.unsorted.units.len() >= BLOCK {
                    self.flush();
                }
            }
            _ => self.add(customer, day, units, marks, row),
        }
    }

    /// Writes the buffered purchases to the packed log.
    fn flush(&mut self) {
        if self.unsorted.customers.is_empty() {
            return;
        }
        if let Some(purchase_log) = &mut self.purchase_log {
            purchase_log.add(&self.unsorted.customers, &self.unsorted.days, &self.unsorted.units);
        }
        self.unsorted.customers.clear();
        self.unsorted.days.clear();
        self.unsorted.units.clear();
    }

    /// Appends an order. The caller has to call [`OrderLog::close`] after the last one.
    pub(crate) fn add_order(&mut self, customer: u32, day: i32, units: i128, marks: u8, row: u64) {
        if marks & PURCHASE != 0 {
            self.add_purchase(customer, day, units, marks, row);
        } else {
            self.add(customer, day, units, marks, row);
        }
    }

    /// Flushes and frees the buffer.
    pub(crate) fn close(&mut self) {
        self.flush();
        self.unsorted = PurchaseBuffer::default();
    }

    /// Appends an order as a full record; its row is `u64::MAX` if it is not known.
    #[inline]
    pub(crate) fn add(&mut self, customer: u32, day: i32, units: i128, marks: u8, row: u64) {
        let (units, wide) = i64::try_from(units).map_or_else(
            |_| {
                self.wide.push(units);
                (self.wide.len() as i64 - 1, WIDE)
            },
            |units| (units, 0),
        );
        let entry = OrderRecord { units, row_and_marks: u64::from(marks | wide) << MARKS_FROM | row.min(UNKNOWN_ROW), customer, day };
        match self.pieces.last_mut() {
            Some(piece) if piece.len() < PIECE => piece.push(entry),
            _ => {
                // The first chunk grows on demand: most tables are small.
                let mut piece = Vec::with_capacity(if self.pieces.is_empty() { 0 } else { PIECE });
                piece.push(entry);
                self.pieces.push(piece);
            }
        }
    }

    /// Appends the entries of another part; `own` maps its customer codes.
    pub(crate) fn append(&mut self, mut other: Self, own: impl Fn(u32) -> u32) {
        other.flush();
        if let Some(more) = other.purchase_log.take() {
            self.purchase_log.get_or_insert_default().append(more, &own);
        }
        if let Some(more) = other.further_lines.take() {
            self.further_lines.get_or_insert_default().merge(&more);
        }
        let before = self.wide.len() as i64;
        for entry in other.pieces.iter_mut().flatten() {
            entry.customer = own(entry.customer);
            if (entry.row_and_marks >> MARKS_FROM) as u8 & WIDE != 0 {
                entry.units += before;
            }
        }
        self.wide.append(&mut other.wide);
        // The open chunk stays the last one.
        let open = self.pieces.pop();
        self.pieces.append(&mut other.pieces);
        self.pieces.extend(open);
    }

    /// Appends the entries of a part with the same codes.
    pub(crate) fn append_same(&mut self, other: Self) {
        self.append(other, |code| code);
    }

    /// The entries by chunk.
    pub(crate) fn pieces(&self) -> &[Vec<OrderRecord>] {
        &self.pieces
    }

    /// The amounts beyond 64 bits.
    pub(crate) fn wide(&self) -> &[i128] {
        &self.wide
    }

    /// Consumes the log into its chunks and wide amounts.
    pub(crate) fn into_parts(self) -> (Vec<Vec<OrderRecord>>, Vec<i128>) {
        (self.pieces, self.wide)
    }

    /// Number of orders.
    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(Vec::len).sum::<usize>() + self.purchase_log.as_ref().map_or(0, PurchaseLog::len)
    }

    /// The mapping of codes by a table.
    pub(crate) fn by_table(codes: &[u32]) -> impl Fn(u32) -> u32 {
        |code| codes.get(code as usize).copied().unwrap_or(NO_CODE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::mark::{PURCHASE, START};

    #[test]
    fn entries_round_trip_through_append() {
        let mut order_log = OrderLog::default();
        let mut other = OrderLog::default();
        order_log.add(3, -5, 1 << 90, PURCHASE, 7);
        other.add(0, 19_000, -(1 << 80), START | PURCHASE, 1 << 40);
        other.add(1, 19_001, -12, 0, u64::MAX);
        order_log.append(other, |code| code + 10);
        let mut found: Vec<_> =
            order_log.pieces().iter().flatten().map(|e| (e.customer, e.day, e.units(order_log.wide()), e.marks(), e.row())).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [(3, -5, 1 << 90, PURCHASE, 7), (10, 19_000, -(1 << 80), START | PURCHASE, 1 << 40), (11, 19_001, -12, 0, u64::MAX)]
        );
        assert_eq!(order_log.len(), 3);
    }
}
