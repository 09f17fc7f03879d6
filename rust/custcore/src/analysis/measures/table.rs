//! Arrow tables of measures, and of the changes of revenue.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array};
use arrow_schema::Metadata;

use super::decomposition::{Effects, PeriodChange};
use super::found::Measures;
use super::kernel::MeasureSums;
use crate::error::Result;
use crate::table::{AS_OF, Table, TableBuilder, money_column};
use crate::time::calendar::date_text;

/// a / b, null for b = 0.
fn rate(a: i64, b: i64) -> Option<f64> {
    (b != 0).then(|| a as f64 / b as f64)
}

/// A count of one row.
type Count = fn(&MeasureSums) -> i64;

impl Measures {
    /// The measures: one row for each group and period.
    pub fn table(self) -> Result<Table> {
        let rows = self.rows.len();
        let number = self.number.max(1);
        let mut table = TableBuilder::default();
        self.group_column(&mut table)?;
        let dates =
            |shift: usize| -> ArrayRef { Arc::new(Date32Array::from_iter_values((0..rows).map(|row| self.start(row % number + shift)))) };
        let marks = |mark: &dyn Fn(usize) -> bool| -> ArrayRef {
            Arc::new((0..rows).map(|row| Some(mark(row % number))).collect::<BooleanArray>())
        };
        table.column("period_start", dates(0));
        table.column("period_end", dates(1));
        table.column("is_complete", marks(&|period| self.is_complete(period)));
        table.column("left_truncated", marks(&|period| period == 0 && !self.all_time));
        table.column("customers", Arc::new(Int64Array::from(self.customers())));
        self.counts(&mut table);
        if self.money.is_some() {
            self.amounts(&mut table)?;
        }
        self.rates(&mut table);
        let last = self.report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
        let metadata: Metadata = last.into_iter().collect();
        table.finish(rows, metadata, self.report)
    }

    /// Buyers by the end of each period.
    fn customers(&self) -> Vec<i64> {
        let of_group = |rows: &[MeasureSums]| {
            let mut customers = 0;
            rows.iter()
                .map(|row| {
                    customers += row.movement.new;
                    customers
                })
                .collect::<Vec<_>>()
        };
        self.rows.chunks(self.number.max(1)).flat_map(of_group).collect()
    }

    fn counts(&self, table: &mut TableBuilder) {
        let moves: [(&str, Count); 4] = [
            ("new", |row| row.movement.new),
            ("retained", |row| row.movement.retained),
            ("reactivated", |row| row.movement.reactivated),
            ("churned", |row| row.movement.churned),
        ];
        let counts: [(&str, Count); 3] =
            [("orders", |row| row.orders), ("rows", |row| row.rows), ("repeat_customers", |row| row.repeat_customers)];
        table.column("active", Arc::new(Int64Array::from_iter_values(self.rows.iter().map(|row| row.movement.active))));
        for (name, count) in moves {
            // All time has no period before it.
            table.column(name, Arc::new(self.rows.iter().map(|row| (!self.all_time).then(|| count(row))).collect::<Int64Array>()));
        }
        for (name, count) in counts {
            table.column(name, Arc::new(Int64Array::from_iter_values(self.rows.iter().map(count))));
        }
    }

    fn amounts(&self, table: &mut TableBuilder) -> Result<()> {
        let whose = |row: usize| format!("of the period from {}", date_text(self.start(row % self.number.max(1))));
        let money = |of: fn(&MeasureSums) -> i128| money_column(self.money, self.rows.iter().map(|row| Some(of(row))), whose);
        table.column("gross", money(|row| row.gross)?);
        table.column("refund_orders", Arc::new(Int64Array::from_iter_values(self.rows.iter().map(|row| row.refund_orders))));
        table.column("refunds", money(|row| row.refunds)?);
        table.column("revenue", money(MeasureSums::revenue)?);
        Ok(())
    }

    fn rates(&self, table: &mut TableBuilder) {
        let number = self.number.max(1);
        let column =
            |of: &dyn Fn(&MeasureSums) -> Option<f64>| -> ArrayRef { Arc::new(self.rows.iter().map(of).collect::<Float64Array>()) };
        // Rates against the period before; null in the first.
        let against = |of: &dyn Fn(&MeasureSums, i64) -> Option<f64>| -> ArrayRef {
            let value =
                |(at, row): (usize, &MeasureSums)| (at % number).checked_sub(1).and_then(|_| of(row, self.rows[at - 1].movement.active));
            Arc::new(self.rows.iter().enumerate().map(value).collect::<Float64Array>())
        };
        let per = |row: &MeasureSums, n: i64| (n != 0).then(|| self.money_of(row.revenue()) / n as f64);
        if self.money.is_some() {
            table.column("average_order_value", column(&|row| per(row, row.orders)));
        }
        table.column("purchase_frequency", column(&|row| rate(row.orders, row.movement.active)));
        if self.money.is_some() {
            table.column("revenue_per_customer", column(&|row| per(row, row.movement.active)));
        }
        table.column("repurchase_rate", column(&|row| rate(row.repeat_customers, row.movement.active)));
        table.column("retention_rate", against(&|row, before| rate(row.movement.retained, before)));
        table.column("churn_rate", against(&|row, before| rate(row.movement.churned, before)));
        table.column("growth_rate", against(&|row, before| rate(row.movement.active - before, before)));
        let quick = |row: &MeasureSums| rate(row.movement.new + row.movement.reactivated, row.movement.churned);
        table.column("quick_ratio", column(&|row| quick(row).filter(|_| !self.all_time)));
    }

    /// Adds the column of groups, if there is one.
    fn group_column(&self, table: &mut TableBuilder) -> Result<()> {
        let number = self.number.max(1);
        let groups = (0..self.rows.len()).map(|row| row / number);
        self.column.as_ref().map_or(Ok(()), |column| column.add_to(table, &self.labels, groups))
    }

    /// The table of changes.
    pub(super) fn changes_table(self, changes: &[PeriodChange]) -> Result<Table> {
        let mut table = TableBuilder::default();
        let dates = |of: fn(&PeriodChange) -> usize| -> ArrayRef {
            Arc::new(Date32Array::from_iter_values(changes.iter().map(|change| self.start(of(change)))))
        };
        table.column("period_start", dates(|change| change.period));
        table.column("from_start", dates(|change| change.from));
        let exact = |of: fn(&Effects) -> i128| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(changes.iter().map(|change| self.money_of(of(&change.effects)))))
        };
        // An effect is no whole number of units: it is multiplied by the value of one.
        let unit = self.money_of(1_000_000_000_000);
        let effect = |of: fn(&Effects) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(changes.iter().map(|change| of(&change.effects) * unit / 1e12)))
        };
        table.column("change", exact(|effects| effects.change));
        table.column("customers_effect", effect(|effects| effects.customers));
        table.column("frequency_effect", effect(|effects| effects.frequency));
        table.column("order_value_effect", effect(|effects| effects.order_value));
        table.column("refunds_effect", exact(|effects| effects.refunds));
        if self.column.is_some() {
            table.column("mix_effect", effect(|effects| effects.mix));
        }
        let last = self.report.as_of.map(|day| (AS_OF.to_owned(), date_text(day)));
        table.finish(changes.len(), last.into_iter().collect(), self.report)
    }
}
