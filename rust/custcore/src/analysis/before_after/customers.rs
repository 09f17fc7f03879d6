//! What customers did before and after a day, and what was known of them at the end of the day before.

use std::ops::Range;

use super::customer::{Customer, Part};
use super::spec::{Baseline, BeforeAfterSpec};
use super::treated::{NEVER, Treated};
use crate::base::CustomerBase;
use crate::base::view::{BaseView, DaysView};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::Interner;
use crate::state::days::DayRecord;
use crate::time::calendar::{civil, date_of_text};

/// Customers between two checks whether the call was cancelled.
const CHECKED: usize = 1 << 12;
/// Sums of products of amounts below this stay below 256 bits.
const MOST_UNITS: i128 = 1 << 90;

/// A day on which customers were treated, or are compared as if they were.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    /// The day on which they were treated.
    pub treated_on: i32,
    /// The day that stands for it.
    pub day: i32,
    /// The last day that is read.
    pub as_of: i32,
}

/// The windows of a wave.
struct Windows {
    day: i32,
    before: Range<i32>,
    after: Range<i32>,
    baseline: Range<i32>,
}

/// The first day of the window of the baseline of customers treated on a day.
pub(super) fn baseline_start(spec: &BeforeAfterSpec, day: i32) -> i32 {
    Windows::of(spec, day).baseline.start
}

impl Windows {
    fn of(spec: &BeforeAfterSpec, day: i32) -> Self {
        let windows = spec.windows;
        let after = day + windows.lag..day + windows.lag + windows.days_after;
        let before = day - windows.days_before..day;
        let baseline = match spec.baseline {
            Baseline::Before => before.clone(),
            Baseline::YearBefore => {
                let first = year_before(after.start);
                first..first + windows.days_after
            }
        };
        Self { day, before, after, baseline }
    }

    /// Adds a record of a day before treatment, as it was known then.
    fn add_before(&self, customer: &mut Customer, record: &DayRecord) {
        let orders = orders_of(record);
        if orders > 0 {
            if customer.orders == 0 {
                customer.tenure = self.day - 1 - record.day;
            }
            customer.recency = self.day - 1 - record.day;
            customer.orders = customer.orders.saturating_add(orders);
        }
        customer.total += record.units;
        if self.before.contains(&record.day) {
            customer.orders_before = customer.orders_before.saturating_add(orders);
            customer.before += record.units;
        }
    }

    /// Adds a record to the windows of results.
    fn add_result(&self, customer: &mut Customer, record: &DayRecord) {
        if self.after.contains(&record.day) {
            customer.orders_after = customer.orders_after.saturating_add(orders_of(record));
            customer.after += record.units;
        }
        if self.baseline.contains(&record.day) {
            customer.orders_baseline = customer.orders_baseline.saturating_add(orders_of(record));
            customer.baseline += record.units;
        }
    }
}

fn orders_of(record: &DayRecord) -> u32 {
    if record.is_of_others() { 0 } else { record.orders }
}

/// The same date a year earlier; of 29 February, the 28th.
fn year_before(day: i32) -> i32 {
    let (year, month, of_month) = civil(day);
    let date = |of_month: u32| date_of_text(&format!("{:04}-{month:02}-{of_month:02}", year - 1));
    date(of_month).or_else(|| date(of_month - 1)).unwrap_or(day - 365)
}

/// The customers of a wave: those treated on its day, and all who had bought before it.
pub(super) fn customers_of(
    base: &CustomerBase,
    spec: &BeforeAfterSpec,
    (treated, excluded): (&Treated, &Interner),
    wave: Wave,
    context: &Context,
) -> Result<Vec<Customer>> {
    let windows = Windows::of(spec, wave.day);
    let mut customers: Vec<Customer> = Vec::new();
    let of_wave = treated.days.iter().filter(|&&day| day == wave.treated_on).count();
    let mut found = 0;
    base.by_ranges(context, |part| {
        // Orders may have lines after the day: what was known is the view of the day before. Final days are as they were known.
        let (until, then) =
            if part.days_are_final() { (None, None) } else { (Some(wave.as_of), Some(part.view_with_days(Some(wave.day - 1), context)?)) };
        let view = part.view_with_days(until, context)?;
        let parts = parts_of(&view, spec, (treated, excluded), wave);
        found += parts.iter().filter(|part| **part == Part::Treated).count();
        let results = view.days()?;
        let known = then.as_ref().map(BaseView::days).transpose()?;
        let read = |codes: Range<usize>| -> Result<Vec<Customer>> {
            let mut chunk = Vec::with_capacity(codes.len());
            for code in codes {
                if code.is_multiple_of(CHECKED) {
                    context.check()?;
                }
                let customer = customer_of(&windows, parts[code], (&results, known.as_ref()), code as u32)?;
                chunk.extend(customer);
            }
            Ok(chunk)
        };
        let size = results.len().max(parts.len());
        let chunks = context.run_if_large(size, |threads| threads.par_chunks(parts.len(), read))?;
        for chunk in chunks {
            let chunk = chunk?;
            if customers.is_empty() { customers = chunk } else { customers.extend(chunk) }
        }
        Ok(())
    })?;
    // The treated without any row in the base have zeros.
    customers.extend(std::iter::repeat_n(Customer::new(Part::Treated), of_wave - found));
    Ok(customers)
}

/// The part of each code of a view.
fn parts_of(view: &BaseView<'_>, spec: &BeforeAfterSpec, (treated, excluded): (&Treated, &Interner), wave: Wave) -> Vec<Part> {
    let mut parts = vec![Part::Control; view.customers()];
    let last_day = spec.windows.end(wave.treated_on);
    for (code, &day) in view.find_all(&treated.ids).into_iter().zip(&treated.days) {
        if let Some(code) = code {
            parts[code as usize] = match day {
                _ if day == wave.treated_on => Part::Treated,
                // Treated after the window: alike until then. A day that is left out may be in the window.
                NEVER => Part::Other,
                _ if day > last_day => Part::Control,
                _ => Part::Other,
            };
        }
    }
    for code in view.find_all(excluded).into_iter().flatten() {
        if parts[code as usize] == Part::Control {
            parts[code as usize] = Part::Other;
        }
    }
    parts
}

/// The customer of a code, unless he is not treated and had not bought.
fn customer_of(windows: &Windows, part: Part, (results, known): (&DaysView, Option<&DaysView>), code: u32) -> Result<Option<Customer>> {
    let mut customer = Customer::new(part);
    if let Some(known) = known {
        known.records(code).take_while(|record| record.day < windows.day).for_each(|record| windows.add_before(&mut customer, &record));
        results.records(code).for_each(|record| windows.add_result(&mut customer, &record));
    } else {
        for record in results.records(code) {
            if record.day < windows.day {
                windows.add_before(&mut customer, &record);
            }
            windows.add_result(&mut customer, &record);
        }
    }
    if customer.part != Part::Treated && !customer.is_known() {
        return Ok(None);
    }
    let sums = [customer.total, customer.before, customer.after, customer.baseline];
    if sums.iter().any(|units| units.abs() > MOST_UNITS) {
        let message =
            "the money of a customer exceeds 2^90 units, whose squares cannot be summed exactly. Divide the amounts by a power of ten";
        return Err(Error::new(ErrorKind::SumOverflow, message));
    }
    Ok(Some(customer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_earlier() {
        let day = |text: &str| date_of_text(text).unwrap_or_default();
        assert_eq!(year_before(day("2017-08-08")), day("2016-08-08"));
        assert_eq!(year_before(day("2024-02-29")), day("2023-02-28"));
    }
}
