//! Series of the structure of a base: shares of segments, concentration, revenue at risk, and moves between segments.

use super::control::Series;
use super::periods::{Months, end_of};
use crate::analysis::abc::concentration;
use crate::analysis::moves::{MoveCounts, NO_SEGMENT};
use crate::analysis::purchase_days::{Buyer, fold_buyers};
use crate::analysis::rfm::scorer::RfmScorer;
use crate::analysis::rfm::transitions::follow_segments;
use crate::base::CustomerBase;
use crate::column::find_column;
use crate::column::number::{Number, NumberColumn};
use crate::error::Result;
use crate::exec::context::Context;
use crate::num::money::{Amount, ratio};
use crate::state::spec::AsOf;
use crate::table::Table;

/// Segments whose revenue is at risk.
const AT_RISK: [&str; 3] = ["at_risk", "cant_lose", "about_to_sleep"];
/// Days of revenue at risk.
const RISK_DAYS: i32 = 365;
/// The best customers whose share of the value is shown.
const TOP: f64 = 0.2;

/// The customers of a segment at the end of a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Segment {
    customers: u64,
    units: i128,
    /// Revenue of the last 365 days.
    recent: i128,
}

/// A number of a segment.
type OfSegment = fn(&Segment) -> i128;

/// The segments at the end of a month, and the moves to it from the end of the month before.
#[derive(Debug, Clone)]
struct MonthEnd {
    segments: Vec<Segment>,
    moves: MoveCounts,
}

/// The series, and remarks on the scorer.
pub(super) fn structure_series(
    base: &CustomerBase,
    months: &Months,
    scorer: &RfmScorer,
    context: &Context,
) -> Result<(Vec<Series>, Vec<String>)> {
    // The moves of the first month are from the end of the one before.
    let days: Vec<i32> = std::iter::once(months.first - 1).chain(months.all()).map(end_of).collect();
    let number = scorer.segment_names()?.map_or(0, |names| names.len());
    let of_month = MonthEnd { segments: vec![Segment::default(); number], moves: MoveCounts::new(number) };
    let mut ends = vec![of_month; days.len()];
    let mut before = Vec::new();
    let (names, mut remarks) = follow_segments(base, &days, scorer, context, |at, part, snapshot| {
        let by_code = snapshot.by_code();
        let MonthEnd { segments, moves } = &mut ends[at];
        for (&segment, &units) in snapshot.segments.iter().zip(&snapshot.units).filter(|(segment, _)| **segment != NO_SEGMENT) {
            let sum = &mut segments[usize::from(segment)];
            sum.customers += 1;
            sum.units += units;
        }
        if at > 0 {
            moves.add(&before, &snapshot.codes, &snapshot.segments, &snapshot.units);
            let recent = recent_revenue(part, days[at], &by_code, number, context)?;
            segments.iter_mut().zip(recent).for_each(|(segment, units)| segment.recent += units);
        }
        before = by_code;
        Ok(())
    })?;
    let mut series = shares(&names, &ends[1..], base)?;
    if base.input_schema()?.money.is_some() {
        series.extend(concentrations(base, &days[1..], context)?);
        series.extend(at_risk(&names, &ends[1..], base)?);
    }
    series.extend(flows(&names, &ends[1..]));
    if !AT_RISK.iter().any(|name| names.iter().any(|other| other == name)) {
        remarks.push(format!("the segments of this scorer are none of {}: there is no area 'risk'", AT_RISK.join(", ")));
    }
    Ok((series, remarks))
}

/// Revenue by segment in the days up to a day.
fn recent_revenue(part: &CustomerBase, day: i32, by_code: &[u16], number: usize, context: &Context) -> Result<Vec<i128>> {
    let view = part.view_with_days(Some(day), context)?;
    let add = |sums: &mut Vec<i128>, buyer: &Buyer<'_>| {
        let Some(segment) = by_code.get(buyer.code as usize).filter(|segment| **segment != NO_SEGMENT) else { return };
        let from = buyer.all_days.partition_point(|&other| other <= day.saturating_sub(RISK_DAYS));
        sums[usize::from(*segment)] += buyer.all_units[from..].iter().sum::<i128>();
    };
    let mut whole = vec![0; number];
    for sums in fold_buyers(&view, context, || vec![0; number], add)? {
        whole.iter_mut().zip(sums).for_each(|(sum, more)| *sum += more);
    }
    Ok(whole)
}

