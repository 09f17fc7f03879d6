//! The summary of the buyers of a base: purchase days, the time of the last one, age and mean spend.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array};
use arrow_schema::Metadata;

use super::names::{M_BEFORE, SummaryNames, X_BEFORE};
use crate::analysis::purchase_days::{Buyer, fold_buyers};
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::num::money::{Money, ratio};
use crate::report::{EntryKind, ReportEntry, ReportUnit, Tally};
use crate::state::spec::AsOf;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder};
use crate::time::calendar::date_text;

/// The metadata entry of a summary with the last day of calibration.
pub(crate) const CALIBRATION_END: &str = "custcore.calibration_end";
/// The metadata entry of a summary with the last day of the hold-out.
pub(crate) const HOLDOUT_END: &str = "custcore.holdout_end";

/// The two parts of the observed time: days up to `calibration_end`, and days after it up to `holdout_end`. Both are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    /// The last day of calibration.
    pub calibration_end: i32,
    /// The last day of the hold-out, if there is one.
    pub holdout_end: Option<i32>,
}

impl Split {
    /// The split of a base: by default all days are for calibration, and what follows a given calibration end is the hold-out.
    pub(crate) fn of(base: &CustomerBase, calibration_end: Option<AsOf>, holdout_end: Option<AsOf>) -> Result<Self> {
        let clock = &base.input_schema()?.clock;
        let day = |as_of: Option<AsOf>| as_of.map(|as_of| as_of.day(clock)).transpose();
        let last = day(base.spec().until)?.or_else(|| base.last_day()).unwrap_or(0);
        let (calibration, holdout) = (day(calibration_end)?, day(holdout_end)?);
        let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
        let Some(calibration_end) = calibration else {
            return match holdout {
                None => Ok(Self { calibration_end: last, holdout_end: None }),
                Some(_) => Err(invalid("holdout_end is given without calibration_end; give both, or neither".to_owned())),
            };
        };
        let end = holdout.unwrap_or(last);
        if holdout.is_some() && end <= calibration_end {
            let (end, calibration) = (date_text(end), date_text(calibration_end));
            return Err(invalid(format!("holdout_end={end} is not after calibration_end={calibration}; the hold-out follows calibration")));
        }
        // Calibration up to the last day, or beyond it, leaves nothing to hold out.
        Ok(Self { calibration_end, holdout_end: (end > calibration_end).then_some(end) })
    }
}

/// A buyer.
#[derive(Debug, Clone, Copy)]
struct Row {
    code: u32,
    first: i32,
    last: i32,
    x: i32,
    units: i128,
    x_holdout: i32,
    holdout_units: i128,
    x_before: i32,
    before_units: i128,
}

impl Row {
    /// The purchases of a buyer up to the end of calibration; `None` if there are none.
    fn of(buyer: &Buyer<'_>, split: Split) -> Option<Self> {
        let end = split.calibration_end;
        let days = &buyer.days[..buyer.days.partition_point(|&day| day <= end)];
        let (&first, &last) = (days.first()?, days.last()?);
        let units = units_on(buyer, |day| day > first && day <= end);
        let (x_before, before_units) =
            split.holdout_end.map_or((0, 0), |to| purchases_between(buyer, end.saturating_sub(to.saturating_sub(end)), end));
        let x = days.len() as i32 - 1;
        Some(Self { code: buyer.code, first, last, x, units, x_holdout: 0, holdout_units: 0, x_before, before_units })
    }
}

/// Purchase days of a buyer in (`from`, `to`], and the money on them.
fn purchases_between(buyer: &Buyer<'_>, from: i32, to: i32) -> (i32, i128) {
    let count = buyer.days.iter().filter(|&&day| day > from && day <= to).count();
    (count as i32, units_on(buyer, |day| day > from && day <= to))
}

