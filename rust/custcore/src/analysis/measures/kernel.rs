//! Kernel of measures: what the days of one customer add to the periods.

use std::ops::AddAssign;

use crate::analysis::movement::{Movement, Periods, add_movement};

/// Sums of one period, of all customers of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MeasureSums {
    /// Active, new, retained, reactivated and churned customers.
    pub movement: Movement,
    /// Purchases.
    pub orders: i64,
    /// Their rows.
    pub rows: i64,
    /// Customers with at least two of them.
    pub repeat_customers: i64,
    /// Their amount in units.
    pub gross: i128,
    /// Refunds.
    pub refund_orders: i64,
    /// Their amount in units, not positive.
    pub refunds: i128,
}

impl AddAssign for MeasureSums {
    fn add_assign(&mut self, other: Self) {
        self.movement += other.movement;
        self.orders += other.orders;
        self.rows += other.rows;
        self.repeat_customers += other.repeat_customers;
        self.gross += other.gross;
        self.refund_orders += other.refund_orders;
        self.refunds += other.refunds;
    }
}

impl AsMut<Movement> for MeasureSums {
    fn as_mut(&mut self) -> &mut Movement {
        &mut self.movement
    }
}

impl MeasureSums {
    /// Amount in units, net of refunds.
    pub(crate) fn revenue(&self) -> i128 {
        self.gross + self.refunds
    }
}

/// The purchases of a customer on a day, or his refunds.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayOfCustomer {
    /// The local day.
    pub day: i32,
    /// Whether these are purchases.
    pub is_purchase: bool,
    /// Purchases, or refunds.
    pub orders: i64,
    /// Rows of the purchases.
    pub rows: i64,
    /// Amount in units.
    pub units: i128,
}

/// Adds the days of a buyer, which ascend; `place` gives the period of a day, and `active` is a buffer.
pub(super) fn add_buyer(
    rows: &mut Periods<'_, MeasureSums>,
    days: &[DayOfCustomer],
    place: impl Fn(i32) -> usize,
    active: &mut Vec<usize>,
) {
    active.clear();
    let mut orders = 0;
    for day in days {
        let period = place(day.day);
        let Some(row) = rows.get(period) else { continue };
        if !day.is_purchase {
            row.refund_orders += day.orders;
            row.refunds += day.units;
            continue;
        }
        row.orders += day.orders;
        row.rows += day.rows;
        row.gross += day.units;
        if active.last() != Some(&period) {
            active.push(period);
            orders = 0;
        }
        // Counted once, when the second order is added.
        row.repeat_customers += i64::from(orders < 2 && orders + day.orders >= 2);
        orders += day.orders;
    }
    add_movement(rows, active, false);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::movement::Sums;

    #[test]
    fn a_buyer_adds_orders_refunds_and_movement() {
        let day =
            |day, is_purchase, orders, units| DayOfCustomer { day, is_purchase, orders, rows: orders * i64::from(is_purchase), units };
        let days =
            [day(0, true, 1, 10), day(1, false, 2, -3), day(1, true, 1, 0), day(2, true, 3, 5), day(25, false, 1, -7), day(31, true, 1, 1)];
        let mut sums = Sums::new(4, 10);
        add_buyer(&mut sums.periods(0, 4), &days, |day| (day / 10) as usize, &mut Vec::new());
        let rows: Vec<MeasureSums> = (0..4).map(|row| sums.get(row)).collect();
        let seen = rows.iter().map(|row| (row.orders, row.rows, row.repeat_customers, row.gross, row.refund_orders, row.refunds));
        assert_eq!(seen.collect::<Vec<_>>(), [(5, 5, 1, 15, 2, -3), (0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 1, -7), (1, 1, 0, 1, 0, 0)]);
        let movement = rows.iter().map(|row| (row.movement.active, row.movement.new, row.movement.reactivated, row.movement.churned));
        assert_eq!(movement.collect::<Vec<_>>(), [(1, 1, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0), (1, 0, 1, 0)]);
        assert_eq!(rows[2].revenue(), -7);
    }
}