/// The shares of each segment of the customers, and of their money.
fn shares(names: &[String], ends: &[MonthEnd], base: &CustomerBase) -> Result<Vec<Series>> {
    let mut series = Vec::new();
    let has_money = base.input_schema()?.money.is_some();
    let shares: [(&str, OfSegment); 2] =
        [("customers_share", |segment| i128::from(segment.customers)), ("revenue_share", |segment| segment.units)];
    for (prefix, of) in shares {
        if prefix == "revenue_share" && !has_money {
            continue;
        }
        for (at, name) in names.iter().enumerate() {
            let share = |end: &MonthEnd| {
                let whole: i128 = end.segments.iter().map(of).sum();
                (whole > 0).then(|| ratio(of(&end.segments[at]), whole))
            };
            series.push(Series {
                area: "structure",
                measure: format!("{prefix}: {name}"),
                values: ends.iter().map(share).collect(),
                is_total: false,
            });
        }
    }
    Ok(series)
}

/// The Gini coefficient, and the share of the best fifth of customers.
fn concentrations(base: &CustomerBase, days: &[i32], context: &Context) -> Result<Vec<Series>> {
    let (mut gini, mut top) = (Vec::with_capacity(days.len()), Vec::with_capacity(days.len()));
    for &day in days {
        let Table { batch, .. } = concentration(base, Some(AsOf::Date(day)), &[TOP], context)?;
        let value = |name: &str| -> Result<Option<f64>> {
            let column = NumberColumn::new(name, "measure", batch.column(find_column(&batch.schema(), name, "measure")?))?;
            Ok(column.get(0).map(Number::to_f64))
        };
        gini.push(value("gini")?);
        top.push(value("value_share")?);
    }
    let series = |measure: &str, values| Series { area: "structure", measure: measure.to_owned(), values, is_total: false };
    Ok(vec![series("gini", gini), series("top_20_share", top)])
}

/// Revenue of the last 365 days of the segments at risk.
fn at_risk(names: &[String], ends: &[MonthEnd], base: &CustomerBase) -> Result<Vec<Series>> {
    let Some(money) = base.input_schema()?.money else { return Ok(Vec::new()) };
    let found = AT_RISK.iter().filter_map(|name| Some((name, names.iter().position(|other| other == name)?)));
    let revenue = |at: usize| ends.iter().map(move |end| Some(Amount { units: end.segments[at].recent, money }.to_f64()));
    Ok(found
        .map(|(name, at)| Series { area: "risk", measure: format!("revenue_365d: {name}"), values: revenue(at).collect(), is_total: false })
        .collect())
}

/// How many customers came into each segment from another one in the month, and how many left it for another one.
fn flows(names: &[String], ends: &[MonthEnd]) -> Vec<Series> {
    let mut counts = vec![vec![(0_u64, 0_u64); names.len()]; ends.len()];
    for (counts, end) in counts.iter_mut().zip(ends) {
        let (moves, _) = end.moves.clone().finish();
        for moved in moves.iter().filter(|moved| moved.from != NO_SEGMENT && moved.from != moved.to) {
            counts[usize::from(moved.to)].0 += moved.customers;
            counts[usize::from(moved.from)].1 += moved.customers;
        }
    }
    let series = |word: &str, at: usize, of: fn(&(u64, u64)) -> u64| {
        let values = counts.iter().map(|counts| Some(of(&counts[at]) as f64)).collect();
        Series { area: "flows", measure: format!("{word}: {}", names[at]), values, is_total: false }
    };
    (0..names.len()).flat_map(|at| [series("entered", at, |count| count.0), series("left", at, |count| count.1)]).collect()
}