/// The money on those purchase days of a buyer that count. Refunds on other days are no purchases.
fn units_on(buyer: &Buyer<'_>, counts: impl Fn(i32) -> bool) -> i128 {
    let (mut units, mut purchases) = (0, buyer.days.iter().peekable());
    for (day, more) in buyer.all_days.iter().zip(buyer.all_units) {
        while purchases.next_if(|&purchase| purchase < day).is_some() {}
        if purchases.peek() == Some(&day) && counts(*day) {
            units += more;
        }
    }
    units
}

/// The summary of every buyer whose first purchase day is in calibration, ascending by id. A base on disk has several tables, the first
/// of which has the report. Needs day records.
pub fn clv_summary(
    base: &CustomerBase,
    calibration_end: Option<AsOf>,
    holdout_end: Option<AsOf>,
    names: SummaryNames,
    context: &Context,
) -> Result<Vec<Table>> {
    let split = Split::of(base, calibration_end, holdout_end)?;
    let mut tables: Vec<Table> = Vec::new();
    base.by_ranges(context, |part| {
        let table = summary_of(part, split, names, context)?;
        if let Some(first) = tables.first_mut() {
            first.report.join(&table.report);
        }
        // A range may have no buyers.
        if tables.is_empty() || table.batch.num_rows() > 0 {
            tables.push(table);
        }
        Ok(())
    })?;
    let ends = [("calibration_end", Some(split.calibration_end)), ("holdout_end", split.holdout_end)];
    if let (Some(first), Some(last)) = (tables.first_mut(), base.last_day()) {
        for (name, end) in ends.into_iter().filter_map(|(name, end)| Some((name, end.filter(|&end| end > last)?))) {
            let (end, last) = (date_text(end), date_text(last));
            let remark = format!("{name}={end} is after the last day of the data, {last}: nothing is known of the days between");
            first.report.remarks.push(remark);
        }
    }
    Ok(tables)
}

fn summary_of(base: &CustomerBase, split: Split, names: SummaryNames, context: &Context) -> Result<Table> {
    let end = split.calibration_end;
    let view = base.view_with_days(Some(split.holdout_end.unwrap_or(end)), context)?;
    let mut later = Tally::default();
    let mut rows: Vec<Row>;
    if base.days_are_final() || split.holdout_end.is_none() {
        let add = |(rows, later): &mut (Vec<Row>, Tally), buyer: &Buyer<'_>| match Row::of(buyer, split) {
            None => {
                later.count += 1;
                later.units += buyer.total;
            }
            Some(mut row) => {
                if let Some(to) = split.holdout_end {
                    (row.x_holdout, row.holdout_units) = purchases_between(buyer, end, to);
                }
                rows.push(row);
            }
        };
        rows = Vec::new();
        for (part, more) in fold_buyers(&view, context, Default::default, add)? {
            rows.extend(part);
            later.merge(&more, 0);
        }
    } else {
        // Orders may have lines after calibration, so what was known then is a view of its own.
        let then = base.view_with_days(Some(end), context)?;
        let known = fold_buyers(&then, context, Vec::new, |rows: &mut Vec<Row>, buyer| rows.extend(Row::of(buyer, split)))?;
        rows = known.into_iter().flatten().collect();
        let to = split.holdout_end.unwrap_or(end);
        let all = fold_buyers(&view, context, Vec::new, |all: &mut Vec<(u32, (i32, i128), i128)>, buyer| {
            all.push((buyer.code, purchases_between(buyer, end, to), buyer.total));
        })?;
        let mut known = rows.iter_mut().peekable();
        for (code, (x, units), total) in all.into_iter().flatten() {
            while known.next_if(|row| row.code < code).is_some() {}
            match known.peek_mut() {
                Some(row) if row.code == code => (row.x_holdout, row.holdout_units) = (x, units),
                _ => {
                    later.count += 1;
                    later.units += total;
                }
            }
        }
    }
    sort_by_id(&view, &mut rows, context)?;
    // Attributes are those of the end of calibration: later ones are not known then.
    let of_end =
        if split.holdout_end.is_some() && view.attributes().next().is_some() { Some(base.view_in(Some(end), context)?) } else { None };
    table_of((&view, of_end.as_ref().unwrap_or(&view)), &rows, split, names, &later, context)
}

fn sort_by_id(view: &BaseView<'_>, rows: &mut [Row], context: &Context) -> Result<()> {
    if view.ids_ascend() {
        return Ok(());
    }
    let mut codes: Vec<u32> = rows.iter().map(|row| row.code).collect();
    view.sort_by_id(&mut codes, context)?;
    let mut place = vec![0; view.customers()];
    (0..).zip(&codes).for_each(|(at, &code): (u32, _)| place[code as usize] = at);
    context.run_if_large(rows.len(), |threads| {
        threads.par_sort_unstable_by(rows, |a, b| place[a.code as usize].cmp(&place[b.code as usize]));
    })
}

/// The correctly rounded mean of money over `n` days; `None` without any.
fn mean(units: i128, n: i32, money: Money) -> Option<f64> {
    let (units, scale) = match money {
        Money::Float { decimals } => (units, 10_i128.pow(decimals.into())),
        Money::Integer => (units, 1),
        Money::Decimal { scale } if scale >= 0 => (units, 10_i128.checked_pow(scale.unsigned_abs().into())?),
        Money::Decimal { scale } => (units.checked_mul(10_i128.checked_pow(scale.unsigned_abs().into())?)?, 1),
    };
    (n > 0).then(|| ratio(units, scale * i128::from(n)))
}

/// The summary of `rows`, with the attributes of the view at the end of calibration.
fn table_of(
    (view, of_end): (&BaseView<'_>, &BaseView<'_>),
    rows: &[Row],
    split: Split,
    names: SummaryNames,
    later: &Tally,
    context: &Context,
) -> Result<Table> {
    let input_schema = view.kinds();
    let codes: Vec<u32> = rows.iter().map(|row| row.code).collect();
    let mut table = TableBuilder::default();
    context.run_if_large(rows.len(), |threads| table.ids(&input_schema.id, view.ids(), &codes, threads))??;
    let end = split.calibration_end;
    let int32 = |value: &dyn Fn(&Row) -> i32| -> ArrayRef { Arc::new(Int32Array::from_iter_values(rows.iter().map(value))) };
    let names = names.columns();
    table.column(names.x, int32(&|row| row.x));
    table.column(names.t_x, int32(&|row| row.last - row.first));
    table.column(names.age, int32(&|row| end - row.first));
    let means = |value: &dyn Fn(&Row, Money) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| input_schema.money.and_then(|money| value(row, money))).collect::<Float64Array>())
    };
    if input_schema.money.is_some() {
        table.column(names.m_x, means(&|row, money| mean(row.units, row.x, money)));
    }
    if let Some(holdout_end) = split.holdout_end {
        table.column(names.x_holdout, int32(&|row| row.x_holdout));
        if input_schema.money.is_some() {
            table.column(names.m_holdout, means(&|row, money| mean(row.holdout_units, row.x_holdout, money)));
        }
        table.column(names.holdout_days, int32(&|_| holdout_end - end));
        table.column(X_BEFORE, int32(&|row| row.x_before));
        if input_schema.money.is_some() {
            table.column(M_BEFORE, means(&|row, money| mean(row.before_units, row.x_before, money)));
        }
    }
    // Groups of customers with models of their own are attributes of the base. A part of a composite key is there already.
    for attribute in of_end.attributes().filter(|attribute| !input_schema.id.has(attribute.name())) {
        let values = codes.iter().map(|&code| attribute.get(code).filter(|&value| value != NO_CODE));
        table.values(attribute.name(), attribute.value_type(), attribute.values(), values)?;
    }
    let mut report = view.report();
    report.as_of = Some(end);
    report.entries.push(ReportEntry::new("first_bought_in_holdout", EntryKind::LeftOut, ReportUnit::Customers, later, input_schema.money));
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, input_schema.id.names().to_text());
    metadata.insert(AS_OF, date_text(end));
    metadata.insert(CALIBRATION_END, date_text(end));
    if let Some(holdout_end) = split.holdout_end {
        metadata.insert(HOLDOUT_END, date_text(holdout_end));
    }
    table.finish(rows.len(), metadata, report)
}
